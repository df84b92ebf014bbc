import { formatTime, type JsonObject, OpspawnError } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import type {
  CatchUp,
  FireKind,
  FireOutcome,
  FireRecord,
  Overlap,
  ScheduleDefinition,
  ScheduleRecord,
  Timing,
} from "../../domain/schedules/schedule.ts";
import type { SessionStatus } from "../../domain/sessions/transitions.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { Database } from "./database.ts";
import type { Tx } from "./tx.ts";

export interface ScheduleRow {
  id: string;
  name: string;
  workflow_id: string;
  workflow_version: string | null;
  input: string | null;
  agent_id: string | null;
  labels: string;
  timing: string;
  start_at: number | null;
  end_at: number | null;
  overlap: Overlap;
  catch_up: CatchUp;
  catch_up_window: number;
  paused_at: number | null;
  note: string | null;
  next_at: number | null;
  decided_until: number | null;
  wake_at: number | null;
  queued: number;
  fires: number;
  started: number;
  skipped: number;
  failed: number;
  missed: number;
  failures: number;
  forgotten_until: number | null;
  event_sequence: number;
  created_at: number;
  updated_at: number;
}

export interface FireRow {
  schedule_id: string;
  sequence: number;
  kind: FireKind;
  due_at: number;
  last_due_at: number;
  count: number;
  outcome: FireOutcome;
  reason: string | null;
  error: string | null;
  session_id: string | null;
  open: number;
  decided_at: number;
  started_at: number | null;
}

type Reader = Pick<Database, "get">;

/** A fire with the status of its session. */
export const FIRES = `select f.*, s.status as session_status from schedule_fires f
  left join sessions s on s.id = f.session_id`;

export function needSchedule(tx: Tx, id: string): ScheduleRow {
  const row = tx.get<ScheduleRow>("select * from schedules where id = ?", id);
  if (row === undefined) throw new OpspawnError("schedule_not_found", `Schedule not found: ${id}`);
  return row;
}

/** The newest fire whose session is still open. */
export function openFire(db: Reader, scheduleId: string): FireRow | undefined {
  return db.get<FireRow>(
    "select * from schedule_fires where schedule_id = ? and open = 1 order by sequence desc limit 1",
    scheduleId,
  );
}

/** The fire that has waited longest. */
export function queuedFire(db: Reader, scheduleId: string): FireRow | undefined {
  return db.get<FireRow>(
    "select * from schedule_fires where schedule_id = ? and outcome = 'queued' order by sequence limit 1",
    scheduleId,
  );
}

/** The session that keeps the fires of a schedule waiting; undefined when none does. */
export function holder(db: Reader, row: ScheduleRow): FireRow | undefined {
  return row.overlap === "allow" ? undefined : openFire(db, row.id);
}

/** When something is to be done about a schedule. */
export function wakeOf(db: Reader, row: ScheduleRow, now: number): number | null {
  if (row.paused_at !== null) return null;
  const isReady = row.queued > 0 && holder(db, row) === undefined;
  return isReady ? Math.min(now, row.next_at ?? now) : row.next_at;
}

export function scheduleEvent(tx: Tx, row: ScheduleRow, type: string, data: JsonObject = {}): void {
  row.event_sequence += 1;
  tx.event(row.id, row.event_sequence, `schedule.${type}`, data);
}

/**
 * Writes what changes while a schedule runs.
 * @param nextAt what its next due time was when it was read
 */
export function saveSchedule(tx: Tx, row: ScheduleRow, nextAt: number | null): void {
  const written = tx.run(
    `update schedules set paused_at = ?, note = ?, next_at = ?, decided_until = ?, wake_at = ?, queued = ?, fires = ?,
      started = ?, skipped = ?, failed = ?, missed = ?, failures = ?, event_sequence = ?, updated_at = ?
      where id = ? and next_at is ?`,
    row.paused_at,
    row.note,
    row.next_at,
    row.decided_until,
    wakeOf(tx, row, tx.now),
    row.queued,
    row.fires,
    row.started,
    row.skipped,
    row.failed,
    row.missed,
    row.failures,
    row.event_sequence,
    tx.now,
    row.id,
    nextAt,
  );
  if (written !== 1) throw new Error(`schedule ${row.id} was changed meanwhile`);
}

export function definitionOf(row: ScheduleRow): ScheduleDefinition {
  return {
    name: row.name,
    workflowId: row.workflow_id,
    workflowVersion: row.workflow_version,
    input: row.input,
    agentId: row.agent_id,
    labels: JSON.parse(row.labels) as Record<string, string>,
    timing: JSON.parse(row.timing) as Timing,
    startAt: row.start_at,
    endAt: row.end_at,
    overlap: row.overlap,
    catchUp: row.catch_up,
    catchUpWindow: row.catch_up_window,
  };
}

export function toScheduleRecord(db: Reader, row: ScheduleRow): ScheduleRecord {
  const { started, skipped, failed, missed } = row;
  return {
    ...definitionOf(row),
    id: row.id,
    status: statusOf(row),
    note: row.note,
    nextAt: row.next_at,
    queued: row.queued,
    counts: { started, skipped, failed, missed },
    failures: row.failures,
    lastFire: fireRecord(db, row.id, row.fires),
    forgottenUntil: row.forgotten_until,
    blocked: blockedOf(db, row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function statusOf(row: ScheduleRow): ScheduleRecord["status"] {
  if (row.paused_at !== null) return "paused";
  return row.next_at === null && row.queued === 0 ? "ended" : "active";
}

function blockedOf(db: Reader, row: ScheduleRow): Blocked | null {
  if (row.paused_at !== null) {
    const message = row.note === null ? "It is paused." : `It is paused: ${row.note}`;
    return { reason: "paused", message, since: row.paused_at, details: {} };
  }
  const open = row.queued > 0 ? holder(db, row) : undefined;
  const first = open === undefined ? undefined : queuedFire(db, row.id);
  if (open === undefined || first === undefined) return notDue(row);
  const wait = row.queued === 1 ? "1 fire waits" : `${row.queued} fires wait`;
  return {
    reason: EARLIER_SESSION_OPEN,
    message: `${wait} for the end of session ${open.session_id}, which fire ${open.sequence} started.`,
    since: first.decided_at,
    details: { queued: row.queued, sessionId: open.session_id, sequence: open.sequence },
  };
}

function notDue({ next_at: nextAt, updated_at: since }: ScheduleRow): Blocked | null {
  if (nextAt === null) return null;
  const due = formatTime(nextAt);
  return { reason: "not_due", message: `Its next fire is due at ${due}.`, since, details: { nextAt: due } };
}

/** The condition on schedules that they wait for this, as `blockedOf` says of each. */
export function schedulesWaitingFor(reason: string): string {
  const held =
    "overlap <> 'allow' and exists (select 1 from schedule_fires f where f.schedule_id = schedules.id and f.open = 1)";
  switch (reason) {
    case "paused":
      return "paused_at is not null";
    case EARLIER_SESSION_OPEN:
      return `paused_at is null and queued > 0 and ${held}`;
    case "not_due":
      return `paused_at is null and next_at is not null and not (queued > 0 and ${held})`;
    default:
      return "false";
  }
}

/** Why a fire waits, or was skipped. */
export const EARLIER_SESSION_OPEN = "earlier_session_open";

export function fireRecord(db: Reader, scheduleId: string, sequence: number): FireRecord | null {
  const row = db.get<StoredFire>(`${FIRES} where f.schedule_id = ? and f.sequence = ?`, scheduleId, sequence);
  return row === undefined ? null : toFireRecord(row);
}

export type StoredFire = FireRow & { session_status: SessionStatus | null };

export function toFireRecord(row: StoredFire): FireRecord {
  return {
    scheduleId: row.schedule_id,
    sequence: row.sequence,
    kind: row.kind,
    dueAt: row.due_at,
    lastDueAt: row.last_due_at,
    count: row.count,
    outcome: row.outcome,
    reason: row.reason,
    error: row.error === null ? null : (JSON.parse(row.error) as TaskError),
    sessionId: row.session_id,
    sessionStatus: row.session_status,
    decidedAt: row.decided_at,
    startedAt: row.started_at,
  };
}
