import type { Effect, SessionInput } from "../../domain/workflows/advance.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import { askApproval, cancelApproval } from "./approvals.ts";
import { cancelChildren, startChild } from "./children.ts";
import { finishSession } from "./session-end.ts";
import type { SessionUnit } from "./session-unit.ts";
import { judgeIteration, openStep } from "./step-opening.ts";
import { cancelStepTasks, createStepTask } from "./step-tasks.ts";
import type { Tx } from "./tx.ts";
import { undo, undoWhenStopped } from "./undoing.ts";
import { beginWait } from "./waits.ts";

/** Carries out one effect; the input that answers it, or follows where it could not be carried out, or null. */
export function applyEffect(tx: Tx, session: SessionUnit, effect: Effect, startAt: number): SessionInput | null {
  const from = Math.max(startAt, tx.now);
  switch (effect.type) {
    case "create_task":
      return createStepTask(tx, session, stepAt(session, effect.step), effect.part, from);
    case "open_step":
      return openStep(tx, session, stepAt(session, effect.step));
    case "start_child":
      return startChild(tx, session, stepAt(session, effect.step), effect.part, from);
    case "ask_approval":
      return askApproval(tx, session, stepAt(session, effect.step), from);
    case "wait":
      return beginWait(tx, session, stepAt(session, effect.step), from);
    case "judge_iteration":
      return judgeIteration(tx, session, stepAt(session, effect.step), effect.part);
    case "cancel_step":
      cancelStep(tx, session, stepAt(session, effect.step), effect.reason);
      return null;
    case "plan_undoing":
      undoWhenStopped(tx, session, startAt);
      return null;
    case "undo":
      return undo(tx, session, effect.n);
    case "finish":
      return finishSession(tx, session, effect.status, effect.error);
  }
}

function cancelStep(tx: Tx, session: SessionUnit, step: PlanStep, reason: string): void {
  switch (step.kind) {
    case "agent":
    case "tool":
      cancelStepTasks(tx, session, step, reason);
      break;
    case "workflow":
      cancelChildren(tx, session.id, step.index, reason);
      break;
    case "approval":
      cancelApproval(tx, session, step.index);
      break;
    case "wait":
      // Its row, written with its end, holds no time and no signal any more.
      break;
  }
}

function stepAt(session: SessionUnit, index: number): PlanStep {
  const step = session.plan.steps[index];
  if (step === undefined) throw new Error(`step ${index} is not in plan ${session.plan.id}`);
  return step;
}
