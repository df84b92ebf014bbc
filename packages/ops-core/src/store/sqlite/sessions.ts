import { OpspawnError } from "@opspawn/contract";
import type { SessionRecord, StepRecord } from "../../domain/sessions/session.ts";
import type { StepStatus } from "../../domain/sessions/transitions.ts";
import type { StartSession } from "../../domain/store.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
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

interface StepRow {
  step: number;
  status: StepStatus;
  task_id: string | null;
  agent_id: string | null;
  attempts: number | null;
  started_at: number | null;
  ended_at: number | null;
  error: string | null;
}

export const STEPS = `select s.step, s.status, s.task_id, t.agent_id, t.attempts, s.started_at, s.ended_at,
  coalesce(s.error, t.error) as error from session_steps s left join tasks t on t.id = s.task_id
  where s.session_id = ? order by s.step`;

export function toStep(row: unknown): StepRecord {
  const step = row as StepRow;
  return {
    index: step.step,
    status: step.status,
    taskId: step.task_id,
    agentId: step.agent_id,
    attempts: step.attempts ?? 0,
    startedAt: step.started_at,
    endedAt: step.ended_at,
    error: step.error === null || step.status === "completed" ? null : (JSON.parse(step.error) as TaskError),
  };
}
