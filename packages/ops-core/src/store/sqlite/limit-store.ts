import type { LimitRecord, LimitStore } from "../../domain/limits/limit.ts";
import { readLimits } from "../../domain/tasks/limits.ts";
import { decodeCursor, toPage } from "./paging.ts";
import { nextUse } from "./permits.ts";
import type { SqliteContext } from "./store.ts";
import type { Tx } from "./tx.ts";

/** A limit by which a key is counted now. */
type Known = Pick<LimitRecord, "kind" | "key" | "limit" | "per" | "waiting">;

export function limitStore({ read }: SqliteContext): LimitStore {
  return {
    list: async (page, filter) =>
      read((tx) => {
        const after = page.cursor === undefined ? "" : String(decodeCursor(page.cursor, 1)[0]);
        const known = [...inUse(tx)].filter(([id, { key }]) => id > after && (filter.key ?? key) === key);
        const rows = known.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, page.limit + 1);
        return toPage(
          rows,
          page,
          ([, limit]) => counted(tx, limit),
          ([id]) => [id],
        );
      }),
  };
}

const WAITING = `select limits, count(*) as waiting from tasks where status = 'pending' and held = 0
  and limits is not null group by limits`;

/** Finds each key by the one before it, however often it was used. */
const RATE_KEYS = `with recursive keys(key) as (select min(key) from rate_uses
    union all select (select min(key) from rate_uses where key > keys.key) from keys where keys.key is not null)
  select key from keys where key is not null`;

/** What somebody waits for, holds, or has used within its time; by an id that sorts. */
function inUse(tx: Tx): Map<string, Known> {
  const found = new Map<string, Known>();
  const add = (known: Known) => {
    const id = JSON.stringify([known.kind, known.key, known.limit, known.per]);
    found.set(id, { ...known, waiting: known.waiting + (found.get(id)?.waiting ?? 0) });
  };
  for (const { limits, waiting } of tx.all<{ limits: string; waiting: number }>(WAITING)) {
    const { concurrency, rate } = readLimits(limits);
    if (concurrency !== null) add({ kind: "concurrency", ...concurrency, per: null, waiting });
    if (rate !== null) add({ kind: "rateLimit", ...rate, waiting });
  }
  for (const held of tx.all<{ key: string; limit: number }>('select distinct key, allowed as "limit" from permits')) {
    add({ kind: "concurrency", key: held.key, limit: held.limit, per: null, waiting: 0 });
  }
  for (const { key } of tx.all<{ key: string }>(RATE_KEYS)) {
    const last = tx.get<{ limit: number; per: number; at: number }>(
      'select allowed as "limit", per, at from rate_uses where key = ? order by n desc limit 1',
      key,
    );
    if (last === undefined || last.at <= tx.now - last.per) continue;
    add({ kind: "rateLimit", key, limit: last.limit, per: last.per, waiting: 0 });
  }
  return found;
}

function counted(tx: Tx, known: Known): LimitRecord {
  const { kind, key, limit, per } = known;
  if (kind === "concurrency" || per === null) {
    return { ...known, held: tx.context.limits.held(key), draining: draining(tx, key), nextPermitAt: null };
  }
  const used = tx.get<{ used: number }>(
    "select count(*) as used from rate_uses where key = ? and n > ? and at > ?",
    key,
    tx.context.limits.lastUse(key) - limit,
    tx.now - per,
  );
  const nextAt = nextUse(tx, tx.context.limits, { key, limit, per });
  return { ...known, held: used?.used ?? 0, draining: 0, nextPermitAt: nextAt > tx.now ? nextAt : null };
}

function draining(tx: Tx, key: string): number {
  const sql = `select count(*) as draining from permits p join draining_slots d on d.task_id = p.task_id
    and d.n = p.attempt where p.key = ?`;
  return tx.get<{ draining: number }>(sql, key)?.draining ?? 0;
}
