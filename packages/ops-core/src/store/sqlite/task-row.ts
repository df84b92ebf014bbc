import type { JsonObject } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import { laneOf, type Requirement, type TaskError, type TaskRecord } from "../../domain/tasks/task.ts";
import type { AttemptStatus, TaskStatus } from "../../domain/tasks/transitions.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";

export interface TaskRow {
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
  wake_at: number | null;
  event_sequence: number;
}

export interface AttemptRow {
  task_id: string;
  n: number;
  token: string;
  agent_id: string;
  /** The number of the agent's slot it holds. */
  permit: number;
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
    wake_at: task.deadline,
    event_sequence: 0,
  };
}

export function insertTask(tx: Tx, row: TaskRow): void {
  tx.run(
    `insert into tasks (id, name, session_id, step, step_id, status, requirement, lane, order_key, ready_at, attempts, used,
      max, undelivered, lost, policy, fell_back, avoid_agent, agent_id, parameters, result, error, dead_letter, created_at,
      started_at, ended_at, deadline, wake_at, event_sequence)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.id,
    row.name,
    row.session_id,
    row.step,
    row.step_id,
    row.status,
    row.requirement,
    row.lane,
    row.order_key,
    row.ready_at,
    row.attempts,
    row.used,
    row.max,
    row.undelivered,
    row.lost,
    row.policy,
    row.fell_back,
    row.avoid_agent,
    row.agent_id,
    row.parameters,
    row.result,
    row.error,
    row.dead_letter,
    row.created_at,
    row.started_at,
    row.ended_at,
    row.deadline,
    row.wake_at,
    row.event_sequence,
  );
}

export function loadTask(tx: Tx, id: string): TaskRow | undefined {
  return tx.context.recent.takeTask(id) ?? tx.get<TaskRow>("select * from tasks where id = ?", id);
}

export function loadAttempt(tx: Tx, taskId: string, n: number): AttemptRow | undefined {
  const recent = tx.context.recent.takeAttempt(taskId, n);
  return recent ?? tx.get<AttemptRow>("select * from attempts where task_id = ? and n = ?", taskId, n);
}

export function insertAttempt(tx: Tx, row: AttemptRow): void {
  tx.run(
    `insert into attempts (task_id, n, token, agent_id, permit, status, epoch, sends, probe, created_at, timeout_at,
      wake_at, wake_for) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.task_id,
    row.n,
    row.token,
    row.agent_id,
    row.permit,
    row.status,
    row.epoch,
    row.sends,
    row.probe,
    row.created_at,
    row.timeout_at,
    row.wake_at,
    row.wake_for,
  );
}

/** A fact about a task, on its session's stream, or on its own when it stands alone. */
export function taskEvent(tx: Tx, task: TaskRow, type: string, data: JsonObject): void {
  if (task.session_id !== null) {
    SessionUnit.load(tx, task.session_id)?.event(type, { taskId: task.id, stepId: task.step_id, ...data });
    return;
  }
  task.event_sequence += 1;
  tx.run("update tasks set event_sequence = ? where id = ?", task.event_sequence, task.id);
  tx.event(task.id, task.event_sequence, type, { taskId: task.id, ...data });
}

/** The name under which an attempt holds its permits and its exchange. */
export function attemptId(taskId: string, n: number): string {
  return `${taskId}/${n}`;
}

export function toTaskRecord(row: TaskRow, blocked: Blocked | null): TaskRecord {
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
