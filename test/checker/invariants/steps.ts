import { definedTasks } from "../definitions.ts";
import type { Evidence } from "../evidence.ts";
import type { Invariant } from "../invariant.ts";
import { foldSteps } from "../step-fold.ts";

const legalSteps: Invariant = {
  number: "10",
  name: "each event of a step or an approval is a legal transition",
  needs: [],
  check: ({ history }) => foldSteps(history).illegal,
};

const endedSessionsAreQuiet: Invariant = {
  number: "5",
  name: "nothing happens to a step or an approval after the end of its session",
  needs: [],
  check: ({ history }) => foldSteps(history).afterEnd,
};

const noWaitIsShort: Invariant = {
  number: "16",
  name: "no wait ends, and no approval expires, before its time",
  needs: [],
  check: ({ history }) => foldSteps(history).early,
};

interface StepRow {
  readonly session_id: string;
  readonly step: number;
  readonly status: string;
}

/** Steps as their own row says, else as their task is; a task that waits is a step that runs. */
const STEPS = `select session_id, step, status from session_steps where status <> 'pending'
  union all select t.session_id, t.step, case t.status when 'pending' then 'running' else t.status end from tasks t
    where t.session_id is not null and t.part = 0 and t.undoes = 0 and not exists (select 1 from session_steps p
      where p.session_id = t.session_id and p.step = t.step and p.status <> 'pending')`;

const stepsAreTheirEvents: Invariant = {
  number: "12",
  name: "the events of steps and approvals, played again, give the rows",
  needs: [],
  *check({ db, history }) {
    const { steps, approvals } = foldSteps(history);
    const defined = definedTasks(db);
    const known = new Set<string>();
    for (const { session_id, step, status } of db.all<StepRow>(STEPS)) {
      const key = `${session_id}/${String(defined.get(session_id)?.[step]?.taskId)}`;
      known.add(key);
      if (steps.get(key) !== status) yield `step ${key} is ${status}, its events say ${steps.get(key) ?? "nothing"}`;
    }
    for (const key of steps.keys()) if (!known.has(key)) yield `step ${key} has events and no row`;
    const rows = new Map(
      db.all<{ id: string; status: string }>("select id, status from approvals").map(({ id, status }) => [id, status]),
    );
    for (const id of new Set([...rows.keys(), ...approvals.keys()])) {
      const [row, told] = [rows.get(id), approvals.get(id)];
      if (row !== told) yield `approval ${id} is ${row ?? "gone"}, its events say ${told ?? "nothing"}`;
    }
  },
};

const sessionsCount: Invariant = {
  number: "12",
  name: "a session counts its steps that are open, wait and have ended",
  needs: [],
  *check({ db }) {
    yield* db.texts(`with steps as (${STEPS}) select 'session ' || id || ' counts ' || open || '/' || waiting || '/' || ended
        || ', and has ' || is_open || '/' || waits || '/' || has_ended from (select s.id, s.open, s.waiting, s.ended,
      count(case when p.status in ('running', 'waiting') then 1 end) as is_open,
      count(case when p.status = 'waiting' then 1 end) as waits,
      count(case when p.status not in ('running', 'waiting') then 1 end) as has_ended
      from sessions s left join steps p on p.session_id = s.id group by s.id)
      where open <> is_open or waiting <> waits or ended <> has_ended`);
  },
};

const waitsWake: Invariant = {
  number: "18",
  name: "what waits has a time, a signal or a decision to wait for, and nothing else has",
  needs: [],
  *check({ db }) {
    yield* db.texts(`select 'step ' || step || ' of session ' || session_id || ' waits for nothing' from session_steps p
      where status = 'waiting' and wake_at is null and signal is null and not exists (select 1 from approvals a
        where a.session_id = p.session_id and a.step = p.step and a.status = 'pending')`);
    yield* db.texts(`select 'step ' || step || ' of session ' || session_id || ' is ' || status || ' and wakes up'
      from session_steps where status <> 'waiting' and (wake_at is not null or signal is not null)`);
    yield* db.texts(`select 'approval ' || id || ' is ' || status || ' and expires again' from approvals
      where (status <> 'pending' and wake_at is not null) or (status = 'pending' and expires_at is not null
        and (wake_at is null or wake_at > expires_at))`);
  },
};

const DECIDED: Readonly<Record<string, readonly string[]>> = {
  approved: ["completed"],
  rejected: ["failed"],
  expired: ["failed"],
  cancelled: ["cancelled"],
  pending: ["waiting"],
};

const decisionsCount: Invariant = {
  number: "2",
  name: "a step that asked came to what was decided",
  needs: [],
  *check({ db }) {
    const rows = db.all<{
      id: string;
      decision: string;
      status: string | null;
    }>(`select a.id, a.status as decision, p.status
      from approvals a left join session_steps p on p.session_id = a.session_id and p.step = a.step
      where a.task_id is null`);
    for (const { id, decision, status } of rows) {
      if (!DECIDED[decision]?.includes(status ?? ""))
        yield `approval ${id} is ${decision}, its step is ${status ?? "gone"}`;
    }
  },
};

const cancelGoesDown: Invariant = {
  number: "15",
  name: "no session goes on below one that has ended, but to undo what it did",
  needs: [],
  *check({ db }: Evidence) {
    yield* db.texts(`select 'session ' || c.id || ' is ' || c.status || ', ' || s.id || ' above it has ended' from sessions c
      join sessions s on s.id = c.parent_id where c.ended_at is null and s.ended_at is not null and c.undo_total is null`);
    yield* db.texts(`select 'session ' || c.id || ' is below ' || c.parent_id || ', which is gone' from sessions c
      left join sessions s on s.id = c.parent_id where c.parent_id is not null and s.id is null`);
  },
};

/** What each step, and each decision, is at every moment of its life. */
export const STEP_STATES: readonly Invariant[] = [
  legalSteps,
  endedSessionsAreQuiet,
  noWaitIsShort,
  stepsAreTheirEvents,
  sessionsCount,
  waitsWake,
  decisionsCount,
  cancelGoesDown,
];
