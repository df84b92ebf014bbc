import type { StepStatus } from "../sessions/transitions.ts";
import type { TaskError } from "../tasks/task.ts";
import type { Kept } from "./advance.ts";
import { type PlanStep, reservesOf, type WorkflowPlan } from "./plan.ts";

/** How a step stands in a session that has ended. What was undone counts as `compensated`. */
export interface EndedStep {
  readonly status: StepStatus;
  readonly error: TaskError | null;
  /** Items of its list, where that is known. */
  readonly total: number | null;
}

const UNKNOWN: TaskError = { code: "failed", message: "The step failed." };

/**
 * What a session that goes on from another one takes over: every step that was done there, and is neither one to begin
 * anew nor behind one. Done are steps that completed, that were skipped, and those whose failure the definition allows
 * for: by `onFailure: continue`, or by a branch that was taken.
 * @param ended how the steps stand there; those that never began are `pending`
 * @param from the step to begin anew; null = where the session failed or was cancelled, and then the items that were
 *   done of a list are taken over too
 */
export function keptSteps(
  plan: WorkflowPlan,
  ended: (index: number) => EndedStep,
  from: number | null,
): Map<number, Kept> {
  const begun = plan.steps.map((step) => (step.index === from ? null : outcomeOf(plan, step, ended)));
  const anew = behind(
    plan,
    plan.steps.filter(({ index }) => begun[index] === null).map(({ index }) => index),
  );
  const kept = new Map<number, Kept>();
  for (const [index, outcome] of begun.entries()) if (outcome !== null && !anew.has(index)) kept.set(index, outcome);
  if (from === null) {
    for (const step of plan.steps.filter(({ index }) => anew.has(index))) {
      const items = itemsOf(step, ended(step.index));
      if (items !== null && step.dependsOn.every((index) => kept.has(index))) kept.set(step.index, items);
    }
  }
  return kept;
}

/** Null: it is not done. */
function outcomeOf(plan: WorkflowPlan, step: PlanStep, ended: (index: number) => EndedStep): Kept | null {
  const { status, error } = ended(step.index);
  const { fallback } = step.reserves;
  switch (status) {
    case "completed":
      return fallback !== null && ended(fallback).status === "completed"
        ? { how: "failed", error: UNKNOWN }
        : { how: "completed" };
    case "skipped":
      return { how: "skipped" };
    case "uncertain":
      // Not where it is because it was to be undone.
      return error?.uncertain === true ? failureOf(plan, step, error, ended) : null;
    case "failed":
      return failureOf(plan, step, error ?? UNKNOWN, ended);
    default:
      return null;
  }
}

/** A failure that the session went on from. */
function failureOf(
  plan: WorkflowPlan,
  step: PlanStep,
  error: TaskError,
  ended: (index: number) => EndedStep,
): Kept | null {
  for (const role of ["rejected", "expired"] as const) {
    const branch = step.reserves[role];
    if (branch !== null && wasTaken(ended(branch).status, role, error)) return { how: "refused", role, error };
  }
  // The session was failing, so that nothing new could begin.
  if (reservesOf(step).some((index) => ended(index).status === "pending")) return null;
  return isTolerated(plan, step) ? { how: "failed", error } : null;
}

/** A branch may have been taken and then have been skipped by a condition of its own. */
function wasTaken(branch: StepStatus, role: "rejected" | "expired", error: TaskError): boolean {
  return branch !== "pending" && (branch !== "skipped" || error.code === role);
}

/** Whether the session goes on when this step fails. */
export function isTolerated(plan: WorkflowPlan, step: PlanStep): boolean {
  const owner = step.reserveOf?.role === "fallback" ? plan.steps[step.reserveOf.step] : undefined;
  if (owner !== undefined) return isTolerated(plan, owner);
  return (step.onFailure ?? plan.onFailure) === "continue";
}

function itemsOf(step: PlanStep, { status, total }: EndedStep): Kept | null {
  if (step.forEach === null || total === null || (status !== "failed" && status !== "cancelled")) return null;
  return { how: "items", total };
}

/** These steps and all that may follow from them. */
function behind(plan: WorkflowPlan, first: readonly number[]): Set<number> {
  const found = new Set(first);
  for (const index of found) {
    const step = plan.steps[index];
    if (step === undefined) continue;
    for (const next of [...step.dependents, ...reservesOf(step)]) found.add(next);
    // How a step that stands in for another ends is how that one does.
    if (step.reserveOf?.role === "fallback") found.add(step.reserveOf.step);
  }
  return found;
}
