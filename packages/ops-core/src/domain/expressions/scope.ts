import type { JsonValue } from "@opspawn/contract";
import type { Budget } from "./budget.ts";
import type { Value } from "./values.ts";

/** A step as expressions see it. */
export interface StepView {
  readonly status: string;
  /** Read as null unless the step completed. */
  readonly result: JsonValue;
  readonly error: JsonValue;
}

/** Everything an expression can read. Only steps that the template's `references` name have to be there. */
export interface ExpressionScope {
  readonly input: JsonValue;
  /** A Map will do. */
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

/** One evaluation under way. `locals` holds the variables of macros, by slot. */
export interface Frame {
  readonly scope: ExpressionScope;
  readonly budget: Budget;
  readonly locals: Value[];
}

export type Evaluate = (frame: Frame) => Value;
