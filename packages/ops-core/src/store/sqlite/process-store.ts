import { DAY, SECOND } from "../../domain/clock.ts";
import type { ProcessStore } from "../../domain/store.ts";
import { RATE_PER_MAX } from "../../domain/workflows/limits.ts";
import { markJudged } from "./gap.ts";
import { pruneFires } from "./schedules.ts";
import type { SqliteContext } from "./store.ts";
import type { Tx } from "./tx.ts";

const INSTANCE_LEASE = 10 * SECOND;
const REPORTS_KEPT = 1000;

export function processStore({ writer, tx: context }: SqliteContext): ProcessStore {
  return {
    get epoch() {
      return context.epoch;
    },
    beat: () =>
      writer.submit("outcome", (tx) => {
        tx.run("update instances set lease_until = ? where epoch = ?", tx.now + INSTANCE_LEASE, tx.context.epoch);
        markJudged(tx);
      }),
    resign: () =>
      writer.submit("normal", (tx) => {
        tx.run("update instances set lease_until = ?, ended_at = ? where epoch = ?", tx.now, tx.now, tx.context.epoch);
      }),
    prune: (max) => writer.submit("expiry", (tx) => prune(tx, max)),
  };
}

/** What nobody can ask for any more: answers kept for 24 h, replay memory, reports beyond the newest thousand. */
function prune(tx: Tx, max: number): number {
  const answers = tx.run(
    `delete from idempotency where created_at < ? and rowid in
      (select rowid from idempotency order by rowid limit ?)`,
    tx.now - DAY,
    max,
  );
  const replays = tx.run("delete from replays where until < ?", tx.now);
  const reports = tx.run(
    `delete from agent_reports where (agent_id, sequence) in (select r.agent_id, r.sequence from agent_reports r
      join agents a on a.id = r.agent_id where r.sequence <= a.reports - ? limit ?)`,
    REPORTS_KEPT,
    max,
  );
  return answers + replays + reports + pruneFires(tx, max) + pruneUses(tx, max);
}

/** What no limit looks back to any more. */
function pruneUses(tx: Tx, max: number): number {
  const old = "select key, n from rate_uses where at <= ? order by at limit ?";
  const pruned = tx.run(`delete from rate_uses where (key, n) in (${old})`, tx.now - RATE_PER_MAX, max);
  if (pruned > 0) tx.context.limits.forgetUses();
  return pruned;
}
