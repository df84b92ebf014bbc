import { type JsonObject, stringifyJson } from "@opspawn/contract";
import type { TaskError } from "../../domain/tasks/task.ts";
import { sessionOutput } from "../../domain/workflows/data.ts";
import { tellParent } from "./children.ts";
import { enqueueSessionWebhook } from "./deliveries.ts";
import type { SessionUnit } from "./session-unit.ts";
import { refusal } from "./step-failure.ts";
import { scopeOf } from "./step-scope.ts";
import type { Tx } from "./tx.ts";

const STATUS_EVENT = {
  completed: "session.completed",
  failed: "session.failed",
  cancelled: "session.cancelled",
} as const;

interface End {
  readonly status: "completed" | "failed" | "cancelled";
  readonly error: TaskError | null;
  readonly result: string | null;
}

/** Ends a session, with everything that is told of it: its waiters, its webhook, the step it belongs to. */
export function finishSession(tx: Tx, session: SessionUnit, status: End["status"], error: TaskError | null): void {
  const end = status === "completed" ? completed(tx, session) : { status, error, result: null };
  session.change({
    status: end.status,
    result: end.result,
    error: end.error === null ? null : JSON.stringify(end.error),
    ended_at: tx.now,
    wake_at: null,
  });
  session.event(STATUS_EVENT[end.status], { ...errorData(end.error), ...compensationData(session) });
  tx.hints.endedSessions.push(session.id);
  if (session.row.callback_url !== null) enqueueSessionWebhook(tx, session);
  if (session.row.parent_id !== null) tellParent(tx, session);
}

function completed(tx: Tx, session: SessionUnit): End {
  try {
    const result = stringifyJson(sessionOutput(session.plan, scopeOf(tx, session)));
    return { status: "completed", error: null, result };
  } catch (failure) {
    return { status: "failed", error: refusal(failure), result: null };
  }
}

function errorData(error: TaskError | null): JsonObject {
  return error === null ? {} : { error: { ...error } };
}

function compensationData({ undoing }: SessionUnit): JsonObject {
  return undoing === null ? {} : { compensation: undoing.failed === 0 ? "complete" : "incomplete" };
}
