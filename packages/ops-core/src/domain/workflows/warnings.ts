import type { JsonObject } from "@opspawn/contract";
import type { Issues, Loc } from "../issues.ts";
import type { Order } from "./order.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";
import { templatesOf } from "./step-templates.ts";

/** Notes what is legal but cannot have the effect it seems to be meant for. */
export function warnAbout(plan: WorkflowPlan, order: Order, warnings: Issues): void {
  for (const [index, step] of plan.steps.entries()) {
    const loc = order.steps[index]?.loc ?? [];
    warnAboutTimes(step, loc, warnings);
    warnAboutConstants(step, loc, warnings);
    const shadowed = plan.data === "original" && step.dependsOn.length > 0;
    if (shadowed && Object.hasOwn(step.parameters as JsonObject, "previous")) {
      warnings.add([...loc, "parameters", "previous"], "replaced", "is replaced by the result of the step before");
    }
    if (startsItself(plan, step)) {
      const msg =
        "starts this same workflow each time it runs, so it ends only by the limit of depth; give it a `when`";
      warnings.add([...loc, "workflow", "id"], "endless", msg);
    }
  }
  warnAboutCompensation(plan, order, warnings);
  warnAboutBothWays(plan, order, warnings);
}

/** Of the two ways behind a step one is taken and the other skipped, with all that waits for it. */
function warnAboutBothWays(plan: WorkflowPlan, order: Order, warnings: Issues): void {
  for (const { id, dependents, reserves } of plan.steps) {
    for (const branch of [reserves.rejected, reserves.expired]) {
      if (branch === null) continue;
      const usual = behind(plan, dependents);
      const both = [...behind(plan, [branch])].filter((index) => usual.has(index));
      for (const index of both) {
        const msg = `never runs: it waits for both ways behind \`${id}\`, and only one of them is taken`;
        warnings.add([...(order.steps[index]?.loc ?? []), "dependsOn"], "never_runs", msg);
      }
    }
  }
}

/** These steps and all that wait for them, by index. */
function behind({ steps }: WorkflowPlan, first: readonly number[]): Set<number> {
  const found = new Set(first);
  for (const index of found) for (const dependent of steps[index]?.dependents ?? []) found.add(dependent);
  return found;
}

function warnAboutTimes(step: PlanStep, loc: Loc, warnings: Issues): void {
  const settings = [
    { at: loc, ...step },
    { at: [...loc, "compensate"], timeout: null, deadline: null, ...step.compensation },
  ];
  for (const { at, timeout, deadline } of settings) {
    if (timeout !== null && deadline !== null && timeout > deadline) {
      warnings.add([...at, "timeout"], "no_effect", "is longer than the deadline, which ends the attempt first");
    }
  }
}

/** Expressions know neither time nor chance: what reads nothing comes out the same each time. */
function warnAboutConstants(step: PlanStep, loc: Loc, warnings: Issues): void {
  const { when, until } = templatesOf(step);
  for (const [template, at] of [
    [when, ["when"]],
    [until, ["repeat", "until"]],
  ] as const) {
    if (template === null || template.references.length > 0) continue;
    warnings.add([...loc, ...at], "constant", "reads nothing, so it comes out the same each time");
  }
}

function startsItself(plan: WorkflowPlan, { workflow, when, reserveOf, forEach }: PlanStep): boolean {
  if (workflow === null || workflow.id !== plan.id) return false;
  if (workflow.version !== null && workflow.version !== plan.version) return false;
  return when === null && reserveOf === null && forEach === null;
}

function warnAboutCompensation(plan: WorkflowPlan, order: Order, warnings: Issues): void {
  const undone = plan.steps.filter((step) => step.compensation !== null);
  const asks = plan.onFailure === "compensate" || plan.steps.some((step) => step.onFailure === "compensate");
  if (asks && undone.length === 0) {
    const at =
      plan.onFailure === "compensate" ? [] : locOf(plan.steps.findIndex((step) => step.onFailure === "compensate"));
    warnings.add([...at, "onFailure"], "no_effect", "nothing can be undone: no task has `compensate`");
  }
  if (asks) return;
  for (const step of undone.filter(({ onUncertain }) => onUncertain?.kind !== "compensate")) {
    const msg = "nothing is ever undone: say `onFailure: compensate` on the workflow or a task";
    warnings.add([...locOf(step.index), "compensate"], "no_effect", msg);
  }

  function locOf(index: number): Loc {
    return order.steps[index]?.loc ?? [];
  }
}
