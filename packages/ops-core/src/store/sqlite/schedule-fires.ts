import { formatTime, type JsonObject, OpspawnError } from "@opspawn/contract";
import { decideDue, type Missed } from "../../domain/schedules/catch-up.ts";
import {
  DUE_LABEL,
  type FireKind,
  type FireOutcome,
  type FireRecord,
  type Overlap,
  QUEUED_MAX,
  SCHEDULE_LABEL,
} from "../../domain/schedules/schedule.ts";
import { checkStart } from "../../domain/sessions/start.ts";
import type { StartSession } from "../../domain/store.ts";
import { readStored } from "../../domain/stored-json.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import {
  definitionOf,
  EARLIER_SESSION_OPEN,
  type FireRow,
  fireRecord,
  holder,
  needSchedule,
  openFire,
  queuedFire,
  type ScheduleRow,
  saveSchedule,
  scheduleEvent,
} from "./schedule-row.ts";
import { startSession } from "./sessions.ts";
import type { Tx } from "./tx.ts";
import { WORKFLOWS, type WorkflowRow } from "./workflows.ts";

/**
 * One try to fire something. What is refused undoes its whole transaction; the next one is told by which fire and why,
 * and records that instead of trying again.
 */
export class FireTry {
  /** The fire whose session is being started: its kind and due time. */
  fire: string | null = null;
  readonly #refused: { readonly fire: string; readonly error: TaskError } | null;

  constructor(refused: { readonly fire: string; readonly error: TaskError } | null = null) {
    this.#refused = refused;
  }

  /** The error of the last try, if it was about this fire. */
  begin(kind: FireKind, dueAt: number): TaskError | null {
    this.fire = `${kind} ${dueAt}`;
    return this.#refused?.fire === this.fire ? this.#refused.error : null;
  }
}

/** Decides about what is due of one schedule: a fire that waits, else the next due time. False when nothing is. */
export function fireSchedule(tx: Tx, id: string, attempt: FireTry): boolean {
  const row = tx.get<ScheduleRow>("select * from schedules where id = ?", id);
  if (row === undefined || row.wake_at === null || row.wake_at > tx.now) return false;
  const nextAt = row.next_at;
  const waiting = row.queued > 0 && holder(tx, row) === undefined ? queuedFire(tx, id) : undefined;
  if (waiting !== undefined) startQueued(tx, row, waiting, attempt);
  else if (row.next_at !== null && row.next_at <= tx.now) fireDue(tx, row, row.next_at, attempt);
  saveSchedule(tx, row, nextAt);
  return true;
}

function fireDue(tx: Tx, row: ScheduleRow, due: number, attempt: FireTry): void {
  const { missed, fire, next } = decideDue(definitionOf(row), due, tx.now);
  if (missed !== null) recordMissed(tx, row, missed);
  row.next_at = next;
  if (fire === null) return;
  row.decided_until = fire;
  fireAt(tx, row, { kind: "series", dueAt: fire, overlap: row.overlap }, attempt);
}

interface DueFire {
  readonly kind: FireKind;
  readonly dueAt: number;
  readonly overlap: Overlap;
}

/** Starts, queues or skips what is due, by what is to happen while an earlier session is open. */
function fireAt(tx: Tx, row: ScheduleRow, { kind, dueAt, overlap }: DueFire, attempt: FireTry): void {
  const open = overlap === "allow" ? undefined : openFire(tx, row.id);
  if (open === undefined && (overlap !== "queue" || row.queued === 0)) {
    begin(tx, row, { kind, dueAt }, attempt);
  } else if (overlap === "queue" && row.queued < QUEUED_MAX) {
    row.queued += 1;
    insertFire(tx, row, { kind, dueAt, outcome: "queued", reason: EARLIER_SESSION_OPEN });
  } else {
    row.skipped += 1;
    const reason = overlap === "queue" ? "queue_full" : EARLIER_SESSION_OPEN;
    insertFire(tx, row, { kind, dueAt, outcome: "skipped", reason });
  }
}

/** Starts the session of a due time, or records that it cannot be started. */
function begin(tx: Tx, row: ScheduleRow, { kind, dueAt }: Pick<DueFire, "kind" | "dueAt">, attempt: FireTry): void {
  const error = attempt.begin(kind, dueAt);
  if (error !== null) {
    countFailure(row);
    insertFire(tx, row, { kind, dueAt, outcome: "failed", error });
    return;
  }
  const session = sessionOf(tx, row, dueAt);
  countStart(row);
  // First the record: a workflow without steps ends as it starts.
  insertFire(tx, row, { kind, dueAt, outcome: "started", sessionId: session.sessionId });
  startSession(tx, session);
}

function startQueued(tx: Tx, row: ScheduleRow, { sequence, kind, due_at }: FireRow, attempt: FireTry): void {
  const error = attempt.begin(kind, due_at);
  const session = error === null ? sessionOf(tx, row, due_at) : null;
  row.queued -= 1;
  if (session === null) countFailure(row);
  else countStart(row);
  if (session !== null) tx.context.hasOpenFires = true;
  tx.run(
    `update schedule_fires set outcome = ?, reason = null, error = ?, session_id = ?, open = ?, started_at = ?
      where schedule_id = ? and sequence = ? and outcome = 'queued'`,
    session === null ? "failed" : "started",
    error === null ? null : JSON.stringify(error),
    session?.sessionId ?? null,
    session === null ? 0 : 1,
    session === null ? null : tx.now,
    row.id,
    sequence,
  );
  fireEvent(tx, row, session === null ? "failed" : "started", {
    ...{ sequence, kind, dueAt: formatTime(due_at) },
    ...(session === null ? { error: { ...error } } : { sessionId: session.sessionId }),
  });
  if (session !== null) startSession(tx, session);
}

/** Starts a session now, whatever is open. */
export function triggerSchedule(tx: Tx, id: string): FireRecord {
  const row = needSchedule(tx, id);
  begin(tx, row, { kind: "trigger", dueAt: tx.now }, new FireTry());
  return recorded(tx, row);
}

/** Fires one due time of the past; null when something was started for it, or waits to be. */
export function backfillSchedule(
  tx: Tx,
  id: string,
  due: { readonly dueAt: number; readonly overlap: Overlap },
  attempt: FireTry,
): FireRecord | null {
  const row = needSchedule(tx, id);
  const { dueAt } = due;
  // What the series itself is about to decide is left to it.
  if (isFired(tx, id, dueAt) || (row.next_at !== null && dueAt >= row.next_at)) return null;
  row.decided_until = Math.max(row.decided_until ?? dueAt, dueAt);
  fireAt(tx, row, { kind: "backfill", ...due }, attempt);
  return recorded(tx, row);
}

export function isFired(db: Pick<Tx, "get">, scheduleId: string, dueAt: number): boolean {
  const fired = db.get(
    `select 1 from schedule_fires where schedule_id = ? and due_at = ? and kind <> 'trigger'
      and (outcome = 'started' or outcome = 'queued')`,
    scheduleId,
    dueAt,
  );
  return fired !== undefined;
}

function recorded(tx: Tx, row: ScheduleRow): FireRecord {
  saveSchedule(tx, row, row.next_at);
  const fire = fireRecord(tx, row.id, row.fires);
  if (fire === null) throw new Error(`fire ${row.fires} of schedule ${row.id} is not there`);
  // The session itself is written at the end of the transaction.
  return fire.sessionId === null ? fire : { ...fire, sessionStatus: tx.session(fire.sessionId)?.status ?? null };
}

/**
 * The session to start for a due time; the newest version of its workflow is looked up now.
 * @throws OpspawnError `workflow_not_found`, `agent_not_found`, `no_target`, `input_invalid`
 */
function sessionOf(tx: Tx, row: ScheduleRow, dueAt: number): StartSession {
  const workflow = currentWorkflow(tx, row);
  const plan = tx.context.plans.get(tx, workflow.hash);
  if (row.agent_id !== null && tx.context.agents.get(row.agent_id) === undefined) {
    throw new OpspawnError("agent_not_found", `Agent not found: ${row.agent_id}`);
  }
  checkStart(plan, { agentId: row.agent_id, input: readStored(row.input), inputLoc: ["input"] });
  return {
    sessionId: tx.context.ids.uuid(),
    workflowId: plan.id,
    workflowVersion: plan.version,
    planHash: workflow.hash,
    document: workflow.document,
    agentId: row.agent_id,
    input: row.input,
    labels: { ...definitionOf(row).labels, [SCHEDULE_LABEL]: row.name, [DUE_LABEL]: formatTime(dueAt) },
    startAt: tx.now,
    callbackUrl: null,
  };
}

function currentWorkflow(tx: Tx, { workflow_id: id, workflow_version: version }: ScheduleRow): WorkflowRow {
  const row =
    version === null
      ? tx.get<WorkflowRow>(`${WORKFLOWS} where w.id = ? order by w.applied_at desc, w.version desc limit 1`, id)
      : tx.get<WorkflowRow>(`${WORKFLOWS} where w.id = ? and w.version = ?`, id, version);
  if (row !== undefined) return row;
  const which = version === null ? id : `${id} version ${version}`;
  throw new OpspawnError("workflow_not_found", `Workflow definition not found: ${which}`);
}

function countStart(row: ScheduleRow): void {
  row.started += 1;
  row.failures = 0;
}

function countFailure(row: ScheduleRow): void {
  row.failed += 1;
  row.failures += 1;
}

function recordMissed(tx: Tx, row: ScheduleRow, { from, to, count }: Missed): void {
  row.missed += count;
  row.decided_until = to;
  insertFire(tx, row, { kind: "series", dueAt: from, lastDueAt: to, count, outcome: "missed", reason: "too_late" });
}

interface NewFire {
  readonly kind: FireKind;
  readonly dueAt: number;
  readonly lastDueAt?: number;
  readonly count?: number;
  readonly outcome: FireOutcome;
  readonly reason?: string;
  readonly error?: TaskError;
  readonly sessionId?: string;
}

function insertFire(tx: Tx, row: ScheduleRow, fire: NewFire): void {
  const { kind, dueAt, lastDueAt = dueAt, count = 1, outcome, reason, error, sessionId } = fire;
  row.fires += 1;
  if (sessionId !== undefined) tx.context.hasOpenFires = true;
  tx.run(
    `insert into schedule_fires (schedule_id, sequence, kind, due_at, last_due_at, count, outcome, reason, error,
      session_id, open, decided_at, started_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.id,
    row.fires,
    kind,
    dueAt,
    lastDueAt,
    count,
    outcome,
    reason ?? null,
    error === undefined ? null : JSON.stringify(error),
    sessionId ?? null,
    sessionId === undefined ? 0 : 1,
    tx.now,
    sessionId === undefined ? null : tx.now,
  );
  fireEvent(tx, row, outcome, {
    ...{ sequence: row.fires, kind, dueAt: formatTime(dueAt) },
    ...(lastDueAt === dueAt ? {} : { lastDueAt: formatTime(lastDueAt), count }),
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : { error: { ...error } }),
    ...(sessionId === undefined ? {} : { sessionId }),
  });
}

function fireEvent(tx: Tx, row: ScheduleRow, outcome: FireOutcome, data: JsonObject): void {
  scheduleEvent(tx, row, `fire_${outcome}`, data);
}
