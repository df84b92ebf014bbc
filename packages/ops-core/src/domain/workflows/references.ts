import type { PerRunRoot } from "../expressions/scope.ts";
import type { Template, TemplateReference } from "../expressions/template.ts";
import type { Issues, Loc } from "../issues.ts";
import { suggestion } from "../suggestion.ts";
import { Ancestors } from "./ancestors.ts";
import type { Limits } from "./limit-definition.ts";
import type { Order } from "./order.ts";
import type { Reading } from "./readings.ts";
import type { StepDefinition } from "./step-definition.ts";

type StepReference = Extract<TemplateReference, { root: "steps" }>;

/** The ids that references name, each once. */
export function stepIds(references: readonly TemplateReference[]): string[] {
  const ids = references.flatMap((reference) => (reference.root === "steps" ? reference.stepId : []));
  return [...new Set(ids)];
}

/** Checks what the expressions of a definition read. @param workflow those that belong to no step */
export function checkReferences(
  order: Order,
  all: readonly StepDefinition[],
  workflow: { readonly output: readonly TemplateReference[]; readonly limits: Limits },
  issues: Issues,
): void {
  const check = new ReferenceCheck(order, all, issues);
  for (const [position, step] of order.steps.entries()) {
    for (const reading of step.readings) check.reading(position, step, reading);
  }
  check.limits(workflow.limits);
  check.output(workflow.output);
}

class ReferenceCheck {
  readonly #order: Order;
  readonly #issues: Issues;
  readonly #positions: ReadonlyMap<string, number>;
  readonly #listed: ReadonlySet<string>;
  /** In a cycle nothing comes before anything; that is an issue of its own. */
  readonly #ancestors: Ancestors | undefined;

  constructor(order: Order, all: readonly StepDefinition[], issues: Issues) {
    this.#order = order;
    this.#issues = issues;
    this.#positions = new Map(order.steps.map((step, position) => [step.id, position]));
    this.#listed = new Set(all.map((step) => step.id));
    this.#ancestors = order.sequence === null ? undefined : new Ancestors(order.dependsOn, order.sequence);
  }

  /** Every step an expression reads must exist, and must be sure to have ended before the expression is evaluated. */
  reading(position: number, step: StepDefinition, reading: Reading): void {
    for (const reference of reading.references) {
      const loc = [...step.loc, ...reading.at, ...reference.loc];
      if (reference.root === "steps") this.#step(position, reference, reading.own, loc);
      else if (isPerRun(reference.root) && !reading.roots.includes(reference.root)) {
        this.#issues.add(loc, "out_of_place", outOfPlace(reference.root, step));
      }
    }
  }

  /** Keys of the workflow are evaluated for each task of its steps, the first ones included. */
  limits({ concurrency, rate }: Limits): void {
    this.#workflowKey(concurrency?.key, ["concurrency", "key"]);
    this.#workflowKey(rate?.key, ["rateLimit", "key"]);
  }

  #workflowKey(key: Template | undefined, at: Loc): void {
    for (const { root, loc } of key?.references ?? []) {
      if (root !== "steps" && !isPerRun(root)) continue;
      const msg = `"${root}" has no value here; a key that reads it stands in the step itself`;
      this.#issues.add([...at, ...loc], "out_of_place", msg);
    }
  }

  /** The output is evaluated at the end, so it may read any step that runs. */
  output(references: readonly TemplateReference[]): void {
    for (const reference of references) {
      const loc = ["output", ...reference.loc];
      if (reference.root === "steps") this.#existing(reference, loc);
      else if (isPerRun(reference.root)) this.#issues.add(loc, "out_of_place", outOfPlace(reference.root, null));
    }
  }

  #step(reader: number, reference: StepReference, own: boolean, loc: Loc): void {
    const read = this.#existing(reference, loc);
    if (read === undefined || (own && read === reader)) return;
    if (this.#ancestors?.has(reader, read) !== false) return;
    this.#issues.add(loc, "not_an_ancestor", this.#notBefore(reader, read));
  }

  /** The position of a step that runs and has the field that is read. */
  #existing({ stepId, field }: StepReference, loc: Loc): number | undefined {
    const position = this.#positions.get(stepId);
    if (position === undefined) {
      this.#issues.add(loc, "unknown_step", () => this.#unknown(stepId));
      return undefined;
    }
    const perItem = field === "results" || field === "errors";
    if (perItem && this.#order.steps[position]?.forEach === null) {
      this.#issues.add(loc, "no_results", `"${stepId}" has no ${field}: it has no forEach`);
      return undefined;
    }
    return position;
  }

  #unknown(stepId: string): string {
    if (this.#listed.has(stepId)) return `reads "${stepId}", which never runs`;
    return `reads "${stepId}", but no task has that id${suggestion(stepId, this.#listed)}`;
  }

  #notBefore(reader: number, read: number): string {
    const id = this.#idOf(read);
    if (reader === read) return "reads its own step, which has not run yet";
    const reserve = this.#order.reserveOf[read] ?? null;
    if (reserve?.role === "fallback") {
      const owner = this.#idOf(reserve.step);
      return `reads "${id}", which only stands in reserve for "${owner}"; read "${owner}", whose result is the same`;
    }
    if (this.#order.kind !== "graph") {
      return reserve === null ? `reads "${id}", which runs later` : `reads "${id}", which need not run`;
    }
    const own = this.#order.reserveOf[reader] ?? null;
    const where = own === null ? "dependsOn" : `the dependsOn of "${this.#idOf(own.step)}"`;
    return `reads "${id}", which need not have ended by then; add it to ${where}`;
  }

  #idOf(position: number): string {
    return this.#order.steps[position]?.id ?? "";
  }
}

const OWNERS: Readonly<Record<PerRunRoot, "forEach" | "repeat">> = {
  item: "forEach",
  index: "forEach",
  iteration: "repeat",
};

function isPerRun(root: TemplateReference["root"]): root is PerRunRoot {
  return root in OWNERS;
}

function outOfPlace(root: PerRunRoot, step: StepDefinition | null): string {
  const owner = OWNERS[root];
  if (step === null || step[owner] === null) return `"${root}" has a value only in a step with ${owner}`;
  const places = owner === "forEach" ? "what each item is given" : "what each run is given, and in until";
  return `"${root}" has no value here, only in ${places}`;
}
