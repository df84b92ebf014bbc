import type { SQLInputValue } from "node:sqlite";
import type { JsonObject } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import { laneOf, type Requirement, type TaskError, type TaskRecord } from "../../domain/tasks/task.ts";
import type { AttemptStatus, TaskStatus } from "../../domain/tasks/transitions.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";

/** What a row of `tasks` says of the task itself. */
export interface TaskColumns {
  id: string;
  name: string;
  session_id: string | null;
  step: number | null;
  step_id: string | null;
  status: TaskStatus;
  requirement: string;
  lane: string;
  order_key: number;
  ready_at: number;
  attempts: number;
  used: number;
  max: number;
  undelivered: number;
  lost: number;
  policy: string;
  fell_back: number;
  avoid_agent: string | null;
  agent_id: string | null;
  parameters: string;
  result: string | null;
  error: string | null;
  dead_letter: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  deadline: number;
  event_sequence: number;
}

/** A task and its last attempt: one row, read and written together. */
export interface TaskRow extends TaskColumns {
  last: AttemptRow | null;
}

export interface AttemptRow {
  task_id: string;
  n: number;
  token: string;
  agent_id: string;
  /** The number of the agent's slot it holds while it is open. */
  slot: number;
  status: AttemptStatus;
  epoch: number;
  sends: number;
  probe: number;
  counted: number;
  created_at: number;
  acknowledged_at: number | null;
  ended_at: number | null;
  timeout_at: number;
  wake_at: number | null;
  wake_for: "timeout" | "resend" | "grace" | null;
  moved: number;
  evidence: string | null;
  error: string | null;
}

export interface NewTask {
  readonly id: string;
  readonly name: string;
  readonly sessionId: string | null;
  readonly step: number | null;
  readonly stepId: string | null;
  readonly requirement: Requirement;
  readonly orderKey: number;
  readonly readyAt: number;
  readonly deadline: number;
  readonly policy: TaskPolicy;
  readonly parameters: string;
}

export function newTaskRow(task: NewTask, now: number): TaskRow {
  return {
    id: task.id,
    name: task.name,
    session_id: task.sessionId,
    step: task.step,
    step_id: task.stepId,
    status: "pending",
    requirement: JSON.stringify(task.requirement),
    lane: laneOf(task.requirement),
    order_key: task.orderKey,
    ready_at: task.readyAt,
    attempts: 0,
    used: 0,
    max: task.policy.retry.maxAttempts,
    undelivered: 0,
    lost: 0,
    policy: JSON.stringify(task.policy),
    fell_back: 0,
    avoid_agent: null,
    agent_id: null,
    parameters: task.parameters,
    result: null,
    error: null,
    dead_letter: null,
    created_at: now,
    started_at: null,
    ended_at: null,
    deadline: task.deadline,
    event_sequence: 0,
    last: null,
  };
}

/** The task as this transition has left it so far. */
export function loadTask(tx: Tx, id: string): TaskRow | undefined {
  return tx.tasks.load(tx, id);
}

/** The `n`th attempt of a task; changes to the last one are written with the task. */
export function loadAttempt(tx: Tx, task: TaskRow, n: number): AttemptRow | undefined {
  if (n === task.attempts) return task.last ?? undefined;
  return tx.get<AttemptRow>("select * from attempts where task_id = ? and n = ?", task.id, n);
}

/** Changes a task; it is written once, before the transition's next query or at its end. */
export function changeTask(tx: Tx, task: TaskRow, change: Partial<TaskColumns>): void {
  Object.assign(task, change);
  tx.tasks.changed(tx, task);
}

/** Changes the last attempt of a task. */
export function changeAttempt(tx: Tx, task: TaskRow, attempt: AttemptRow, change: Partial<AttemptRow>): void {
  if (task.last !== attempt) throw new Error(`attempt ${attempt.n} of ${task.id} is not its last`);
  Object.assign(attempt, change);
  tx.tasks.changed(tx, task);
}

/** Begins an attempt; the one before it is filed. */
export function beginAttempt(tx: Tx, task: TaskRow, attempt: AttemptRow): void {
  if (task.last !== null) fileAttempt(tx, task.last);
  task.last = attempt;
  changeTask(tx, task, { attempts: attempt.n, agent_id: attempt.agent_id });
}

function fileAttempt(tx: Tx, row: AttemptRow): void {
  tx.run(
    `insert into past_attempts (task_id, n, token, agent_id, slot, status, epoch, sends, probe, counted, created_at,
      acknowledged_at, ended_at, timeout_at, moved, evidence, error)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.task_id,
    row.n,
    row.token,
    row.agent_id,
    row.slot,
    row.status,
    row.epoch,
    row.sends,
    row.probe,
    row.counted,
    row.created_at,
    row.acknowledged_at,
    row.ended_at,
    row.timeout_at,
    row.moved,
    row.evidence,
    row.error,
  );
}

/** A fact about a task, on its session's stream, or on its own when it stands alone. */
export function taskEvent(tx: Tx, task: TaskRow, type: string, data: JsonObject): void {
  if (task.session_id !== null) {
    SessionUnit.load(tx, task.session_id)?.event(type, { taskId: task.id, stepId: task.step_id, ...data });
    return;
  }
  changeTask(tx, task, { event_sequence: task.event_sequence + 1 });
  tx.event(task.id, task.event_sequence, type, { taskId: task.id, ...data });
}

/** The name under which an attempt has its exchange. */
export function attemptId(taskId: string, n: number): string {
  return `${taskId}/${n}`;
}

const FIXED = "id, name, session_id, step, step_id, order_key, policy, parameters, created_at, deadline".split(", ");
const CHANGING = `status, requirement, lane, ready_at, attempts, used, max, undelivered, lost, fell_back, avoid_agent,
  agent_id, result, error, dead_letter, started_at, ended_at, event_sequence, wake_at, token, slot, attempt_status, epoch,
  sends, probe, counted, attempt_created_at, acknowledged_at, attempt_ended_at, timeout_at, wake_for, moved, evidence,
  attempt_error`.split(/,\s+/);

const ALL = [...FIXED, ...CHANGING];
export const INSERT_TASK = `insert into tasks (${ALL.join(", ")}) values (${ALL.map(() => "?").join(", ")})`;
export const UPDATE_TASK = `update tasks set ${CHANGING.map((column) => `${column} = ?`).join(", ")} where id = ?`;

/** In the order of `INSERT_TASK`. */
export function insertValues(row: TaskRow): SQLInputValue[] {
  return [
    row.id,
    row.name,
    row.session_id,
    row.step,
    row.step_id,
    row.order_key,
    row.policy,
    row.parameters,
    row.created_at,
    row.deadline,
    ...changingValues(row),
  ];
}

/** In the order of `UPDATE_TASK`. */
export function updateValues(row: TaskRow): SQLInputValue[] {
  const values = changingValues(row);
  values.push(row.id);
  return values;
}

function changingValues(row: TaskRow): SQLInputValue[] {
  const { last } = row;
  return [
    row.status,
    row.requirement,
    row.lane,
    row.ready_at,
    row.attempts,
    row.used,
    row.max,
    row.undelivered,
    row.lost,
    row.fell_back,
    row.avoid_agent,
    row.agent_id,
    row.result,
    row.error,
    row.dead_letter,
    row.started_at,
    row.ended_at,
    row.event_sequence,
    wakeAt(row),
    ...(last === null ? NO_ATTEMPT : attemptValues(last)),
  ];
}

const NO_ATTEMPT: null[] = CHANGING.slice(CHANGING.indexOf("token")).map(() => null);

function attemptValues(row: AttemptRow): SQLInputValue[] {
  return [
    row.token,
    row.slot,
    row.status,
    row.epoch,
    row.sends,
    row.probe,
    row.counted,
    row.created_at,
    row.acknowledged_at,
    row.ended_at,
    row.timeout_at,
    row.wake_for,
    row.moved,
    row.evidence,
    row.error,
  ];
}

/** When something must be decided about it: the deadline while it waits, its attempt's next moment while it runs. */
export function wakeAt(row: TaskRow): number | null {
  if (row.status === "pending") return row.deadline;
  return row.status === "running" ? (row.last?.wake_at ?? null) : null;
}

/** A row of `tasks` as it is stored. */
export interface StoredTask extends TaskColumns {
  wake_at: number | null;
  token: string | null;
  slot: number;
  attempt_status: AttemptStatus;
  epoch: number;
  sends: number;
  probe: number;
  counted: number;
  attempt_created_at: number;
  acknowledged_at: number | null;
  attempt_ended_at: number | null;
  timeout_at: number;
  wake_for: AttemptRow["wake_for"];
  moved: number;
  evidence: string | null;
  attempt_error: string | null;
}

export function toTaskRow(stored: StoredTask): TaskRow {
  return {
    id: stored.id,
    name: stored.name,
    session_id: stored.session_id,
    step: stored.step,
    step_id: stored.step_id,
    status: stored.status,
    requirement: stored.requirement,
    lane: stored.lane,
    order_key: stored.order_key,
    ready_at: stored.ready_at,
    attempts: stored.attempts,
    used: stored.used,
    max: stored.max,
    undelivered: stored.undelivered,
    lost: stored.lost,
    policy: stored.policy,
    fell_back: stored.fell_back,
    avoid_agent: stored.avoid_agent,
    agent_id: stored.agent_id,
    parameters: stored.parameters,
    result: stored.result,
    error: stored.error,
    dead_letter: stored.dead_letter,
    created_at: stored.created_at,
    started_at: stored.started_at,
    ended_at: stored.ended_at,
    deadline: stored.deadline,
    event_sequence: stored.event_sequence,
    last: stored.token === null ? null : toLastAttempt(stored, stored.token),
  };
}

function toLastAttempt(stored: StoredTask, token: string): AttemptRow {
  return {
    task_id: stored.id,
    n: stored.attempts,
    token,
    agent_id: stored.agent_id ?? "",
    slot: stored.slot,
    status: stored.attempt_status,
    epoch: stored.epoch,
    sends: stored.sends,
    probe: stored.probe,
    counted: stored.counted,
    created_at: stored.attempt_created_at,
    acknowledged_at: stored.acknowledged_at,
    ended_at: stored.attempt_ended_at,
    timeout_at: stored.timeout_at,
    wake_at: stored.status === "running" ? stored.wake_at : null,
    wake_for: stored.wake_for,
    moved: stored.moved,
    evidence: stored.evidence,
    error: stored.attempt_error,
  };
}

export function toTaskRecord(row: TaskColumns, blocked: Blocked | null): TaskRecord {
  return {
    id: row.id,
    name: row.name,
    sessionId: row.session_id,
    stepId: row.step_id,
    status: row.status,
    requirement: JSON.parse(row.requirement) as Requirement,
    fellBack: row.fell_back === 1,
    agentId: row.agent_id,
    used: row.used,
    max: row.max,
    readyAt: row.ready_at,
    deadline: row.deadline,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    parameters: row.parameters,
    result: row.result,
    error: row.error === null ? null : (JSON.parse(row.error) as TaskError),
    deadLetter: row.dead_letter !== null,
    blocked,
  };
}
