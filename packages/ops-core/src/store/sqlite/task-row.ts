import type { JsonObject } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import { limitsText, readLimits, type TaskLimits } from "../../domain/tasks/limits.ts";
import { laneOf, type Requirement, type TaskError, type TaskRecord, toolOf } from "../../domain/tasks/task.ts";
import type { AttemptStatus, TaskStatus } from "../../domain/tasks/transitions.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { SessionUnit } from "./session-unit.ts";
import { ATTEMPT_COLUMNS, OF_ATTEMPT } from "./stored-task.ts";
import type { Tx } from "./tx.ts";

/** What a row of `tasks` says of the task itself. */
export interface TaskColumns {
  id: string;
  name: string;
  session_id: string | null;
  step: number | null;
  step_id: string | null;
  /** The item of a `forEach`, the iteration of a `repeat`, else 0. */
  part: number;
  /** 1: it undoes that part of the step. */
  undoes: number;
  /** 1 while its session is paused: no claim finds it. */
  held: number;
  /** The dead letter it was made from. */
  redrive_of: string | null;
  /** See `limitsText`; null where nothing limits it. */
  limits: string | null;
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
  /** Null for the attempt of a tool, which the task's lane names. */
  agent_id: string | null;
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
  readonly part?: number;
  readonly undoes?: boolean;
  readonly redriveOf?: string;
  readonly limits?: TaskLimits | null;
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
    part: task.part ?? 0,
    undoes: task.undoes === true ? 1 : 0,
    held: 0,
    redrive_of: task.redriveOf ?? null,
    limits: task.limits == null ? null : limitsText(task.limits),
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
  tx.tasks.changed(tx, task, Object.keys(change));
}

/** Changes the last attempt of a task. */
export function changeAttempt(tx: Tx, task: TaskRow, attempt: AttemptRow, change: Partial<AttemptRow>): void {
  if (task.last !== attempt) throw new Error(`attempt ${attempt.n} of ${task.id} is not its last`);
  Object.assign(attempt, change);
  tx.tasks.changed(
    tx,
    task,
    Object.keys(change).map((column) => ATTEMPT_COLUMNS[column] ?? column),
  );
}

/** Begins an attempt; the one before it is filed. */
export function beginAttempt(tx: Tx, task: TaskRow, attempt: AttemptRow): void {
  if (task.last !== null) fileAttempt(tx, task.last);
  task.last = attempt;
  changeTask(tx, task, { attempts: attempt.n, agent_id: attempt.agent_id });
  tx.tasks.changed(tx, task, OF_ATTEMPT);
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

/** An attempt in the facts about it: its number, and whose it is. */
export function attemptFacts(
  task: Pick<TaskRow, "lane">,
  { n, agent_id }: Pick<AttemptRow, "n" | "agent_id">,
): JsonObject {
  if (agent_id !== null) return { number: n, agentId: agent_id };
  return { number: n, agentId: null, tool: toolOf(task.lane) };
}

/** Whether a task has to be held. Its session is at hand: it gets the events of its tasks. */
export function isSessionPaused(tx: Tx, task: TaskRow): boolean {
  return task.session_id !== null && SessionUnit.load(tx, task.session_id)?.status === "paused";
}

/** The name under which an attempt has its exchange. */
export function attemptId(taskId: string, n: number): string {
  return `${taskId}/${n}`;
}

export function toTaskRecord(row: TaskColumns, blocked: Blocked | null): TaskRecord {
  return {
    id: row.id,
    name: row.name,
    sessionId: row.session_id,
    stepId: row.step_id,
    undoes: row.undoes === 1,
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
    redriveOf: row.redrive_of,
    limits: row.limits === null ? null : readLimits(row.limits),
    blocked,
  };
}
