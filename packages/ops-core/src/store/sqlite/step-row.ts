import { type StepStatus, stepHasEnded } from "../../domain/sessions/transitions.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { TaskStatus } from "../../domain/tasks/transitions.ts";
import type { Items, StepChange, StepState } from "../../domain/workflows/advance.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import type { StepRow } from "./steps.ts";
import type { Tx } from "./tx.ts";

interface StateColumns {
  readonly task: TaskStatus | null;
  readonly own: StepStatus | null;
  readonly remaining: number | null;
  readonly error: string | null;
  readonly total: number | null;
  readonly next_item: number | null;
  readonly open_items: number | null;
  readonly failed_items: number | null;
}

const STATE = `select t.status as task, s.status as own, s.remaining, s.error, s.total, s.next_item, s.open_items,
    s.failed_items
  from (select :session as session, :step as step) wanted
  left join tasks t on t.session_id = wanted.session and t.step = wanted.step and t.part = 0 and t.undoes = 0
  left join session_steps s on s.session_id = wanted.session and s.step = wanted.step`;

/**
 * Whether a step keeps a row of its own from the moment it begins. The others have one task, and are as their task is:
 * a row that merely repeats it would be written for every step of every session.
 */
export function keepsRow(step: PlanStep): boolean {
  return (
    (step.kind !== "agent" && step.kind !== "tool") ||
    step.forEach !== null ||
    step.repeat !== null ||
    step.reserves.fallback !== null
  );
}

/** What the rows say of a step; undefined when nothing has touched it. */
export function readStepState(tx: Tx, session: string, step: number): StepState | undefined {
  const row = tx.get<StateColumns>(STATE, { session, step });
  if (row === undefined) return undefined;
  if (row.own !== null && row.own !== "pending") {
    const items = itemsOf(row);
    return { status: row.own, remaining: 0, ...(items === undefined ? {} : { items }) };
  }
  if (row.task !== null) return { status: row.task === "pending" ? "running" : row.task, remaining: 0 };
  return row.own === null ? undefined : { status: row.own, remaining: row.remaining ?? 0 };
}

function itemsOf(row: StateColumns): Items | undefined {
  if (row.total === null) return undefined;
  return {
    total: row.total,
    next: row.next_item ?? 0,
    open: row.open_items ?? 0,
    failed: row.failed_items ?? 0,
    failure: row.error === null ? null : (JSON.parse(row.error) as TaskError),
  };
}

const UPSERT = `insert into session_steps (session_id, step, status, remaining, started_at, ended_at, result, error, total,
    next_item, open_items, failed_items) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (session_id, step) do update set status = excluded.status, remaining = excluded.remaining,
    started_at = coalesce(session_steps.started_at, excluded.started_at), ended_at = excluded.ended_at,
    result = excluded.result, error = excluded.error, total = excluded.total, next_item = excluded.next_item,
    open_items = excluded.open_items, failed_items = excluded.failed_items, wake_at = null, signal = null`;

/** Writes a step's row as a whole; a time or signal it waited for is forgotten. */
export function writeStepRow(tx: Tx, session: string, change: StepChange, result: string | null): void {
  const { items } = change;
  const error = change.error ?? items?.failure;
  tx.run(
    UPSERT,
    session,
    change.index,
    change.status,
    change.remaining,
    change.status === "running" || change.status === "waiting" ? tx.now : null,
    stepHasEnded(change.status) ? tx.now : null,
    result,
    error === undefined || error === null ? null : JSON.stringify(error),
    items?.total ?? null,
    items?.next ?? null,
    items?.open ?? null,
    items?.failed ?? null,
  );
}

/** A step that has ended is undone, or nobody knows; what else is known of it stays. */
export function markStep(tx: Tx, session: string, step: number, status: "compensated" | "uncertain"): void {
  tx.run(
    `insert into session_steps (session_id, step, status, remaining, ended_at) values (?, ?, ?, 0, coalesce(
        (select ended_at from tasks where session_id = ? and step = ? and part = 0 and undoes = 0), ?))
      on conflict (session_id, step) do update set status = excluded.status,
        ended_at = coalesce(session_steps.ended_at, excluded.ended_at)`,
    session,
    step,
    status,
    session,
    step,
    tx.now,
  );
}

/** As `writeStepRow`, for a step whose task, if it has one, says more than its row would; false when it has. */
export function noteStepWithoutTask(tx: Tx, session: string, change: StepChange): boolean {
  const { index, status, remaining, error } = change;
  const rows = tx.run(
    `insert into session_steps (session_id, step, status, remaining, ended_at, error) select ?, ?, ?, ?, ?, ?
      where not exists (select 1 from tasks where session_id = ? and step = ? and part = 0 and undoes = 0)
      on conflict (session_id, step) do update set status = excluded.status, remaining = excluded.remaining,
      ended_at = excluded.ended_at, error = excluded.error`,
    session,
    index,
    status,
    remaining,
    status === "pending" ? null : tx.now,
    error === undefined ? null : JSON.stringify(error),
    session,
    index,
  );
  return rows > 0;
}

/** A step that ended in another session counts as it did there; what it brought stays there. */
export function writeKeptStep(
  tx: Tx,
  session: string,
  { index, status, error }: StepChange,
  source: string,
  row: StepRow,
): void {
  tx.run(
    `insert into session_steps (session_id, step, status, remaining, started_at, ended_at, error, total, next_item,
      open_items, failed_items, source) values (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)`,
    session,
    index,
    status,
    row.started_at,
    row.ended_at ?? tx.now,
    error === undefined ? null : JSON.stringify(error),
    row.total,
    row.next_item,
    row.open_items,
    row.failed_items,
    row.source ?? source,
  );
}
