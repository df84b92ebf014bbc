import type { TaskError } from "../../domain/tasks/task.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import { advanceSession } from "./session-advance.ts";
import { SessionUnit } from "./session-unit.ts";
import { keepsRow } from "./step-row.ts";
import type { TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { undoingEnded } from "./undoing.ts";

/** The step of a task whose end is just being written. */
const RUNNING = { status: "running", remaining: 0 } as const;

/** Tells the session of a task how that ended. */
export function tellSession(tx: Tx, task: TaskRow, error: TaskError | null): void {
  const session = task.session_id === null ? undefined : SessionUnit.load(tx, task.session_id);
  const step = session?.plan.steps[task.step ?? -1];
  if (session === undefined || step === undefined) return;
  if (task.undoes === 1) {
    const undone = undoingEnded(tx, session, step.index, task.part, error);
    if (undone !== null) advanceSession(tx, session, undone);
    return;
  }
  if (!keepsRow(step)) {
    session.know(step.index, RUNNING);
    if (error === null) session.knowTask(step.index, task);
  }
  advanceSession(tx, session, inputOf(step.index, task.part, error));
}

function inputOf(step: number, part: number, error: TaskError | null): SessionInput {
  return error === null ? { type: "step_completed", step, part } : { type: "step_failed", step, part, error };
}
