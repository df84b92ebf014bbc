import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assignmentOf } from "../domain/tasks/assignment.ts";
import type { ClaimedAttempt } from "../domain/tasks/task.ts";
import { messageBody, messageHeaders } from "./message.ts";

const ID = "0198c0de-0000-7000-8000-00000000abcd";

function attempt(rest: Partial<ClaimedAttempt> = {}): ClaimedAttempt {
  return {
    taskId: `task_${ID}`,
    taskName: "a task",
    sessionId: ID,
    workflowId: "flow",
    attempt: 1,
    token: "1.secret",
    epoch: 1,
    send: 1,
    agentId: "a",
    agentName: "a",
    tool: null,
    endpoint: "http://a.test/",
    parameters: "{}",
    createdAt: 1_750_000_000_123_456,
    timeoutAt: 1_750_000_120_123_456,
    announced: false,
    explicit: false,
    capability: null,
    ...rest,
  };
}

test("a message has the originals' eight keys, nulls too, and `opspawn`", () => {
  assert.deepEqual(JSON.parse(messageBody(attempt({ sessionId: null }), "http://us.test")), {
    senderId: "opscore_system_id",
    timestamp: "2025-06-15T15:06:40.123456Z",
    messageType: "workflow_task",
    payload: {},
    sessionContext: null,
    task_name: "a task",
    opscore_session_id: null,
    opscore_task_id: `task_${ID}`,
    opspawn: {
      taskId: `task_${ID}`,
      attempt: 1,
      token: "1.secret",
      resultUrl: `http://us.test/v1/opscore/tasks/task_${ID}/result`,
      deadline: "2025-06-15T15:08:40.123456Z",
      capability: null,
    },
  });
});

/** What could have come in: the reader of JSON refuses keys that reach into prototypes. */
const stored = fc.json({ maxDepth: 3 }).filter((text) => !/__proto__|constructor|prototype/.test(text));

test("agents that are sent their work and agents that ask for it get the same", () => {
  fc.assert(
    fc.property(fc.string(), fc.option(fc.string()), stored, fc.boolean(), (name, capability, json, session) => {
      const parameters = JSON.stringify({ json: JSON.parse(json) });
      const each = attempt({ taskName: name, capability, parameters, sessionId: session ? ID : null });
      const pushed = JSON.parse(messageBody(each, "http://us.test"));
      assert.deepEqual(pushed, JSON.parse(JSON.stringify(assignmentOf(each, "http://us.test"))));
    }),
  );
});

test("a resend says the same, byte by byte", () => {
  const again = attempt({ send: 2, epoch: 9, agentName: "renamed" });
  assert.equal(messageBody(again, "http://us.test"), messageBody(attempt(), "http://us.test"));
});

test("a task that stands alone is a trace of its own", () => {
  const trace = (rest: Partial<ClaimedAttempt>) => messageHeaders(attempt(rest), "00f067aa0ba902b7").traceparent;
  const id = ID.replaceAll("-", "");
  assert.equal(trace({}), `00-${id}-00f067aa0ba902b7-01`);
  assert.equal(trace({ sessionId: null, taskId: `task_${ID}` }), `00-${id}-00f067aa0ba902b7-01`);
});
