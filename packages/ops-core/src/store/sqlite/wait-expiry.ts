import { advanceSession } from "./session-advance.ts";
import { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";
import { waitOf } from "./waits.ts";

/** The time of a step has come, or nobody signalled in time. */
export function expireWait(tx: Tx, sessionId: string, index: number): void {
  const due = tx.get(
    "select 1 from session_steps where session_id = ? and step = ? and status = 'waiting' and wake_at <= ?",
    sessionId,
    index,
    tx.now,
  );
  const session = due === undefined ? undefined : SessionUnit.load(tx, sessionId);
  const step = session?.plan.steps[index];
  if (session === undefined || step === undefined) return;
  const wait = waitOf(step);
  if (wait.kind !== "signal") {
    advanceSession(tx, session, { type: "step_completed", step: index, part: 0 });
    return;
  }
  const message = `Signal \`${wait.signal}\` did not come in time.`;
  const error = { code: "expired", message, retryable: false };
  advanceSession(tx, session, { type: "step_refused", step: index, role: "expired", error });
}
