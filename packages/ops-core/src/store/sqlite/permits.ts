import type { LimitBlock } from "../../domain/tasks/limit-block.ts";
import { type RateLimit, readLimits, type TaskLimits } from "../../domain/tasks/limits.ts";
import type { LimitIndex } from "./limit-index.ts";
import { attemptId, type TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** Why a task of these limits may not begin now, or null. A key is counted against the task's own limit. */
export function limitBlock(tx: Tx, { concurrency, rate }: TaskLimits): LimitBlock | null {
  if (concurrency !== null) {
    const held = tx.context.limits.held(concurrency.key);
    if (held >= concurrency.limit) return { reason: "concurrency_limit", ...concurrency, held };
  }
  const nextAt = rate === null ? 0 : nextUse(tx, tx.context.limits, rate);
  return rate === null || nextAt <= tx.now ? null : { reason: "rate_limit", ...rate, nextAt };
}

interface Reader {
  get<T>(sql: string, ...values: (string | number)[]): T | undefined;
}

/** When the next task of a key may begin; it may be past. */
export function nextUse(db: Reader, limits: LimitIndex, { key, limit, per }: RateLimit): number {
  const last = limits.lastUse(key);
  const sql = "select at from rate_uses where key = ? and n = ?";
  const use = last < limit ? undefined : db.get<{ at: number }>(sql, key, last + 1 - limit);
  return use === undefined ? 0 : use.at + per;
}

/** What an attempt takes that begins now: a permit, which it holds until its slot is free, and one use. */
export function takePermit(tx: Tx, task: TaskRow, attempt: number): void {
  if (task.limits === null) return;
  const { limits } = tx.context;
  const { concurrency, rate } = readLimits(task.limits);
  if (concurrency !== null) {
    const { key, limit } = concurrency;
    const n = limits.free(key);
    const sql = "insert into permits (key, n, task_id, attempt, since, allowed) values (?, ?, ?, ?, ?, ?)";
    tx.run(sql, key, n, task.id, attempt, tx.now, limit);
    limits.take(attemptId(task.id, attempt), { key, n });
  }
  if (rate === null) return;
  const n = limits.lastUse(rate.key) + 1;
  const sql = "insert into rate_uses (key, n, at, used_by, allowed, per) values (?, ?, ?, ?, ?, ?)";
  tx.run(sql, rate.key, n, tx.now, task.id, rate.limit, rate.per);
  limits.used(rate.key, n);
}

/** The slot of an attempt is free, and with it its permit; repeating it changes nothing. */
export function releasePermit(tx: Tx, { task_id, n }: { readonly task_id: string; readonly n: number }): void {
  const { limits } = tx.context;
  if (!limits.anyHeld) return;
  const key = limits.release(attemptId(task_id, n));
  if (key === undefined) return;
  tx.run("delete from permits where task_id = ? and attempt = ?", task_id, n);
  for (const line of limits.linesOf({ concurrency: { key, limit: 0 }, rate: null })) tx.hints.lanes.add(line.lane);
}

/** Draining slots that are about to be freed, whose attempts may hold permits. @param rest of the query on `draining_slots` */
export function releasePermitsOf(tx: Tx, rest: string, ...values: (string | number)[]): void {
  if (!tx.context.limits.anyHeld) return;
  const slots = tx.all<{ task_id: string; n: number }>(`select task_id, n from draining_slots ${rest}`, ...values);
  for (const slot of slots) releasePermit(tx, slot);
}
