import type { SessionInput } from "../../domain/workflows/advance.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import { isEnough, stepCondition, stepItems } from "../../domain/workflows/step-values.ts";
import type { SessionUnit } from "./session-unit.ts";
import { stepFailed } from "./step-failure.ts";
import { keepItems } from "./step-items.ts";
import { scopeOf } from "./step-scope.ts";
import type { Tx } from "./tx.ts";

/** Looks at a step's condition and then at its list, each of them once. */
export function openStep(tx: Tx, session: SessionUnit, step: PlanStep): SessionInput {
  try {
    const scope = scopeOf(tx, session);
    if (step.when !== null && !stepCondition(step, scope)) return { type: "step_skipped", step: step.index };
    if (step.forEach === null) return { type: "step_admitted", step: step.index };
    const items = stepItems(step, scope);
    keepItems(tx, session.id, step.index, items);
    return { type: "items_listed", step: step.index, total: items.length };
  } catch (error) {
    return stepFailed(step, null, error);
  }
}

/** Looks at what a run of a loop brought. */
export function judgeIteration(tx: Tx, session: SessionUnit, step: PlanStep, part: number): SessionInput {
  try {
    const enough = isEnough(step, scopeOf(tx, session, { step, part }));
    return { type: "iteration_judged", step: step.index, part, enough };
  } catch (error) {
    return stepFailed(step, part, error);
  }
}
