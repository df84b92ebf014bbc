import { needSchedule, wakeOf } from "./schedule-row.ts";
import type { Tx } from "./tx.ts";

/**
 * A session has ended: if a schedule started it, what waits for that is due now. It is started by a transition of its
 * own, which finds it by `wake_at`, however often the process dies in between.
 */
export function noteSessionEnd(tx: Tx, sessionId: string): void {
  if (!tx.context.hasOpenFires) return;
  const fire = tx.get<{ schedule_id: string; sequence: number }>(
    "select schedule_id, sequence from schedule_fires where session_id = ? and open = 1",
    sessionId,
  );
  if (fire === undefined) return;
  tx.run("update schedule_fires set open = 0 where schedule_id = ? and sequence = ?", fire.schedule_id, fire.sequence);
  const row = needSchedule(tx, fire.schedule_id);
  tx.run("update schedules set wake_at = ? where id = ?", wakeOf(tx, row, tx.now), row.id);
}
