import type { StepRecord } from "../../domain/sessions/session.ts";
import type { StepStatus } from "../../domain/sessions/transitions.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { TaskStatus } from "../../domain/tasks/transitions.ts";
import type { Database } from "./database.ts";

export interface StepRow {
  readonly step: number;
  readonly status: StepStatus | TaskStatus;
  readonly task_id: string | null;
  readonly agent_id: string | null;
  readonly attempts: number;
  readonly iteration: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly error: string | null;
  readonly total: number | null;
  readonly next_item: number | null;
  readonly open_items: number | null;
  readonly failed_items: number | null;
  readonly wake_at: number | null;
  readonly signal: string | null;
  readonly child_id: string | null;
  readonly approval_id: string | null;
  /** The session in which it ended, where it was taken over. */
  readonly source: string | null;
}

/** What a task `t` says of its step. */
const OF_TASK = `t.step, t.status, t.id as task_id, t.agent_id, t.attempts, t.part as iteration,
    t.created_at as started_at, t.ended_at, t.error`;

/** The steps that are as their first task is. */
const OF_TASKS = `select ${OF_TASK}, null as total, null as next_item, null as open_items,
    null as failed_items, null as wake_at, null as signal, null as child_id, null as approval_id, null as source
  from tasks t where t.session_id = :session and t.part = 0 and t.undoes = 0`;

/** As their own row says, unless that says nothing yet and there is a task. */
const STEPS = `select s.step, s.status, t.id as task_id, t.agent_id, coalesce(t.attempts, 0) as attempts,
    coalesce(t.part, 0) as iteration, coalesce(s.started_at, t.created_at) as started_at, s.ended_at,
    coalesce(s.error, t.error) as error, s.total, s.next_item, s.open_items, s.failed_items,
    coalesce(s.wake_at, case when a.status = 'pending' then a.expires_at end) as wake_at, s.signal,
    (select c.id from sessions c where c.parent_id = coalesce(s.source, s.session_id) and c.parent_step = s.step
      and s.total is null order by c.parent_part desc limit 1) as child_id,
    a.id as approval_id, s.source
  from session_steps s
  left join approvals a on a.session_id = coalesce(s.source, s.session_id) and a.step = s.step
    and a.task_id is null
  left join tasks t on s.total is null and t.session_id = coalesce(s.source, s.session_id) and t.step = s.step
    and t.undoes = 0 and t.part = (select max(part) from tasks l where l.session_id = coalesce(s.source, s.session_id)
      and l.step = s.step and l.undoes = 0)
  where s.session_id = :session and (s.status <> 'pending' or t.id is null)
  union all ${OF_TASKS} and not exists (select 1
    from session_steps s where s.session_id = t.session_id and s.step = t.step and s.status <> 'pending')
  order by step`;

/** What the steps of most sessions consist of: tasks, and no row of their own. */
const PLAIN = `select ${OF_TASK},
    exists (select 1 from session_steps s where s.session_id = t.session_id) as has_rows
  from tasks t where t.session_id = ? and t.part = 0 and t.undoes = 0 order by t.step`;

type PlainRow = Pick<
  StepRow,
  "step" | "status" | "task_id" | "agent_id" | "attempts" | "iteration" | "started_at" | "ended_at" | "error"
> & { readonly has_rows: 0 | 1 };

/** The steps something is known of; those of plain sessions are read at a third of the cost. */
export function stepRows(from: Pick<Database, "all">, sessionId: string): StepRow[] {
  const rows = from.all<PlainRow>(PLAIN, sessionId);
  const isPlain = rows[0]?.has_rows === 0;
  return isPlain ? rows.map(plainStep) : from.all<StepRow>(STEPS, { session: sessionId });
}

function plainStep(row: PlainRow): StepRow {
  return {
    step: row.step,
    status: row.status,
    task_id: row.task_id,
    agent_id: row.agent_id,
    attempts: row.attempts,
    iteration: row.iteration,
    started_at: row.started_at,
    ended_at: row.ended_at,
    error: row.error,
    total: null,
    next_item: null,
    open_items: null,
    failed_items: null,
    wake_at: null,
    signal: null,
    child_id: null,
    approval_id: null,
    source: null,
  };
}

export function toStep(row: StepRow): StepRecord {
  const { status } = row;
  return {
    index: row.step,
    // A task that waits is a step that runs.
    status: row.task_id !== null && status === "pending" ? "running" : status,
    taskId: row.task_id,
    agentId: row.agent_id,
    attempts: row.attempts,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    error: row.error === null || status === "completed" ? null : (JSON.parse(row.error) as TaskError),
    items: itemsOf(row),
    iteration: row.iteration,
    wakeAt: row.wake_at,
    signal: row.signal,
    childId: row.child_id,
    approvalId: row.approval_id,
    source: row.source,
  };
}

function itemsOf(row: StepRow): StepRecord["items"] {
  if (row.total === null) return null;
  return { total: row.total, begun: row.next_item ?? 0, open: row.open_items ?? 0, failed: row.failed_items ?? 0 };
}
