import type { JsonValue } from "@opspawn/contract";
import { Budget } from "./budget.ts";
import { fromJson, type Value } from "./values.ts";

/** A step as expressions see it. */
export interface StepView {
  readonly status: string;
  /** Read as null unless the step completed. */
  readonly result: JsonValue;
  readonly error: JsonValue;
}

/**
 * Everything an expression can read. `input` and `steps` are asked for only when an expression needs them, and once: a
 * getter may load them.
 */
export interface ExpressionScope {
  readonly input: JsonValue;
  /** A Map will do; only steps that the template's `references` name have to be there. */
  readonly steps: { get(stepId: string): StepView | undefined };
  readonly session: { readonly id: string; readonly labels: Readonly<Record<string, string>> };
  /** Null when the trigger named no agent. */
  readonly trigger: { readonly agentId: string | null };
}

export const STEP_FIELDS = ["result", "status", "error"] as const;
export type StepField = (typeof STEP_FIELDS)[number];

/** A name an expression reads, found without evaluating it. */
export type Reference =
  | { readonly root: "input" | "session" | "trigger" }
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
  readonly #steps = new Map<string, StepView | undefined>();
  #input: Value | undefined;

  constructor(scope: ExpressionScope) {
    this.scope = scope;
  }

  get input(): Value {
    this.#input ??= fromJson(this.scope.input);
    return this.#input;
  }

  step(stepId: string): StepView | undefined {
    if (!this.#steps.has(stepId)) this.#steps.set(stepId, this.scope.steps.get(stepId));
    return this.#steps.get(stepId);
  }
}

export type Evaluate = (frame: Frame) => Value;
