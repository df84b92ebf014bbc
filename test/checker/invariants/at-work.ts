import { parseTime } from "@opspawn/contract";
import { type EffectEntry, entriesOf } from "../entries.ts";
import type { Rows } from "../evidence.ts";
import { groupBy, type Invariant } from "../invariant.ts";
import { mostAtOnce } from "../spans.ts";

/** Work under a key, as its agent saw it. Milliseconds. */
interface Span {
  readonly key: string;
  readonly limit: number;
  readonly from: number;
  readonly to: number;
}

const atWork: Invariant = {
  number: "19",
  name: "in the eyes of agents no more tasks of a key are at work than its limit",
  needs: ["effects"],
  *check({ db, effects }) {
    for (const [key, spans] of groupBy(spansOf(effects ?? [], permitsEnd(db)), (span) => span.key)) {
      const most = mostAtOnce(spans);
      const limit = Math.max(...spans.map((span) => span.limit));
      if (most > limit) yield `${most} tasks of key ${key} were at work at once, and ${limit} may`;
    }
  },
};

function spansOf(effects: readonly EffectEntry[], until: ReadonlyMap<string, number>): Span[] {
  const begun = new Map<string, Omit<Span, "to"> & { readonly attempt: string }>();
  const spans: Span[] = [];
  for (const entry of effects) {
    if (entry.type === "begun") {
      const { key: task, attempt, at: from, limits } = entry;
      begun.set(task, { ...limits.concurrency, from, attempt: `${task}/${attempt}` });
    } else if (entry.type === "effect" || entry.type === "stopped") {
      const known = begun.get(entry.key);
      if (known === undefined) continue;
      begun.delete(entry.key);
      spans.push(spanUntil(known, Math.min(entry.at, until.get(known.attempt) ?? entry.at)));
    }
  }
  for (const known of begun.values()) spans.push(spanUntil(known, until.get(known.attempt) ?? known.from));
  return spans;
}

function spanUntil({ key, limit, from }: Omit<Span, "to">, to: number): Span {
  return { key, limit, from, to: Math.max(from, to) };
}

/** By attempt: when its permit is given back at the latest, if nobody says that the work has ended. Milliseconds. */
function permitsEnd(db: Rows): ReadonlyMap<string, number> {
  const rows = db.all<{ id: string; until: number }>(
    `select a.task_id || '/' || a.n as id,
        (coalesce(a.ended_at, a.timeout_at) + max(a.timeout_at - a.created_at, 0)) / 1000.0 as until
      from attempts a join tasks t on t.id = a.task_id where t.limits is not null`,
  );
  return new Map(rows.map(({ id, until }) => [id, until]));
}

const given: Invariant = {
  number: "19",
  name: "agents are given no more tasks of a key within its time than its limit",
  needs: ["effects"],
  *check({ effects }) {
    const attempts = new Map(
      entriesOf(effects ?? [], "delivery").map((each) => [`${each.task}/${each.attempt}`, each]),
    );
    const rated = [...attempts].flatMap(([name, { sentAt, limits }]) =>
      limits?.rate === undefined ? [] : [{ name, at: parseTime(sentAt) ?? 0, ...limits.rate }],
    );
    for (const [key, all] of groupBy(rated, (each) => each.key)) {
      const inOrder = all.toSorted((a, b) => a.at - b.at);
      for (const [i, { name, at, limit, per }] of inOrder.entries()) {
        const before = inOrder[i - limit];
        if (before !== undefined && at - before.at < per) {
          yield `attempt ${name} of key ${key} came ${at - before.at} us after ${before.name}, ${limit} may within ${per}`;
        }
      }
    }
  },
};

/** What is limited keeps to its limits, as those see it who do the work. */
export const AT_WORK: readonly Invariant[] = [atWork, given];
