import { stringifyJson } from "@opspawn/contract";
import type { TaskLimits } from "../../domain/tasks/limits.ts";
import { DEFAULT_TASK_DEADLINE } from "../../domain/tasks/retry.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import { stepParameters } from "../../domain/workflows/data.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import { taskLimits } from "../../domain/workflows/step-values.ts";
import { addTask } from "./add-task.ts";
import { cancelTask } from "./ending.ts";
import { policyOf, requirementOf } from "./plan-cache.ts";
import type { SessionUnit } from "./session-unit.ts";
import { stepFailed } from "./step-failure.ts";
import { scopeOf } from "./step-scope.ts";
import { newTaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** @param from the earliest moment at which the task may be given out */
export function createStepTask(
  tx: Tx,
  session: SessionUnit,
  step: PlanStep,
  part: number,
  from: number,
): SessionInput | null {
  let parameters: string;
  let limits: TaskLimits | null;
  try {
    parameters =
      givenParameters(tx, session, step) ??
      stringifyJson(stepParameters(session.plan, step, scopeOf(tx, session, { step, part })));
    limits = step.limits === null ? null : taskLimits(step, scopeOf(tx, session, { step, part }));
  } catch (error) {
    return stepFailed(step, part, error);
  }
  const pathAgent = session.row.agent_id;
  const readyAt = from + (part === 0 ? 0 : (step.repeat?.delay ?? 0));
  const row = newTaskRow(
    {
      id: `task_${tx.context.ids.uuid()}`,
      name: step.name,
      sessionId: session.id,
      step: step.index,
      stepId: step.id,
      part,
      requirement: requirementOf(step, pathAgent, step.id),
      orderKey: session.nextOrderKey(readyAt, step.priority),
      readyAt,
      deadline: readyAt + (step.deadline ?? DEFAULT_TASK_DEADLINE),
      policy: policyOf(step, pathAgent),
      limits,
      parameters,
    },
    tx.now,
  );
  addTask(tx, row);
  return null;
}

/** What whoever forked the session wants the step to get. */
function givenParameters(tx: Tx, { id, row }: SessionUnit, step: PlanStep): string | null {
  if (row.forked_from === null) return null;
  const sql = "select parameters from fork_parameters where session_id = ? and step = ?";
  return tx.get<{ parameters: string }>(sql, id, step.index)?.parameters ?? null;
}

/** Cancels the tasks that a step has under way. */
export function cancelStepTasks(tx: Tx, sessionId: string, step: number, reason: string): void {
  const open = tx.all<{ id: string }>(
    "select id from tasks where session_id = ? and step = ? and undoes = 0 and status in ('pending', 'running')",
    sessionId,
    step,
  );
  for (const { id } of open) cancelTask(tx, id, reason);
}
