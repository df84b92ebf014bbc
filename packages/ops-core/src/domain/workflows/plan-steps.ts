import type { Order } from "./order.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";
import { stepIds } from "./references.ts";
import { reservesOf } from "./reserve.ts";
import { dependentsOf } from "./sequence.ts";
import { keepTemplates } from "./step-templates.ts";

/** The steps of a plan: what each one says, and its place among the others. */
export function planSteps(order: Order): Pick<WorkflowPlan, "order" | "steps" | "byId"> {
  const ordinary = order.dependsOn.map((list, index) => (order.reserveOf[index] === null ? list : []));
  const dependents = dependentsOf(ordinary);
  const reserves = reservesOf(order.reserveOf);
  const steps = order.steps.map((definition, index): PlanStep => {
    const { loc: _loc, nextTaskId: _next, reserveNames: _names, templates, readings, ...step } = definition;
    const reserve = order.reserveOf[index] ?? null;
    const planned: PlanStep = {
      ...step,
      index,
      dependsOn: order.dependsOn[index] ?? [],
      dependents: dependents[index] ?? [],
      reserveOf: reserve === null ? null : { step: reserve.step, role: reserve.role },
      reserves: reserves[index] ?? NO_RESERVES,
      reads: stepIds(readings.flatMap((reading) => reading.references)),
    };
    keepTemplates(planned, templates);
    return planned;
  });
  return { order: order.kind, steps, byId: new Map(steps.map((step) => [step.id, step.index])) };
}

const NO_RESERVES: PlanStep["reserves"] = { fallback: null, rejected: null, expired: null };
