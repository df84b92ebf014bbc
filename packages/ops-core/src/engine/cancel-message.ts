import { beginning, formatTime, isJsonObject, type JsonObject, type JsonValue, parseJson } from "@opspawn/contract";
import type { CancelMessage, CancelReceipt } from "../domain/cancellations/cancellation.ts";
import type { HttpResponse } from "../domain/http-client.ts";

const SENDER_ID = "opscore_system_id";
const NOTE_MAX = 1_000;

/**
 * A cancellation as an agent receives it: an AgentKit message of type `cancel`, which names the attempt as the message did
 * that brought it.
 * @param publicUrl where agents reach this server, without a trailing slash
 */
export function cancelMessageBody(message: CancelMessage, publicUrl: string): string {
  const { taskId, sessionId, cancellationId, reason, token, attempt, taskName, capability } = message;
  const deadline = formatTime(message.deadline);
  const task = `${publicUrl}/v1/opscore/tasks/${encodeURIComponent(taskId)}`;
  const body: JsonObject = {
    senderId: SENDER_ID,
    timestamp: formatTime(message.requestedAt),
    messageType: "cancel",
    payload: { taskId, cancellationId, reason, deadline },
    sessionContext: sessionId === null ? null : { sessionId, priorMessages: [] },
    task_name: taskName,
    opscore_session_id: sessionId,
    opscore_task_id: taskId,
    opspawn: {
      taskId,
      attempt,
      token,
      resultUrl: `${task}/result`,
      deadline,
      capability,
      cancellationId,
      cancellationUrl: `${task}/cancellation`,
    },
  };
  return JSON.stringify(body);
}

/** What the agent says in its answer: its word, if it gives one; null where it only took the message. */
export function readCancelAnswer({ body, truncated }: HttpResponse): CancelReceipt | null {
  if (truncated) return null;
  const answer = parsed(body);
  if (!isJsonObject(answer)) return null;
  const { status, note } = answer;
  if (status !== "acknowledged" && status !== "stopped" && status !== "refused") return null;
  return { status, note: typeof note === "string" && note !== "" ? beginning(note, NOTE_MAX) : null };
}

function parsed(body: HttpResponse["body"]): JsonValue {
  try {
    return parseJson(body);
  } catch {
    return null;
  }
}
