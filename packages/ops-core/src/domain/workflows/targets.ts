import type { PlanStep } from "./plan.ts";

/** Whether the step, or what undoes it, is for the agent that the session was started with. */
export function wantsAgent({ kind, target, compensation }: PlanStep): boolean {
  return (kind === "agent" && target === null) || (compensation?.kind === "agent" && compensation.target === null);
}
