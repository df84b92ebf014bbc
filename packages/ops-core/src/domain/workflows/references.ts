import type { TemplateReference } from "../expressions/template.ts";
import type { Issues } from "../issues.ts";
import { suggestion } from "../suggestion.ts";
import type { Order } from "./order.ts";
import type { StepDefinition } from "./step-definition.ts";

type StepReference = Extract<TemplateReference, { root: "steps" }>;

/** The references of a template to steps. */
function stepReferences(references: readonly TemplateReference[]): StepReference[] {
  return references.filter((reference) => reference.root === "steps");
}

/** The ids that references name, each once. */
export function stepIds(references: readonly TemplateReference[]): string[] {
  return [...new Set(stepReferences(references).map((reference) => reference.stepId))];
}

/** Every step an expression reads must exist, and must be sure to have ended before the expression is evaluated. */
export function checkReferences(order: Order, all: readonly StepDefinition[], issues: Issues): void {
  const positions = new Map(order.steps.map((step, position) => [step.id, position]));
  const listed = new Set(all.map((step) => step.id));
  // In a cycle nothing comes before anything; that is an issue of its own.
  const ancestors = order.sequence === null ? undefined : new Ancestors(order.dependsOn, order.sequence);
  for (const [position, step] of order.steps.entries()) {
    for (const { stepId, loc } of stepReferences(step.template.references)) {
      const read = positions.get(stepId);
      const at = [...step.loc, "parameters", ...loc];
      if (read === undefined) issues.add(at, "unknown_step", () => unknown(stepId, listed));
      else if (ancestors?.has(position, read) === false) {
        issues.add(at, "not_an_ancestor", notBefore(order.kind, step.id, stepId));
      }
    }
  }
}

/** The output is evaluated at the end, so it may read any step that runs. */
export function checkOutputReferences(
  references: readonly TemplateReference[],
  order: Order,
  all: readonly StepDefinition[],
  issues: Issues,
): void {
  const running = new Set(order.steps.map((step) => step.id));
  const listed = new Set(all.map((step) => step.id));
  for (const { stepId, loc } of stepReferences(references)) {
    if (!running.has(stepId)) issues.add(["output", ...loc], "unknown_step", () => unknown(stepId, listed));
  }
}

function unknown(stepId: string, listed: ReadonlySet<string>): string {
  if (listed.has(stepId)) return `reads "${stepId}", which never runs`;
  return `reads "${stepId}", but no task has that id${suggestion(stepId, listed)}`;
}

function notBefore(kind: Order["kind"], own: string, read: string): string {
  if (own === read) return "reads its own step, which has not run yet";
  if (kind === "graph") return `reads "${read}", which need not have ended by then; add it to dependsOn`;
  return `reads "${read}", which runs later`;
}

const BITS = 32;

/** Who is sure to have ended before whom: a set of bits per step, filled along the order of running. */
class Ancestors {
  readonly #bits: Uint32Array;
  readonly #width: number;

  constructor(dependsOn: Order["dependsOn"], sequence: readonly number[]) {
    this.#width = Math.ceil(dependsOn.length / BITS);
    this.#bits = new Uint32Array(this.#width * dependsOn.length);
    for (const position of sequence) {
      for (const dependency of dependsOn[position] ?? []) this.#inherit(position, dependency);
    }
  }

  #inherit(position: number, dependency: number): void {
    const to = position * this.#width;
    const from = dependency * this.#width;
    for (let word = 0; word < this.#width; word += 1) this.#add(to + word, this.#bits[from + word] as number);
    this.#add(to + Math.floor(dependency / BITS), 1 << (dependency % BITS));
  }

  #add(word: number, bits: number): void {
    this.#bits[word] = (this.#bits[word] as number) | bits;
  }

  has(position: number, ancestor: number): boolean {
    const word = this.#bits[position * this.#width + Math.floor(ancestor / BITS)] as number;
    return (word & (1 << (ancestor % BITS))) !== 0;
  }
}
