import assert from "node:assert/strict";
import { test } from "node:test";
import { assignmentOf } from "./assignment.ts";
import type { ClaimedAttempt } from "./task.ts";

const ATTEMPT: ClaimedAttempt = {
  taskId: "task_/1",
  taskName: "a task",
  sessionId: null,
  workflowId: null,
  attempt: 3,
  token: "3.secret",
  epoch: 1,
  send: 1,
  agentId: "a",
  agentName: "a",
  tool: null,
  endpoint: null,
  parameters: '{"n":12345678901234567890}',
  createdAt: 1_750_000_000_000_000,
  timeoutAt: 1_750_000_120_000_000,
  announced: false,
  explicit: false,
  capability: "read",
};

test("an assignment names its task, attempt and token, and where its result goes", () => {
  const assignment = assignmentOf(ATTEMPT, "http://us.test");
  assert.deepEqual(assignment.opspawn, {
    taskId: "task_/1",
    attempt: 3,
    token: "3.secret",
    resultUrl: "http://us.test/v1/opscore/tasks/task_%2F1/result",
    deadline: "2025-06-15T15:08:40.000000Z",
    capability: "read",
  });
  assert.equal(JSON.stringify(assignment.payload), '{"n":12345678901234567890}');
});

test("what belongs to no session says so; what belongs to one names it twice, as the originals did", () => {
  const alone = assignmentOf(ATTEMPT, "");
  assert.deepEqual([alone.sessionContext, alone.opscore_session_id], [null, null]);
  const sessionId = "0198c0de-0000-7000-8000-00000000abcd";
  const { sessionContext, opscore_session_id } = assignmentOf({ ...ATTEMPT, sessionId }, "");
  assert.deepEqual([sessionContext, opscore_session_id], [{ sessionId, priorMessages: [] }, sessionId]);
});

test("parameters that are no object are wrapped in one, as the message format asks for", () => {
  assert.deepEqual(assignmentOf({ ...ATTEMPT, parameters: "[1]" }, "").payload, { value: [1] });
});
