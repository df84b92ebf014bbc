import { type Assignment, formatTime, isJsonObject, type JsonObject } from "@opspawn/contract";
import { readStored } from "../stored-json.ts";
import type { ClaimedAttempt } from "./task.ts";

/** Who sends the work, and what kind of message it is, in the originals' words. */
const SENDER = "opscore_system_id";
const MESSAGE_TYPE = "workflow_task";

/**
 * A task as an agent receives it, by whichever channel: the originals' eight keys, and one more. The same on each
 * resend of an attempt.
 * @param publicUrl where agents reach us, without a slash at the end
 */
export function assignmentOf(attempt: ClaimedAttempt, publicUrl: string): Assignment {
  const { taskId, taskName, sessionId, token } = attempt;
  return {
    senderId: SENDER,
    timestamp: formatTime(attempt.createdAt),
    messageType: MESSAGE_TYPE,
    payload: payloadOf(attempt.parameters),
    sessionContext: sessionId === null ? null : { sessionId, priorMessages: [] },
    task_name: taskName,
    opscore_session_id: sessionId,
    opscore_task_id: taskId,
    opspawn: {
      taskId,
      attempt: attempt.attempt,
      token,
      resultUrl: `${publicUrl}/v1/opscore/tasks/${encodeURIComponent(taskId)}/result`,
      deadline: formatTime(attempt.timeoutAt),
      capability: attempt.capability,
    },
  };
}

/** The message format asks for an object. */
function payloadOf(parameters: string): JsonObject {
  const value = readStored(parameters);
  return isJsonObject(value) ? value : { value };
}
