import { OpspawnError } from "@opspawn/contract";
import type { SessionRecord } from "../../domain/sessions/session.ts";
import type { StartSession } from "../../domain/store.ts";
import { advanceSession, drainInbox } from "./session-advance.ts";
import { toSessionRecord } from "./session-row.ts";
import { insertLabel, openSession } from "./session-start.ts";
import { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";
import { saveDefinition, saveWorkflow } from "./workflows.ts";

export function startSession(tx: Tx, start: StartSession): SessionRecord {
  saveDefinition(tx, start.planHash, start.document);
  const { sessionId: id, startAt, ...rest } = start;
  const session = openSession(tx, { ...rest, id, parent: null }, startAt);
  if (start.saveWorkflow === true) saveWorkflow(tx, session.plan, start.planHash);
  drainInbox(tx);
  return toSessionRecord(session.row);
}

export function needSession(tx: Tx, sessionId: string): SessionUnit {
  const session = SessionUnit.load(tx, sessionId);
  if (session === undefined) throw new OpspawnError("session_not_found", `Session not found: ${sessionId}`);
  return session;
}

/** @throws OpspawnError `session_not_found`, `session_terminal` */
export function needOpenSession(tx: Tx, sessionId: string): SessionUnit {
  const session = needSession(tx, sessionId);
  if (session.row.ended_at === null) return session;
  throw new OpspawnError("session_terminal", `Session ${sessionId} is ${session.status} already.`);
}

export function cancelSession(tx: Tx, sessionId: string, reason: string): SessionRecord {
  const session = needSession(tx, sessionId);
  // Asking again for what is already so changes nothing.
  if (session.status === "cancelled") return toSessionRecord(session.row);
  if (session.undoing !== null && session.row.ended_at === null) {
    const message = `Session ${sessionId} has failed and is undoing what it did; that is not interrupted.`;
    throw new OpspawnError("session_compensating", message);
  }
  if (session.row.ended_at !== null) {
    throw new OpspawnError("session_terminal", `Session ${sessionId} is ${session.status} already.`);
  }
  advanceSession(tx, session, { type: "cancel", reason });
  return toSessionRecord(session.row);
}

export function labelSession(tx: Tx, sessionId: string, labels: Readonly<Record<string, string>>): SessionRecord {
  const session = needSession(tx, sessionId);
  for (const [key, value] of Object.entries(JSON.parse(session.row.labels) as Record<string, string>)) {
    tx.run("delete from session_labels where key = ? and value = ? and session_id = ?", key, value, sessionId);
  }
  for (const [key, value] of Object.entries(labels)) insertLabel(tx, sessionId, key, value);
  session.change({ labels: JSON.stringify(labels) });
  session.event("session.labelled", { labels: { ...labels } });
  return toSessionRecord(session.row);
}
