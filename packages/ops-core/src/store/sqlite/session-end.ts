import { type JsonObject, stringifyJson } from "@opspawn/contract";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import { sessionOutput } from "../../domain/workflows/data.ts";
import { tellParent } from "./children.ts";
import { enqueueSessionWebhook } from "./deliveries.ts";
import { noteSessionEnd } from "./schedule-ends.ts";
import type { SessionUnit } from "./session-unit.ts";
import { refusal } from "./step-failure.ts";
import { scopeOf } from "./step-scope.ts";
import type { Tx } from "./tx.ts";

const STATUS_EVENT = {
  completed: "session.completed",
  failed: "session.failed",
  cancelled: "session.cancelled",
} as const;

/**
 * Ends a session, with everything that is told of it: its waiters, its webhook, the step it belongs to. Null, unless its
 * result cannot be told: that fails it.
 */
export function finishSession(
  tx: Tx,
  session: SessionUnit,
  status: keyof typeof STATUS_EVENT,
  error: TaskError | null,
): SessionInput | null {
  let result: string | null = null;
  if (status === "completed") {
    try {
      result = stringifyJson(sessionOutput(session.plan, scopeOf(tx, session)));
    } catch (failure) {
      return { type: "output_failed", error: refusal(failure) };
    }
  }
  session.change({
    status,
    result,
    error: error === null ? null : JSON.stringify(error),
    ended_at: tx.now,
    wake_at: null,
    pause: null,
  });
  session.event(STATUS_EVENT[status], { ...errorData(error), ...compensationData(session) });
  tx.hints.endedSessions.push(session.id);
  noteSessionEnd(tx, session.id);
  if (session.row.callback_url !== null) enqueueSessionWebhook(tx, session);
  if (session.row.parent_id !== null) tellParent(tx, session);
  return null;
}

function errorData(error: TaskError | null): JsonObject {
  return error === null ? {} : { error: { ...error } };
}

function compensationData({ undoing }: SessionUnit): JsonObject {
  return undoing === null ? {} : { compensation: undoing.failed === 0 ? "complete" : "incomplete" };
}
