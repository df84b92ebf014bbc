import { OpspawnError } from "@opspawn/contract";
import type { Pause, SessionRecord } from "../../domain/sessions/session.ts";
import { notePause } from "./pause-mark.ts";
import { advanceSession } from "./session-advance.ts";
import { toSessionRecord } from "./session-row.ts";
import { SessionUnit } from "./session-unit.ts";
import { needOpenSession } from "./sessions.ts";
import type { Tx } from "./tx.ts";
import { beginToWait } from "./waiting.ts";

/**
 * Gives nothing new of a session out, nor of those that are its steps. Asking again changes nothing, but that a session
 * which is paused with the one above it stays so when that one goes on.
 * @throws OpspawnError `session_not_found`, `session_terminal`, `session_compensating`
 */
export function pauseSession(tx: Tx, sessionId: string, by: string, reason: string | null): SessionRecord {
  const session = needOpenSession(tx, sessionId);
  const before = session.row.pause === null ? null : (JSON.parse(session.row.pause) as Pause);
  if (before?.sessionId === sessionId) return toSessionRecord(session.row);
  if (before === null && session.undoing !== null) {
    const message = `Session ${sessionId} has failed and is undoing what it did; that is not interrupted.`;
    throw new OpspawnError("session_compensating", message);
  }
  pause(tx, session, { sessionId, by, reason, since: tx.now });
  return toSessionRecord(session.row);
}

function pause(tx: Tx, session: SessionUnit, why: Pause): void {
  notePause(session, why);
  advanceSession(tx, session, { type: "pause" });
  tx.run("update tasks set held = 1 where session_id = ? and status = 'pending' and held = 0", session.id);
  for (const child of openChildren(tx, session.id)) {
    // What is being undone is not interrupted; what was paused for itself stays so.
    if (child.undoing === null && child.row.pause === null) pause(tx, child, why);
  }
}

/**
 * Lets a session go on, and with it those that are its steps, unless they were paused for themselves.
 * @throws OpspawnError `session_not_found`, `session_terminal`, `parent_paused`
 */
export function resumeSession(tx: Tx, sessionId: string, by: string): SessionRecord {
  const session = needOpenSession(tx, sessionId);
  if (session.row.pause === null) return toSessionRecord(session.row);
  const parent = session.row.parent_id === null ? undefined : SessionUnit.load(tx, session.row.parent_id);
  if (parent?.status === "paused") {
    const message = `Session ${sessionId} is a step of session ${parent.id}, which is paused. Resume that one first.`;
    throw new OpspawnError("parent_paused", message);
  }
  resume(tx, session, by);
  return toSessionRecord(session.row);
}

function resume(tx: Tx, session: SessionUnit, by: string): void {
  session.change({ pause: null });
  session.event("session.resumed", { by });
  advanceSession(tx, session, { type: "resume" });
  giveOut(tx, session.id);
  for (const child of openChildren(tx, session.id)) {
    const why = child.row.pause === null ? null : (JSON.parse(child.row.pause) as Pause);
    if (why !== null && why.sessionId !== child.id) resume(tx, child, by);
  }
}

/** What was held may be claimed; it keeps its place. */
function giveOut(tx: Tx, sessionId: string): void {
  const lines = tx.all<{ lane: string; limits: string | null }>(
    "select distinct lane, limits from tasks where session_id = ? and status = 'pending' and held = 1",
    sessionId,
  );
  tx.run("update tasks set held = 0 where session_id = ? and held = 1", sessionId);
  tx.touch();
  for (const line of lines) beginToWait(tx, { ...line, order_key: Number.NEGATIVE_INFINITY });
}

function openChildren(tx: Tx, parentId: string): SessionUnit[] {
  const rows = tx.all<{ id: string }>("select id from sessions where parent_id = ? and ended_at is null", parentId);
  return rows.flatMap(({ id }) => SessionUnit.load(tx, id) ?? []);
}
