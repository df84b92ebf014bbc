import type { JsonObject } from "@opspawn/contract";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import type { NewSession } from "./session-row.ts";
import { SessionUnit } from "./session-unit.ts";
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
  const { fork } = start;
  const input: SessionInput = fork === undefined ? { type: "start" } : { type: "fork", kept: fork.kept };
  tx.inbox.push({ session, input, startAt });
  return session;
}

function startedData({ workflowId, workflowVersion, parent, fork }: NewSession): JsonObject {
  const data: JsonObject = { workflowId, workflowVersion };
  if (parent !== null) data.parentSessionId = parent.id;
  if (fork !== undefined) data.fork = { of: fork.source, from: fork.from, kept: fork.kept.size };
  return data;
}

export function insertLabel(tx: Tx, sessionId: string, key: string, value: string): void {
  tx.run("insert into session_labels (key, value, session_id) values (?, ?, ?)", key, value, sessionId);
}
