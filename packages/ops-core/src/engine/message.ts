import { formatTime } from "@opspawn/contract";
import type { ClaimedAttempt } from "../domain/tasks/task.ts";

/** Who the originals said sends workflow tasks. */
const SENDER_ID = "opscore_system_id";

/**
 * An attempt as an AgentKit message: the originals' eight keys, nulls too, and `opspawn`. Parameters go out as the very
 * text that was stored.
 * @param publicUrl where agents reach this server, without a trailing slash
 */
export function messageBody(attempt: ClaimedAttempt, publicUrl: string): string {
  const session = attempt.sessionId === null ? "null" : `{"sessionId":"${attempt.sessionId}","priorMessages":[]}`;
  return (
    `{"senderId":"${SENDER_ID}","timestamp":"${formatTime(attempt.createdAt)}","messageType":"workflow_task",` +
    `"payload":${attempt.parameters},"sessionContext":${session},"task_name":${JSON.stringify(attempt.taskName)},` +
    `"opscore_session_id":${attempt.sessionId === null ? "null" : `"${attempt.sessionId}"`},` +
    `"opscore_task_id":"${attempt.taskId}","opspawn":{"taskId":"${attempt.taskId}","attempt":${attempt.attempt},` +
    `"token":"${attempt.token}","resultUrl":"${publicUrl}/v1/opscore/tasks/${attempt.taskId}/result",` +
    `"deadline":"${formatTime(attempt.timeoutAt)}","capability":${JSON.stringify(attempt.capability)}}}`
  );
}

/** The headers of a delivery; the key is the task's, so an agent that remembers it has one effect over all attempts. */
export function messageHeaders(attempt: ClaimedAttempt, spanId: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "idempotency-key": attempt.taskId,
    "x-opspawn-attempt": String(attempt.attempt),
    "x-opspawn-token": attempt.token,
    traceparent: `00-${traceId(attempt)}-${spanId}-01`,
  };
}

/** A session (or a task that stands alone) is one trace; its id is already 128 bits. */
function traceId(attempt: ClaimedAttempt): string {
  const id = attempt.sessionId ?? attempt.taskId.slice("task_".length);
  return id.replaceAll("-", "");
}
