import type { JsonValue } from "@opspawn/contract";
import { Budget } from "./budget.ts";
import { fromJson, type Value } from "./values.ts";

/** A step as expressions see it. */
export interface StepView {
  readonly status: string;
  /** Read as null unless the step completed, is uncertain, or is running once more. Never asked for where there are `results`. */
  readonly result: JsonValue;
  readonly error: JsonValue;
  /** Of a step with `forEach`, in the order of its items: null where an item has no result. Then `result` is this list. */
  readonly results?: JsonValue[];
  /** Of a step with `forEach`, in the order of its items: null where an item has no error. */
  readonly errors?: JsonValue[];
}

/**
 * Everything an expression can read. `input`, `item` and `steps`, and the fields of a step, are asked for only when an
 * expression needs them, and once in a resolution: a getter may load them.
 */
export interface ExpressionScope {
  readonly input: JsonValue;
  /** A Map will do; only steps that the template's `references` name have to be there. */
  readonly steps: { get(stepId: string): StepView | undefined };
  readonly session: { readonly id: string; readonly labels: Readonly<Record<string, string>> };
  /** Null when the trigger named no agent. */
  readonly trigger: { readonly agentId: string | null };
  /** What this run of a step with `forEach` is for, and its place in the list from 0. */
  readonly item?: JsonValue;
  readonly index?: number;
  /** Which run of a step with `repeat` it is, from 0. */
  readonly iteration?: number;
}

/** Roots that have a value only in some places of some steps. */
export const PER_RUN_ROOTS = ["item", "index", "iteration"] as const;
export type PerRunRoot = (typeof PER_RUN_ROOTS)[number];

export const STEP_FIELDS = ["result", "results", "status", "error", "errors"] as const;
export type StepField = (typeof STEP_FIELDS)[number];

/** A name an expression reads, found without evaluating it. */
export type Reference =
  | { readonly root: "input" | "session" | "trigger" | PerRunRoot }
  | { readonly root: "steps"; readonly stepId: string; readonly field: StepField };

/**
 * One resolution under way. Asks the scope for each thing at most once, however often expressions name it: behind the
 * scope may be a database.
 */
export class Frame {
  readonly scope: ExpressionScope;
  readonly budget = new Budget();
  /** The variables of macros, by slot. */
  readonly locals: Value[] = [];
  readonly #roots = new Map<"input" | PerRunRoot, Value>();
  readonly #steps = new Map<string, StepValues>();

  constructor(scope: ExpressionScope) {
    this.scope = scope;
  }

  /** The value of a root; null where it has none. */
  root(name: "input" | PerRunRoot): Value {
    const known = this.#roots.get(name);
    if (known !== undefined) return known;
    const value = fromJson(this.scope[name] ?? null);
    this.#roots.set(name, value);
    return value;
  }

  step(stepId: string, field: StepField): Value {
    let values = this.#steps.get(stepId);
    if (values === undefined) {
      values = new StepValues(this.scope.steps.get(stepId));
      this.#steps.set(stepId, values);
    }
    return values.get(field);
  }
}

/** The fields of one step, each asked for once. */
class StepValues {
  readonly #step: StepView | undefined;
  readonly #values = new Map<StepField, Value>();

  constructor(step: StepView | undefined) {
    this.#step = step;
  }

  get(field: StepField): Value {
    const known = this.#values.get(field);
    if (known !== undefined) return known;
    const value = this.#read(field);
    this.#values.set(field, value);
    return value;
  }

  #read(field: StepField): Value {
    const step = this.#step;
    if (step === undefined) return field === "status" ? "pending" : null;
    if (field === "status") return step.status;
    if (field === "error") return fromJson(step.error);
    if (field !== "result") return step[field] ?? null;
    return HAS_RESULT.has(step.status) ? (step.results ?? fromJson(step.result)) : null;
  }
}

/** While a step repeats, its result is that of its last run; of an uncertain list the known items have one. */
const HAS_RESULT: ReadonlySet<string> = new Set(["completed", "compensated", "uncertain", "running"]);

export type Evaluate = (frame: Frame) => Value;
