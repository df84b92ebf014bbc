import type { Rows } from "../evidence.ts";
import type { Fact, History } from "../history.ts";
import { groupBy, type Invariant } from "../invariant.ts";

const SECOND = 1_000_000;
const FIRST_TRY = 30 * SECOND;
const LAST_TRY = 600 * SECOND;
const ENDS = new Set(["attempt.succeeded", "attempt.failed", "attempt.timed_out", "attempt.lost", "attempt.cancelled"]);

interface Attempt {
  readonly id: string;
  readonly task: string;
  readonly agent: string;
  readonly began: number;
  ended: Fact | null;
}

function inOrder({ streams }: History): Fact[] {
  return [...streams.values()].flat().sort((a, b) => a.position - b.position);
}

function idOf({ data }: Fact): string {
  return `${data.taskId}/${data.number}`;
}

function attemptsOf(facts: readonly Fact[]): Attempt[] {
  const attempts = new Map<string, Attempt>();
  for (const fact of facts) {
    const { type, data, at } = fact;
    if (type === "attempt.created") {
      const [id, task, agent] = [idOf(fact), String(data.taskId), String(data.agentId)];
      attempts.set(id, { id, task, agent, began: at, ended: null });
    }
    const known = ENDS.has(type) ? attempts.get(idOf(fact)) : undefined;
    if (known !== undefined) known.ended = fact;
  }
  return [...attempts.values()];
}

interface Quarantine {
  readonly agent: string;
  readonly from: number;
  readonly isManual: boolean;
  to: number;
}

function quarantinesOf(facts: readonly Fact[]): Quarantine[] {
  const all: Quarantine[] = [];
  const open = new Map<string, Quarantine>();
  for (const { type, data, at } of facts) {
    const agent = String(data.agentId);
    const ends = type === "agent.removed" || (type === "agent.health_changed" && data.from === "quarantined");
    const ended = ends ? open.get(agent) : undefined;
    if (ended !== undefined) ended.to = at;
    if (ends) open.delete(agent);
    if (type !== "agent.health_changed" || data.to !== "quarantined") continue;
    const begun = { agent, from: at, isManual: data.cause === "manual", to: Number.POSITIVE_INFINITY };
    open.set(agent, begun);
    all.push(begun);
  }
  return all;
}

const onlyTries: Invariant = {
  number: "24",
  name: "a quarantined agent gets nothing but one try at a time, at its time, and is readmitted by one that succeeds",
  needs: [],
  *check({ db, history }) {
    const facts = inOrder(history);
    const attempts = attemptsOf(facts);
    const probed = new Set(db.texts("select id from agents where probe is not null"));
    const probes = new Set(db.texts("select id from tasks where policy ->> 'probe' = 1"));
    for (const quarantine of quarantinesOf(facts)) {
      const { agent, from, to } = quarantine;
      // What one transition writes into several streams has no order among them.
      const given = attempts.filter((each) => each.agent === agent && each.began > from && each.began < to);
      yield* wrongTries(quarantine, given);
      if (!probed.has(agent)) continue;
      for (const { id, task } of given) {
        if (!probes.has(task)) yield `attempt ${id} was given to quarantined agent ${agent}, which has a probe`;
      }
    }
  },
};

function* wrongTries({ agent, from, to, isManual }: Quarantine, given: readonly Attempt[]): Iterable<string> {
  let earliest = isManual ? Number.POSITIVE_INFINITY : from + FIRST_TRY;
  let failed = 0;
  for (const { id, began, ended } of given) {
    if (began < earliest) yield `attempt ${id} was given to agent ${agent}, which was quarantined and not to be tried`;
    if (ended === null) {
      earliest = Number.POSITIVE_INFINITY;
      continue;
    }
    if (ended.type === "attempt.succeeded" && ended.at !== to) yield `attempt ${id} did not readmit agent ${agent}`;
    if (ended.type !== "attempt.cancelled") failed += 1;
    earliest = ended.type === "attempt.cancelled" ? ended.at : ended.at + Math.min(FIRST_TRY * 2 ** failed, LAST_TRY);
  }
}

const silenceIsWaitedFor: Invariant = {
  number: "16",
  name: "silence ends an attempt that was suspect, and no sooner than it may",
  needs: [],
  *check({ db, history }) {
    const bounds = boundsOf(db);
    for (const [id, facts] of groupBy(attemptFacts(history), idOf)) {
      const end = facts.find(({ type, data }) => type === "attempt.timed_out" && codeOf(data) === "silent");
      if (end === undefined) continue;
      const bound = bounds.get(id);
      const heard = facts.filter(({ type, at }) => SIGNS.has(type) && at <= end.at);
      const since = Math.max(...heard.map(({ at }) => at));
      if (bound === undefined) yield `attempt ${id} ended for its silence, and nobody had asked to hear of it`;
      else if (end.at - since < bound)
        yield `attempt ${id} ended ${bound - (end.at - since)} us before its silence did`;
      if (!facts.some(({ type }) => type === "attempt.suspect")) yield `attempt ${id} was never suspect`;
    }
  },
};

/** An agent had its time anew. */
const SIGNS = new Set(["attempt.created", "attempt.resent", "attempt.recovered"]);

function boundsOf(db: Rows): ReadonlyMap<string, number> {
  const rows = db.all<{ id: string; silence: number }>(
    "select task_id || '/' || n as id, silence from attempt_progress where silence is not null",
  );
  return new Map(rows.map(({ id, silence }) => [id, silence]));
}

const progressGrows: Invariant = {
  number: "16",
  name: "progress that is told has grown, and is told once a second",
  needs: [],
  *check({ history }) {
    for (const [id, facts] of groupBy(attemptFacts(history), idOf)) {
      const told = facts.filter(({ type }) => type === "attempt.progress");
      for (const [i, { at, data }] of told.entries()) {
        const before = told[i - 1];
        if (before === undefined) continue;
        if (at - before.at < SECOND) yield `progress of ${id} was told twice within ${at - before.at} us`;
        const [counter, last] = [Number(data.counter), Number(before.data.counter)];
        if (counter < last || (counter === last && data.note === before.data.note)) {
          yield `progress of ${id} was told with ${counter} after ${last}`;
        }
      }
    }
  },
};

function attemptFacts(history: History): Fact[] {
  return inOrder(history).filter(({ type }) => type.startsWith("attempt."));
}

function codeOf(data: Fact["data"]): string {
  return String((data.error as { code?: unknown } | undefined)?.code);
}

/** Who is watched, who is suspect, and who is given nothing. */
export const HEALTH: readonly Invariant[] = [onlyTries, silenceIsWaitedFor, progressGrows];
