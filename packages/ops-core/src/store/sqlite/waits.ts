import { formatTime } from "@opspawn/contract";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import type { PlanStep, Wait } from "../../domain/workflows/plan.ts";
import { waitUntil } from "../../domain/workflows/step-values.ts";
import type { SessionUnit } from "./session-unit.ts";
import { stepFailed } from "./step-failure.ts";
import { scopeOf } from "./step-scope.ts";
import type { Tx } from "./tx.ts";

/** @param from the moment from which a duration counts */
export function beginWait(tx: Tx, session: SessionUnit, step: PlanStep, from: number): SessionInput | null {
  const wait = waitOf(step);
  switch (wait.kind) {
    case "for":
      return waitForTime(tx, session, step, from + wait.duration);
    case "until":
      try {
        return waitForTime(tx, session, step, waitUntil(step, scopeOf(tx, session)));
      } catch (error) {
        return stepFailed(step, null, error);
      }
    case "signal":
      return waitForSignal(tx, session, step, wait, from);
  }
}

export function waitOf(step: PlanStep): Wait {
  if (step.wait === null) throw new Error(`step ${step.id} does not wait`);
  return step.wait;
}

function waitForTime(tx: Tx, session: SessionUnit, step: PlanStep, at: number): SessionInput | null {
  if (at <= tx.now) return { type: "step_completed", step: step.index, part: 0 };
  noteWait(tx, session, step, at, null);
  session.event("step.timer_set", { stepId: step.id, until: formatTime(at) });
  return null;
}

/** What came before anybody waited is taken first. */
function waitForSignal(
  tx: Tx,
  session: SessionUnit,
  step: PlanStep,
  { signal, timeout }: Extract<Wait, { kind: "signal" }>,
  from: number,
): SessionInput | null {
  const early = tx.get<{ n: number; payload: string }>(
    "select n, payload from signals where session_id = ? and name = ? order by n limit 1",
    session.id,
    signal,
  );
  if (early === undefined) {
    noteWait(tx, session, step, timeout === null ? null : from + timeout, signal);
    return null;
  }
  tx.run("delete from signals where session_id = ? and name = ? and n = ?", session.id, signal, early.n);
  session.giveResult(step.index, early.payload);
  return { type: "step_completed", step: step.index, part: 0 };
}

function noteWait(tx: Tx, session: SessionUnit, step: PlanStep, wakeAt: number | null, signal: string | null): void {
  tx.run(
    "update session_steps set wake_at = ?, signal = ? where session_id = ? and step = ? and status = 'waiting'",
    wakeAt,
    signal,
    session.id,
    step.index,
  );
}
