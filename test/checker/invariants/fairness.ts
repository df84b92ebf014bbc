import { type JsonObject, parseDuration } from "@opspawn/contract";
import { readLimits } from "../../../packages/ops-core/src/domain/tasks/limits.ts";
import { definedTasks } from "../definitions.ts";
import type { Evidence } from "../evidence.ts";
import type { Fact } from "../history.ts";
import { groupBy, type Invariant } from "../invariant.ts";

interface Claimed {
  readonly id: string;
  readonly lane: string;
  readonly limits: string | null;
  readonly key: number;
  /** Where the log tells of it, and of its first attempt: clocks may be set back. */
  readonly createdAt: number;
  readonly claimedAt: number;
  /** Microseconds: what one transition claims, it claims at one time, and the log has it by stream. */
  readonly time: number;
  /** Microseconds: a round of a loop is there to be taken once its delay is over. */
  readonly readyAt: number;
}

const keyOrder: Invariant = {
  number: "20",
  name: "in a lane, no task is claimed before one of the same limits that stands before it and could be claimed",
  needs: [],
  *check(evidence) {
    for (const tasks of groupBy(claimedOf(evidence), ({ lane, limits }) => `${limits} ${lane}`).values()) {
      // Those that came with a smaller key and were still there when another was claimed.
      const byClaim = tasks.toSorted((a, b) => a.claimedAt - b.claimedAt);
      for (const [i, task] of byClaim.entries()) {
        const passed = byClaim.slice(i + 1).find((other) => isPassed(other, task));
        if (passed !== undefined) yield `task ${task.id} was claimed before ${passed.id}, which stood before it`;
      }
    }
  },
};

function isPassed(other: Claimed, task: Claimed): boolean {
  const isLater = other.claimedAt > task.claimedAt && other.time !== task.time;
  const wasThere = other.createdAt < task.claimedAt && other.readyAt <= task.time;
  return isLater && other.key < task.key && wasThere;
}

const permitOrder: Invariant = {
  number: "21",
  name: "no task is claimed as it is made while one of its key that could begin as well stands before it",
  needs: [],
  *check(evidence) {
    const { rows } = evidence.history;
    const rowOf = (position: number) => rows.findLast((row) => row.position <= position);
    const limited = claimedOf(evidence).flatMap((task) => {
      const { concurrency, rate } = readLimits(task.limits ?? "{}");
      return concurrency === null ? [] : [{ task, concurrency, hasRate: rate !== null }];
    });
    for (const all of groupBy(limited, ({ concurrency }) => concurrency.key).values()) {
      for (const { task, concurrency } of all) {
        // What a dispatcher claims, it claims later, whoever of those that wait for the key has an agent.
        if (rowOf(task.createdAt) !== rowOf(task.claimedAt)) continue;
        const could = all.filter((other) => !other.hasRate && other.concurrency.limit >= concurrency.limit);
        const passed = could.find((other) => isPassed(other.task, task))?.task;
        if (passed !== undefined)
          yield `task ${task.id} was made and took a permit before ${passed.id}, which waited for it`;
      }
    }
  },
};

/** Tasks as they were when they were claimed for the first time; a fallback has another lane. */
function claimedOf({ db, history }: Evidence): Claimed[] {
  const created = new Map<string, { readonly createdAt: number; readonly at: number }>();
  const claimed = new Map<string, { readonly claimedAt: number; readonly time: number }>();
  for (const facts of history.streams.values()) {
    for (const fact of facts) {
      const { type, data, position, at } = fact;
      if (type === "attempt.created" && data.number === 1) {
        claimed.set(String(data.taskId), { claimedAt: position, time: at });
      }
      for (const id of comingBy(fact, facts)) {
        // A delay counts from when it was made.
        if (!claimed.has(id)) created.set(id, { createdAt: position, at: created.get(id)?.at ?? at });
      }
    }
  }
  const rows = db.all<TaskRow>(
    // A probe goes to its agent past all that waits: until it has succeeded nothing else may.
    `select id, lane, limits, order_key as key, session_id, step, part, undoes from tasks
      where fell_back = 0 and json_extract(policy, '$.probe') is null`,
  );
  const defined = definedTasks(db);
  return rows.flatMap((row) => {
    const [made, first] = [created.get(row.id), claimed.get(row.id)];
    if (made === undefined || first === undefined) return [];
    const readyAt = made.at + delayOf(row, defined.get(row.session_id ?? "")?.[row.step ?? -1]);
    return [{ ...row, createdAt: made.createdAt, ...first, readyAt }];
  });
}

/** The tasks that come to wait by an event: a new one, or what was held while its session was paused. */
function comingBy({ type, data, position }: Fact, facts: readonly Fact[]): readonly string[] {
  if (type === "task.created") return [String(data.taskId)];
  if (type !== "session.resumed" || data.by === undefined) return [];
  const before = facts.filter((fact) => fact.type === "task.created" && fact.position < position);
  return before.map((fact) => String(fact.data.taskId));
}

interface TaskRow {
  readonly id: string;
  readonly lane: string;
  readonly limits: string | null;
  readonly key: number;
  readonly session_id: string | null;
  readonly step: number | null;
  readonly part: number;
  readonly undoes: number;
}

/** Microseconds that a round of a loop waits before it may be claimed. */
function delayOf({ part, undoes }: TaskRow, written: JsonObject | undefined): number {
  const delay = (written?.repeat as JsonObject | undefined)?.delay;
  if (delay === undefined || part === 0 || undoes === 1) return 0;
  return parseDuration(String(delay)) ?? 0;
}

/** Who waits, waits behind those who came before. */
export const FAIRNESS: readonly Invariant[] = [keyOrder, permitOrder];
