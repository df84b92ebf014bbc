import { SECOND } from "../../domain/clock.ts";
import type { Tx } from "./tx.ts";

/** Longer without judging is a gap: a stalled loop, a paused machine, downtime. */
const MAX_SILENCE = 3 * SECOND;
/** What was due in a gap gets this much time after it. */
const GAP_GRACE = 10 * SECOND;
/** A crash loop must still expire someone. */
const MAX_MOVES = 2;

const JUDGED_AT = "select value from meta where key = 'judged_at'";

/** Whether what is due now fell due while nobody judged. */
export function isDeaf(db: Pick<Tx, "get">, now: number): boolean {
  const row = db.get<{ value: string }>(JUDGED_AT);
  return row !== undefined && now - Number(row.value) > MAX_SILENCE;
}

/**
 * Marks that due things are being judged. After a gap, attempts that should have ended in it go on for the gap and 10 s
 * more, and leases that were alive before it have 10 s to be renewed; each at most twice.
 */
export function markJudged(tx: Tx): void {
  const row = tx.get<{ value: string }>(JUDGED_AT);
  tx.run(
    "insert into meta (key, value) values ('judged_at', ?) on conflict (key) do update set value = excluded.value",
    String(tx.now),
  );
  const judgedAt = row === undefined ? tx.now : Number(row.value);
  const gap = tx.now - judgedAt;
  if (gap <= MAX_SILENCE) return;
  // The timeout is never before the wake-up, so the index on the latter finds all that are due.
  tx.run(
    `update tasks set timeout_at = timeout_at + ?, moved = moved + 1,
      wake_at = case wake_for when 'timeout' then wake_at + ? else wake_at end
      where wake_at <= ? and timeout_at > ? and timeout_at <= ? and moved < ? and status = 'running'`,
    gap + GAP_GRACE,
    gap + GAP_GRACE,
    tx.now,
    judgedAt,
    tx.now,
    MAX_MOVES,
  );
  // Whoever wanted to say that it stopped found nobody to say it to.
  tx.run(
    `update cancellations set wake_at = wake_at + ?, moved = moved + 1
      where wake_at > ? and wake_at <= ? and moved < ?`,
    gap + GAP_GRACE,
    judgedAt,
    tx.now,
    MAX_MOVES,
  );
  moveWatches(tx, judgedAt, gap);
  tx.run(
    `update agents set lease_until = ?, lease_moved = lease_moved + 1
      where lease_until > ? and lease_until < ? and lease_moved < ?`,
    tx.now + GAP_GRACE,
    judgedAt,
    tx.now + GAP_GRACE,
    MAX_MOVES,
  );
  tx.context.forget();
}

/** Silence that nobody could have heard broken: a watch whose next moment fell into the gap goes on behind it. */
function moveWatches(tx: Tx, judgedAt: number, gap: number): void {
  const due = tx.all<{ id: string; n: number }>(
    "select id, attempts as n from tasks where wake_at <= ? and wake_at > ? and wake_for = 'silence'",
    tx.now,
    judgedAt,
  );
  for (const { id, n } of due) {
    const moved = tx.run(
      "update attempt_progress set watched_from = watched_from + ?, moved = moved + 1 where task_id = ? and n = ? and moved < ?",
      gap + GAP_GRACE,
      id,
      n,
      MAX_MOVES,
    );
    if (moved !== 1) continue;
    tx.run(
      "update tasks set wake_at = min(wake_at + ?, timeout_at) where id = ? and wake_for = 'silence'",
      gap + GAP_GRACE,
      id,
    );
  }
}
