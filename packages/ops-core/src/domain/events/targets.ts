import { type EventStreamQuery, OpspawnError } from "@opspawn/contract";
import { invalidField } from "../request-fields.ts";
import { hasEnded } from "../sessions/view.ts";
import type { Store } from "../store.ts";
import { taskTable } from "../tasks/transitions.ts";
import { needTask } from "../tasks/view.ts";
import { isTerminal } from "../transition-table.ts";
import type { Selection } from "./selection.ts";

type Filters = Pick<EventStreamQuery, "stream" | "session" | "agent" | "type">;

/** Something whose events can be followed to its end. */
export interface Target {
  readonly selection: Selection;
  /** The status in which it has ended; null while it is open. */
  readonly ended: () => Promise<string | null>;
}

/** What a question for events of the whole store asks for. */
export function selectionOf({ stream, session, agent, type }: Filters): Selection {
  if (stream !== undefined && session !== undefined) {
    throw invalidField(["query", "session"], "is a stream as well; give one of the two");
  }
  const counts = stream === undefined ? "positions" : "sequences";
  return { stream: stream ?? session ?? null, counts, agent, type };
}

/** A session, with its tasks. Errors: `session_not_found`. */
export async function sessionTarget({ sessions }: Store, id: string, type: string | undefined): Promise<Target> {
  if ((await sessions.status(id)) === null) throw new OpspawnError("session_not_found", `Session not found: ${id}`);
  const ended = async () => {
    const status = await sessions.status(id);
    return status !== null && hasEnded({ status }) ? status : null;
  };
  return { selection: { stream: id, counts: "sequences", type }, ended };
}

/** A task; one of a session is told of in its session's stream. Errors: `task_not_found`. */
export async function taskTarget(store: Store, taskId: string, type: string | undefined): Promise<Target> {
  const { id, sessionId } = await needTask(store, taskId);
  const ended = async () => {
    const { status } = await needTask(store, id);
    return isTerminal(taskTable, status) ? status : null;
  };
  const selection: Selection =
    sessionId === null
      ? { stream: id, counts: "sequences", type }
      : { stream: sessionId, counts: "sequences", taskId: id, type };
  return { selection, ended };
}
