import type { JsonObject } from "@opspawn/contract";
import { type NewSession, SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";

/**
 * Brings a session into the world, with its first input waiting in the inbox of this transition.
 * @param bound what else bounds it beside its own deadline, from when it may begin; null = nothing
 */
export function openSession(tx: Tx, start: NewSession, startAt: number, bound: number | null = null): SessionUnit {
  const session = SessionUnit.create(tx, start);
  const bounds = [session.plan.deadline, bound].filter((each) => each !== null);
  if (bounds.length > 0) session.change({ wake_at: Math.max(startAt, tx.now) + Math.min(...bounds) });
  for (const [key, value] of Object.entries(start.labels)) insertLabel(tx, session.id, key, value);
  session.event("session.started", startedData(start));
  tx.inbox.push({ session, input: { type: "start" }, startAt });
  return session;
}

function startedData({ workflowId, workflowVersion, parent }: NewSession): JsonObject {
  return { workflowId, workflowVersion, ...(parent === null ? {} : { parentSessionId: parent.id }) };
}

export function insertLabel(tx: Tx, sessionId: string, key: string, value: string): void {
  tx.run("insert into session_labels (key, value, session_id) values (?, ?, ?)", key, value, sessionId);
}
