import { fold } from "../fold.ts";
import type { Fact } from "../history.ts";
import type { Invariant } from "../invariant.ts";

const oneEnd: Invariant = {
  number: "5",
  name: "an attempt, task or session ends once, and nothing but annotations follows",
  needs: [],
  check: ({ history }) => fold(history).afterEnd,
};

const legalTransitions: Invariant = {
  number: "10",
  name: "each event is a legal transition",
  needs: [],
  check: ({ history }) => fold(history).illegal,
};

const sequences: Invariant = {
  number: "11",
  name: "each stream is numbered 1..n, all events 1..N, without gaps",
  needs: [],
  *check({ db, history }) {
    let next = history.rows[0]?.position ?? 1;
    for (const { position, count } of history.rows) {
      if (position !== next) yield `events ${next} to ${position - 1} are missing or double`;
      next = position + count;
    }
    const last = new Map(db.all<{ id: string; n: number }>(COUNTERS).map(({ id, n }) => [id, n]));
    for (const [stream, facts] of history.streams) yield* miscounted(stream, facts, last.get(stream));
    for (const [id, n] of last)
      if (n > 0 && !history.streams.has(id)) yield `stream ${id} counts ${n} events and has none`;
  },
};

function* miscounted(stream: string, facts: readonly Fact[], counted: number | undefined): Iterable<string> {
  const wrong = facts.findIndex(({ sequence }, i) => sequence !== i + 1);
  if (wrong >= 0) yield `stream ${stream} has ${facts[wrong]?.sequence} where ${wrong + 1} should be`;
  if (counted === undefined && isDeletable(stream)) return;
  if (counted !== facts.length)
    yield `stream ${stream} has ${facts.length} events, and ${counted ?? "nothing"} counted`;
}

/** A schedule may be deleted; what it did is still told. */
function isDeletable(stream: string): boolean {
  return stream.startsWith("sch_");
}

const COUNTERS = `select id, event_sequence as n from sessions union all select id, event_sequence from agents
  union all select id, event_sequence from tasks where session_id is null
  union all select id, event_sequence from schedules`;

const eventsAreTheRows: Invariant = {
  number: "12",
  name: "the events, played again, give the rows",
  needs: [],
  *check({ db, history }) {
    const { things } = fold(history);
    const rows = db.all<{ thing: string; status: string }>(`select 'session ' || id as thing, status from sessions
      union all select 'task ' || id, status from tasks
      union all select 'attempt ' || task_id || '/' || n, status from attempts
      union all select 'cancellation ' || id, stage from cancellations`);
    for (const { thing, status } of rows) {
      const state = things.get(thing)?.state;
      if (state !== status) yield `${thing} is ${status}, its events say ${state ?? "nothing"}`;
    }
    const known = new Set(rows.map(({ thing }) => thing));
    for (const thing of things.keys()) if (!known.has(thing)) yield `${thing} has events and no row`;
  },
};

const runningIsAlive: Invariant = {
  number: "13",
  name: "a running task has one open attempt, its last, with a time at which it is looked at",
  needs: [],
  *check({ db }) {
    yield* db.texts(`select 'task ' || id || ' is running with ' || open || ' open attempts' from
      (select t.id, (select count(*) from attempts a where a.task_id = t.id and a.n = t.attempts and a.ended_at is null)
        as open from tasks t where t.status = 'running') where open <> 1`);
    yield* db.texts(`select 'attempt ' || a.task_id || '/' || a.n || ' is open, its task is ' || coalesce(t.status, 'gone')
      from attempts a left join tasks t on t.id = a.task_id
      where a.ended_at is null and (t.status is not 'running' or t.attempts <> a.n)`);
    yield* db.texts(`select 'attempt ' || task_id || '/' || n || ' is never looked at' from attempts
      where ended_at is null and (wake_at is null or wake_at > timeout_at)`);
  },
};

const sessionsAreTheirTasks: Invariant = {
  number: "14",
  name: "a session has ended when its tasks have, and each part of a step has one task",
  needs: [],
  *check({ db }) {
    yield* db.texts(`select 'session ' || s.id || ' is ' || s.status || ', its task ' || t.id || ' is ' || t.status
      from sessions s join tasks t on t.session_id = s.id where s.ended_at is not null and t.ended_at is null`);
    yield* db.texts(`select 'session ' || id || ' is ' || status || ' and has nothing left to wait for' from sessions s
      where ended_at is null and not exists (select 1 from tasks t where t.session_id = s.id and t.ended_at is null)
      and not exists (select 1 from session_steps p where p.session_id = s.id and p.status = 'waiting')
      and not exists (select 1 from sessions c where c.parent_id = s.id and c.ended_at is null)
      and not exists (with recursive below (id) as (select s.id union all
          select c.id from below join sessions c on c.parent_id = below.id)
        select 1 from below join cancellations n on n.session_id = below.id where n.wake_at is not null)`);
    yield* db.texts(`select 'part ' || part || ' of step ' || step || ' of session ' || session_id || ' has ' || count(*) || ' tasks'
      from tasks where session_id is not null and step is not null group by session_id, step, part, undoes having count(*) > 1`);
    yield* db.texts(`select 'task ' || t.id || ' belongs to session ' || t.session_id || ', which is gone'
      from tasks t left join sessions s on s.id = t.session_id where t.session_id is not null and s.id is null`);
  },
};

const noTimerIsEarly: Invariant = {
  number: "16",
  name: "no retry comes before its time",
  needs: [],
  check: ({ history }) => fold(history).early,
};

const noTimeoutIsEarly: Invariant = {
  number: "16",
  name: "no attempt times out before its own time, and none has more time than its task",
  needs: [],
  *check({ db }) {
    yield* db.texts(`select 'attempt ' || task_id || '/' || n || ' timed out ' || (timeout_at - ended_at) || ' us early'
      from attempts where status = 'timed_out' and ended_at < timeout_at and error ->> 'code' is not 'silent'`);
    yield* db.texts(`select 'attempt ' || a.task_id || '/' || a.n || ' began past the deadline of its task'
      from attempts a join tasks t on t.id = a.task_id where a.created_at >= t.deadline`);
  },
};

/** What each thing is, at every moment of its life. */
export const STATE_MACHINE: readonly Invariant[] = [
  oneEnd,
  legalTransitions,
  sequences,
  eventsAreTheRows,
  runningIsAlive,
  sessionsAreTheirTasks,
  noTimerIsEarly,
  noTimeoutIsEarly,
];
