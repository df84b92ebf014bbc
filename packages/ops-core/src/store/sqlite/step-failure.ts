import { OpspawnError } from "@opspawn/contract";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";

/** What a definition's expressions or schemas refused, as the error of what it was about; anything else is thrown on. */
export function refusal(error: unknown): TaskError {
  if (!(error instanceof OpspawnError)) throw error;
  return { code: error.code, message: error.message, retryable: false };
}

/** A step, or one run of it, could not be made for a reason that trying again does not change. */
export function stepFailed(step: PlanStep, part: number | null, error: unknown): SessionInput {
  return { type: "step_failed", step: step.index, part, error: refusal(error) };
}
