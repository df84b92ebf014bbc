import { isDeepStrictEqual } from "node:util";
import { type EffectEntry, entriesOf } from "../entries.ts";
import type { Rows } from "../evidence.ts";
import { groupBy, type Invariant } from "../invariant.ts";
import { mostAtOnce } from "../spans.ts";

interface AttemptRow {
  readonly task_id: string;
  readonly n: number;
  readonly token: string;
  readonly status: string;
}

interface TaskRow {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly result: string | null;
}

function attemptsByTask(db: Rows): Map<string, AttemptRow[]> {
  const rows = db.all<AttemptRow>("select task_id, n, token, status from attempts order by task_id, n");
  return groupBy(rows, ({ task_id }) => task_id);
}

/** Completed tasks, but for those of which somebody else said that they were done. */
const BY_AGENTS = `select * from tasks where status = 'completed'
  and id not in (select task_id from doubts where answer = 'happened')`;

/** Tasks whose outcome was inferred from an agent's states: marked as such, since no agent said that it has done this. */
function inferredIn(db: Rows): ReadonlySet<string> {
  return new Set(db.texts("select task_id from attempts where evidence = 'inferred'"));
}

const lastClaimDecides: Invariant = {
  number: "6",
  name: "a completed task was completed by its last attempt, and by no other",
  needs: [],
  *check({ db }) {
    const attempts = attemptsByTask(db);
    for (const { id, attempts: last } of db.all<TaskRow>(BY_AGENTS)) {
      const succeeded = (attempts.get(id) ?? []).filter(({ status }) => status === "succeeded").map(({ n }) => n);
      if (!isDeepStrictEqual(succeeded, [last])) {
        yield `task ${id} was claimed ${last} times and completed by attempts ${succeeded.join(", ") || "none"}`;
      }
    }
  },
};

const acceptedTokenCounts: Invariant = {
  number: "6",
  name: "an outcome that was accepted came under the token of the attempt it ended",
  needs: ["effects"],
  *check({ db, effects }) {
    const rows = new Map([...attemptsByTask(db).values()].flat().map((row) => [row.token, row]));
    for (const { task, attempt, token, status, agent, outcome } of entriesOf(effects ?? [], "reported")) {
      if (status !== 200) continue;
      const right = outcome === "failed" ? "failed" : "succeeded";
      const ended = rows.get(token);
      if (ended === undefined) yield `a result of ${agent} for ${task} was accepted under a token that does not exist`;
      else if (ended.status !== right) {
        yield `a result of ${agent} was accepted under the token of attempt ${attempt} of ${task}, which is ${ended.status}`;
      }
    }
  },
};

const resultIsTheEffect: Invariant = {
  number: "6",
  name: "the result of a task is what its agent made of it",
  needs: ["effects"],
  *check({ db, effects }) {
    const made = new Map(entriesOf(effects ?? [], "effect").map(({ key, result }) => [key, result]));
    const inferred = inferredIn(db);
    for (const { id, result } of db.all<TaskRow>(BY_AGENTS)) {
      const effect = inferred.has(id) ? undefined : made.get(id);
      if (effect !== undefined && !isDeepStrictEqual(JSON.parse(result ?? "null"), effect)) {
        yield `task ${id} has the result ${result}, its agent made ${JSON.stringify(effect)}`;
      }
    }
  },
};

const tokensIncrease: Invariant = {
  number: "7",
  name: "tokens of a task increase by one, and attempts stay within their bound",
  needs: [],
  *check({ db }) {
    const attempts = attemptsByTask(db);
    for (const { id, attempts: last } of db.all<TaskRow>("select * from tasks")) {
      const rows = attempts.get(id) ?? [];
      const numbers = rows.map(({ n }) => n);
      const isComplete = rows.length === last && numbers.every((n, i) => n === i + 1);
      if (!isComplete) yield `task ${id} was claimed ${last} times and has attempts ${numbers.join(", ") || "none"}`;
      for (const { n, token } of rows) {
        if (!token.startsWith(`${n}.`)) yield `attempt ${n} of ${id} has the token of another`;
      }
    }
    yield* db.texts("select 'task ' || id || ' used ' || used || ' attempts of ' || max from tasks where used > max");
  },
};

const deliveriesGoForward: Invariant = {
  number: "7",
  name: "no agent is sent an older attempt after a newer one",
  needs: ["effects"],
  *check({ effects }) {
    for (const [task, deliveries] of groupBy(entriesOf(effects ?? [], "delivery"), (entry) => entry.task)) {
      let newest = 0;
      // Messages that are under way at the same time may overtake each other.
      for (const { attempt } of inOrderOfSending(deliveries.filter(({ doubled }) => doubled !== true))) {
        if (attempt < newest) yield `attempt ${attempt} of ${task} was sent after attempt ${newest}`;
        newest = Math.max(newest, attempt);
      }
    }
  },
};

function inOrderOfSending<T extends { readonly sent?: number }>(deliveries: readonly T[]): T[] {
  return deliveries.toSorted((a, b) => (a.sent ?? 0) - (b.sent ?? 0));
}

const oneEffect: Invariant = {
  number: "9",
  name: "an agent that remembers its keys has one effect per completed task",
  needs: ["effects"],
  *check({ db, effects }) {
    const status = new Map(db.all<TaskRow>("select id, status from tasks").map((row) => [row.id, row.status]));
    const made = groupBy(entriesOf(effects ?? [], "effect"), ({ key }) => key);
    for (const [key, all] of made) {
      if (all.length > 1) yield `${key} had ${all.length} effects`;
      if (!status.has(key)) yield `an effect came of ${key}, which is no task`;
    }
    const inferred = new Set([...inferredIn(db), ...db.texts("select task_id from doubts where answer = 'happened'")]);
    for (const [id, is] of status)
      if (is === "completed" && !made.has(id) && !inferred.has(id)) yield `task ${id} is completed without an effect`;
  },
};

const deliveryIdentity: Invariant = {
  number: "R5",
  name: "every send of a task carries its key, every send of an attempt its token",
  needs: ["effects"],
  *check({ effects }) {
    const deliveries = entriesOf(effects ?? [], "delivery");
    for (const { task, key } of deliveries) if (key !== task) yield `task ${task} was sent with the key ${key}`;
    for (const [attempt, sends] of groupBy(deliveries, (entry) => `${entry.task}/${entry.attempt}`)) {
      const tokens = new Set(sends.map(({ token }) => token));
      if (tokens.size > 1) yield `attempt ${attempt} was sent with ${tokens.size} tokens`;
    }
  },
};

const slotsAreRespected: Invariant = {
  number: "19",
  name: "no agent has more tasks at once than it has slots",
  needs: ["effects", "punctual"],
  *check({ db, effects }) {
    const agents = db.all<{ name: string; slots: number }>("select name, max_concurrency as slots from agents");
    for (const { name, slots } of agents) {
      const most = mostAtOnce(worksOf((effects ?? []).filter((entry) => "agent" in entry && entry.agent === name)));
      if (most > slots) yield `agent ${name} has ${slots} slots and was at ${most} tasks at once`;
    }
  },
};

/** From the delivery that begins the work to the effect: in between the agent has not told anybody that it is free. */
function worksOf(entries: readonly EffectEntry[]): { readonly from: number; readonly to: number }[] {
  const ends = new Map(entriesOf(entries, "effect").map(({ key, at }) => [key, at]));
  const begins = new Map(
    entriesOf(entries, "delivery").flatMap(({ key, at, known }) => (known ? [] : [[key, at] as const])),
  );
  return [...begins].flatMap(([key, from]) => {
    const to = ends.get(key);
    return to === undefined ? [] : [{ from, to }];
  });
}

/** Each task ends once, by whom it was last given to, and is done once. */
export const OUTCOMES: readonly Invariant[] = [
  lastClaimDecides,
  acceptedTokenCounts,
  resultIsTheEffect,
  tokensIncrease,
  deliveriesGoForward,
  oneEffect,
  deliveryIdentity,
  slotsAreRespected,
];
