import type { Blocked } from "../../domain/blocked.ts";
import { type LimitBlock, type LimitHold, limitReason } from "../../domain/tasks/limit-block.ts";
import { writeReason } from "./lanes.ts";
import type { Line } from "./limit-index.ts";
import type { Tx } from "./tx.ts";

/** Writes why a line waits, on change only. */
export function noteLimit(tx: Tx, line: Line, block: LimitBlock): void {
  writeReason(tx, line.text, explainLimit(tx, block));
  tx.context.limits.note(line);
}

/** The limits of a line hold nobody back any more. Whoever asks for work and was told that there is none may ask again. */
export function clearLimit(tx: Tx, line: Line): void {
  const { limits } = tx.context;
  if (!limits.isNoted(line)) return;
  tx.run("delete from lanes where lane = ?", line.text);
  limits.unnote(line);
  for (const { lane, text } of limits.linesOf(line.limits)) if (text === line.text) tx.hints.lanes.add(lane);
}

/** Who holds a key, and until when. */
export function explainLimit(tx: Tx, block: LimitBlock): Omit<Blocked, "since"> {
  return limitReason(block, block.reason === "concurrency_limit" ? holders(tx, block.key) : users(tx, block.key));
}

/** Tasks that a reason names. */
const NAMED = 5;

interface HoldRow {
  readonly taskId: string;
  readonly since: number;
  readonly until: number | null;
}

function holders(tx: Tx, key: string): LimitHold[] {
  const sql = `select p.task_id as taskId, p.since, d.until from permits p
    left join draining_slots d on d.task_id = p.task_id and d.n = p.attempt
    where p.key = ? order by p.since, p.n limit ?`;
  return tx.all<HoldRow>(sql, key, NAMED).map((row) => ({ ...row }));
}

function users(tx: Tx, key: string): LimitHold[] {
  const sql =
    "select used_by as taskId, at as since, null as until from rate_uses where key = ? order by n desc limit ?";
  return tx
    .all<HoldRow>(sql, key, NAMED)
    .map((row) => ({ ...row }))
    .reverse();
}
