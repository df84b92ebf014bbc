import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTime, type JsonObject } from "@opspawn/contract";
import type { CancelMessage } from "../domain/cancellations/cancellation.ts";
import type { HttpResult } from "../domain/http-client.ts";
import { cancelMessageBody, readCancelAnswer } from "./cancel-message.ts";
import { response } from "./test-http.ts";

const NOW = 1_800_000_000_000_000;
const MESSAGE: CancelMessage = {
  cancellationId: "can_1",
  taskId: "task_1",
  token: "2.secret",
  attempt: 2,
  taskName: "a task",
  sessionId: "ses_1",
  capability: "work",
  reason: "no more",
  requestedAt: NOW,
  deadline: NOW + 60_000_000,
};

function answered(result: HttpResult) {
  assert.ok(result.kind === "response");
  return readCancelAnswer(result);
}

test("a cancel message has the originals' eight keys, and names the attempt as its task's message did", () => {
  const body = JSON.parse(cancelMessageBody(MESSAGE, "http://us.test")) as JsonObject;
  const deadline = formatTime(MESSAGE.deadline);
  assert.deepEqual(body, {
    senderId: "opscore_system_id",
    timestamp: formatTime(NOW),
    messageType: "cancel",
    payload: { taskId: "task_1", cancellationId: "can_1", reason: "no more", deadline },
    sessionContext: { sessionId: "ses_1", priorMessages: [] },
    task_name: "a task",
    opscore_session_id: "ses_1",
    opscore_task_id: "task_1",
    opspawn: {
      taskId: "task_1",
      attempt: 2,
      token: "2.secret",
      resultUrl: "http://us.test/v1/opscore/tasks/task_1/result",
      deadline,
      capability: "work",
      cancellationId: "can_1",
      cancellationUrl: "http://us.test/v1/opscore/tasks/task_1/cancellation",
    },
  });
  const alone = JSON.parse(cancelMessageBody({ ...MESSAGE, sessionId: null }, "http://us.test")) as JsonObject;
  assert.deepEqual([alone.sessionContext, alone.opscore_session_id], [null, null]);
});

test("only the three words are words; anything else is an answer that says nothing", () => {
  for (const status of ["acknowledged", "stopped", "refused"]) {
    assert.deepEqual(answered(response(200, { status })), { status, note: null });
  }
  assert.deepEqual(answered(response(200, { status: "refused", note: "x".repeat(2_000) }))?.note?.length, 1_000);
  for (const body of ["", "[]", "nonsense", { status: "completed" }, { status: "unknown" }, { status: 1 }]) {
    assert.equal(answered(response(200, body)), null);
  }
});
