import type { TaskError } from "../tasks/task.ts";
import type { PlanStep } from "./plan.ts";

export function tooManyIterations(max: number): TaskError {
  const message = `\`repeat.until\` was not true after ${max} ${max === 1 ? "run" : "runs"}.`;
  return { code: "iterations_exhausted", message, retryable: false };
}

export function skippedFallback(step: PlanStep): TaskError {
  return {
    code: "fallback_skipped",
    message: `The step failed, and \`${step.id}\`, which stands in for it, was skipped.`,
  };
}

/** How a step ends. */
export type EndStatus = "completed" | "failed" | "uncertain" | "skipped" | "cancelled";

/** What has failed and may have been done all the same is uncertain. */
export function failedStatus({ uncertain }: TaskError): EndStatus {
  return uncertain === true ? "uncertain" : "failed";
}
