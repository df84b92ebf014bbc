import { OpspawnError } from "@opspawn/contract";
import type { SessionRecord, StepRecord } from "../../domain/sessions/session.ts";
import type { StepStatus } from "../../domain/sessions/transitions.ts";
import type { StartSession } from "../../domain/store.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { TaskStatus } from "../../domain/tasks/transitions.ts";
import { advanceSession } from "./session-advance.ts";
import { SESSION_FORMAT, SessionUnit, toSessionRecord } from "./session-unit.ts";
import type { Tx } from "./tx.ts";
import { saveDefinition, saveWorkflow } from "./workflows.ts";

export function startSession(tx: Tx, start: StartSession): SessionRecord {
  saveDefinition(tx, start.planHash, start.document);
  const session = SessionUnit.create(tx, {
    id: start.sessionId,
    format: SESSION_FORMAT,
    workflow_id: start.workflowId,
    workflow_version: start.workflowVersion,
    plan_hash: start.planHash,
    agent_id: start.agentId,
    status: "started",
    labels: JSON.stringify(start.labels),
    input: start.input,
    result: null,
    error: null,
    failure: null,
    failed_steps: "[]",
    open: 0,
    ended: 0,
    next_key: 0,
    event_sequence: 0,
    callback_url: start.callbackUrl,
    created_at: tx.now,
    updated_at: tx.now,
    ended_at: null,
    wake_at: null,
  });
  if (start.saveWorkflow === true) saveWorkflow(tx, session.plan, start.planHash);
  if (session.plan.deadline !== null)
    session.change({ wake_at: Math.max(start.startAt, tx.now) + session.plan.deadline });
  for (const [key, value] of Object.entries(start.labels)) insertLabel(tx, session.id, key, value);
  session.event("session.started", { workflowId: start.workflowId, workflowVersion: start.workflowVersion });
  advanceSession(tx, session, { type: "start" }, start.startAt);
  return toSessionRecord(session.row);
}

function insertLabel(tx: Tx, sessionId: string, key: string, value: string): void {
  tx.run("insert into session_labels (key, value, session_id) values (?, ?, ?)", key, value, sessionId);
}

function need(tx: Tx, sessionId: string): SessionUnit {
  const session = SessionUnit.load(tx, sessionId);
  if (session === undefined) throw new OpspawnError("session_not_found", `Session not found: ${sessionId}`);
  return session;
}

export function cancelSession(tx: Tx, sessionId: string, reason: string): SessionRecord {
  const session = need(tx, sessionId);
  // Asking again for what is already so changes nothing.
  if (session.status === "cancelled") return toSessionRecord(session.row);
  if (session.row.ended_at !== null) {
    throw new OpspawnError("session_terminal", `Session ${sessionId} is ${session.status} already.`);
  }
  advanceSession(tx, session, { type: "cancel", reason });
  return toSessionRecord(session.row);
}

export function labelSession(tx: Tx, sessionId: string, labels: Readonly<Record<string, string>>): SessionRecord {
  const session = need(tx, sessionId);
  for (const [key, value] of Object.entries(JSON.parse(session.row.labels) as Record<string, string>)) {
    tx.run("delete from session_labels where key = ? and value = ? and session_id = ?", key, value, sessionId);
  }
  for (const [key, value] of Object.entries(labels)) insertLabel(tx, sessionId, key, value);
  session.change({ labels: JSON.stringify(labels) });
  session.event("session.labelled", { labels: { ...labels } });
  return toSessionRecord(session.row);
}

export interface StepRow {
  step: number;
  status: StepStatus | TaskStatus;
  task_id: string | null;
  agent_id: string | null;
  attempts: number;
  started_at: number | null;
  ended_at: number | null;
  error: string | null;
}

/** The steps something is known of: as their tasks are, else as their own row says. */
export const STEPS = `select step, status, id as task_id, agent_id, attempts, created_at as started_at, ended_at, error
  from tasks where session_id = :session
  union all select step, status, null, null, 0, null, ended_at, error from session_steps s where session_id = :session
    and not exists (select 1 from tasks t where t.session_id = s.session_id and t.step = s.step)
  order by step`;

export function toStep(row: StepRow): StepRecord {
  const status = row.task_id !== null && row.status === "pending" ? "running" : row.status;
  return {
    index: row.step,
    status,
    taskId: row.task_id,
    agentId: row.agent_id,
    attempts: row.attempts,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    error: row.error === null || status === "completed" ? null : (JSON.parse(row.error) as TaskError),
  };
}
