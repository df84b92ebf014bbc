import { type EffectEntry, entriesOf } from "../entries.ts";
import { groupBy, type Invariant } from "../invariant.ts";

type Outside = Extract<EffectEntry, { type: "outside" }>;

const keysAreKept: Invariant = {
  number: "9",
  name: "each attempt is handed the same key for an effect, and what was told of it is not forgotten",
  needs: ["effects"],
  *check({ effects }) {
    const all = effects ?? [];
    const receipts = entriesOf(all, "receipt").filter(({ status }) => status === 200);
    const told = new Map(receipts.map((each) => [`${each.task} ${each.effect}`, each.at]));
    for (const [name, announced] of groupBy(entriesOf(all, "announced"), ({ task, effect }) => `${task} ${effect}`)) {
      const keys = new Set(announced.map(({ key }) => key));
      if (keys.size > 1) yield `effect ${name} was given ${keys.size} keys: ${[...keys].join(", ")}`;
      const toldAt = told.get(name) ?? Number.POSITIVE_INFINITY;
      const later = announced.filter(({ at, status }) => at > toldAt && status !== "done");
      for (const { attempt } of later) yield `effect ${name} was done, and attempt ${attempt} was told that it is open`;
    }
  },
};

const oneKeyEach: Invariant = {
  number: "9",
  name: "nothing is done outside under two keys, and nothing that was not announced",
  needs: ["effects"],
  *check({ db, effects }) {
    const known = new Set(db.texts("select task_id || ' ' || effect_id from effects"));
    const done = groupBy(entriesOf(effects ?? [], "outside"), ({ task, effect }) => `${task} ${effect}`);
    for (const [name, all] of done) {
      const keys = new Set(all.map(({ key }) => key));
      if (keys.size > 1) yield `effect ${name} was done under ${keys.size} keys`;
      if (!known.has(name)) yield `effect ${name} was done, and its announcement is gone`;
    }
  },
};

interface EndRow {
  readonly id: string;
  readonly status: string;
  readonly effect: string;
  readonly is: string;
  readonly told_by: string | null;
  readonly answer: string | null;
  readonly policy: string;
  readonly uncertain: number | null;
}

/** The last doubt of each task, and how it ended. */
const ENDS = `select t.id, t.status, e.effect_id as effect, e.status as "is", e.told_by, d.answer,
    json_extract(t.error, '$.uncertain') as uncertain, coalesce(t.policy ->> 'onUncertain', 'retryWithKey') as policy
  from tasks t join effects e on e.task_id = t.id left join doubts d on d.task_id = t.id
    and d.attempt = (select max(attempt) from doubts l where l.task_id = t.id)
  where t.ended_at is not null`;

const doubtsEndByTheirPolicy: Invariant = {
  number: "9",
  name: "what was in doubt ends as its policy says, and as it was",
  needs: ["effects", "punctual"],
  *check({ db, effects }) {
    const done = groupBy(entriesOf(effects ?? [], "outside"), ({ task, effect }) => `${task} ${effect}`);
    for (const row of db.all<EndRow>(ENDS)) yield* wrongEnd(row, done.get(`${row.id} ${row.effect}`) ?? []);
  },
};

function* wrongEnd(row: EndRow, done: readonly Outside[]): Iterable<string> {
  const { status, is, told_by: by, policy, uncertain } = row;
  const what = `effect ${row.effect} of ${row.id} (${policy})`;
  if (is === "done" && done.length === 0) yield `${what} is done by ${by}, and was never done`;
  yield* wrongAnswer(row, what, done);
  if (policy !== "fail") return;
  if (status === "failed" && is === "intended" && uncertain !== 1) {
    yield `${what} is open, and its task failed as if nothing was uncertain`;
  }
  const first = Math.min(...done.map(({ attempt }) => attempt));
  for (const { attempt } of done) if (attempt > first) yield `${what} was done again by attempt ${attempt}`;
}

function* wrongAnswer({ status, answer, policy }: EndRow, what: string, done: readonly Outside[]): Iterable<string> {
  if (answer === null) return;
  if (policy === "retryWithKey" || policy === "fail") yield `${what} was in doubt, and nobody asked`;
  if (answer === "happened" && done.length === 0) yield `${what} is said to have happened, and was never done`;
  if (answer === "happened" && status !== "completed") yield `${what} happened, and its task is ${status}`;
  const isUndone = status === "failed" && policy === "compensate";
  if (answer === "undone" && !isUndone) yield `${what} was undone, and its task is ${status}`;
}

/** What agents announce, do and tell of, as their logs show it. */
export const ANNOUNCED: readonly Invariant[] = [keysAreKept, oneKeyEach, doubtsEndByTheirPolicy];
