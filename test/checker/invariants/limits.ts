import { readLimits, type TaskLimits } from "../../../packages/ops-core/src/domain/tasks/limits.ts";
import type { Evidence } from "../evidence.ts";
import { groupBy, type Invariant } from "../invariant.ts";

/** An attempt at a task that is limited, as the log tells of it. Times are microseconds. */
interface Begun {
  readonly name: string;
  readonly limits: TaskLimits;
  readonly from: number;
  /** Infinite while it runs. */
  until: number;
}

const ENDS = new Set(["succeeded", "failed", "timed_out", "lost", "cancelled"].map((status) => `attempt.${status}`));

function begunOf({ db, history }: Evidence): Begun[] {
  const rows = db.all<{ id: string; limits: string }>("select id, limits from tasks where limits is not null");
  const limits = new Map(rows.map((row) => [row.id, readLimits(row.limits)]));
  const begun = new Map<string, Begun>();
  for (const { type, data, at } of [...history.streams.values()].flat()) {
    const name = `${data.taskId}/${data.number}`;
    const known = limits.get(String(data.taskId));
    if (type === "attempt.created" && known !== undefined) {
      begun.set(name, { name, limits: known, from: at, until: Number.POSITIVE_INFINITY });
    }
    const ended = ENDS.has(type) ? begun.get(name) : undefined;
    if (ended !== undefined) ended.until = at;
  }
  return [...begun.values()];
}

/** Attempts under a limit of one kind, by key; those of one moment in the order in which all of them may have begun. */
function byKey(evidence: Evidence, kind: keyof TaskLimits): Begun[][] {
  const limited = begunOf(evidence).filter(({ limits }) => limits[kind] !== null);
  const groups = groupBy(limited, ({ limits }) => limits[kind]?.key ?? "");
  const limitOf = ({ limits }: Begun) => limits[kind]?.limit ?? 0;
  return [...groups.values()].map((all) => all.toSorted((a, b) => a.from - b.from || limitOf(a) - limitOf(b)));
}

/** What drains is not in the log; whoever looks on while a server runs judges that. */
const concurrency: Invariant = {
  number: "19",
  name: "no task of a key begins while as many as its limit run",
  needs: [],
  *check(evidence) {
    for (const all of byKey(evidence, "concurrency")) {
      for (const [i, { name, limits, from }] of all.entries()) {
        const running = all.slice(0, i).filter(({ until }) => until > from).length;
        const { key = "", limit = 0 } = limits.concurrency ?? {};
        if (running >= limit) yield `attempt ${name} began while ${running} of key ${key} ran, and ${limit} may`;
      }
    }
  },
};

const rate: Invariant = {
  number: "19",
  name: "no more tasks of a key begin within its time than its limit",
  needs: [],
  *check(evidence) {
    for (const all of byKey(evidence, "rate")) {
      for (const moment of groupBy(all, ({ from }) => from).values()) yield* crowded(moment, all);
    }
  },
};

/** Those that begin at one moment may do so in any order in which each finds room: the one with the least room first. */
function* crowded(moment: readonly Begun[], all: readonly Begun[]): Iterable<string> {
  const before = ({ from, limits: { rate: own } }: Begun): number =>
    all.filter((other) => other.from < from && other.from > from - (own?.per ?? 0)).length;
  const roomOf = (begun: Begun): number => (begun.limits.rate?.limit ?? 0) - before(begun);
  for (const [i, begun] of moment.toSorted((a, b) => roomOf(a) - roomOf(b)).entries()) {
    const { key = "", limit = 0, per = 0 } = begun.limits.rate ?? {};
    const count = before(begun) + i + 1;
    if (count > limit)
      yield `attempt ${begun.name} was number ${count} of key ${key} within ${per} us, and ${limit} may`;
  }
}

/** What is limited keeps to its limits. */
export const LIMITS: readonly Invariant[] = [concurrency, rate];
