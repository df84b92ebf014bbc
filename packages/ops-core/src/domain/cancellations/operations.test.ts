import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../../app/test-app.ts";

let app: TestApp;
let worker: { id: string; key: string };
beforeEach(async () => {
  app = new TestApp();
  worker = await app.pullAgent("worker", ["work"]);
});
afterEach(() => app.close());

/** Starts a session of one task, and hands that to the worker. */
async function assigned(): Promise<{ sessionId: string; taskId: string; token: string; assignment: JsonObject }> {
  const workflow = { id: "w", tasks: [{ taskId: "a", name: "Only", agentCapability: "work" }] };
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow } });
  const [assignment] = await app.claim(worker);
  assert.ok(assignment);
  const { taskId, token } = assignment.opspawn as JsonObject;
  return { sessionId: String(sessionId), taskId: String(taskId), token: String(token), assignment };
}

function cancel(sessionId: string): Promise<JsonObject> {
  return app.ok("POST", `/v1/opscore/sessions/${sessionId}/cancel`, { body: { reason: "no more" } });
}

function say(taskId: string, body: JsonObject) {
  return app.call("POST", `/v1/opscore/tasks/${taskId}/cancellation`, { body, key: null });
}

async function stagesOf(sessionId: string): Promise<unknown[]> {
  const { items } = await app.ok("GET", `/v1/opscore/sessions/${sessionId}/cancellations`);
  return (items as JsonObject[]).map(({ stage, isConfirmed }) => [stage, isConfirmed]);
}

test("a cancelled session tells who was at it, and its agent says under its token alone that it has stopped", async () => {
  const { sessionId, taskId, token } = await assigned();
  const { status, cancellations } = await cancel(sessionId);
  assert.equal(status, "cancelled");
  const [one] = cancellations as JsonObject[];
  assert.partialDeepStrictEqual(one, {
    sessionId,
    stepId: "a",
    taskId,
    attempt: 1,
    agentId: worker.id,
    agentName: "worker",
    channel: "answer",
    reason: "no more",
    stage: "requested",
    isConfirmed: false,
    endedAt: null,
  });
  const first = await say(taskId, { token, status: "acknowledged" });
  const { cancellationId } = one ?? {};
  assert.deepEqual([first.status, first.body], [200, { taskId, cancellationId, stage: "acknowledged" }]);
  assert.deepEqual((await say(taskId, { token, status: "stopped", note: "half done" })).body.stage, "stopped");
  assert.deepEqual(await stagesOf(sessionId), [["stopped", true]]);
  const session = await app.ok("GET", `/v1/opscore/sessions/${sessionId}`);
  const task = await app.ok("GET", `/v1/opscore/tasks/${taskId}`);
  for (const { cancellations: shown } of [session, task]) {
    assert.deepEqual(
      (shown as JsonObject[]).map(({ note, evidence }) => [note, evidence]),
      [["half done", "receipt"]],
    );
  }
});

test("the refusals of a cancelled attempt name its cancellation: of its lease, and of its result, which is kept", async () => {
  const { sessionId, taskId, token, assignment } = await assigned();
  const lease = { body: { token }, key: null };
  assert.equal((await app.ok("POST", `/v1/opscore/tasks/${taskId}/lease`, lease)).cancellation, null);
  await cancel(sessionId);
  const refused = await app.call("POST", `/v1/opscore/tasks/${taskId}/lease`, lease);
  const notice = refused.body.cancellation as JsonObject;
  assert.deepEqual([refused.status, refused.body.code, notice.reason], [409, "lease_lost", "no more"]);
  assert.notEqual(notice.stageDeadline, null);
  assert.deepEqual(await stagesOf(sessionId), [["delivered", false]]);
  const late = await app.settle(assignment, { status: "completed", result: 1 });
  assert.deepEqual([late.status, late.body.code], [409, "lease_lost"]);
  assert.equal((late.body.cancellation as JsonObject).cancellationId, notice.cancellationId);
  assert.deepEqual(await stagesOf(sessionId), [["finished", true]]);
  assert.equal((await app.ok("GET", `/v1/opscore/sessions/${sessionId}`)).result, null);
});

test("an agent that waits for more work is told at once what to stop, and not woken by it again", async () => {
  const many = await app.ok("POST", "/v1/opscore/agents", {
    body: { agentName: "many", capabilities: ["work"], channel: "pull", maxConcurrency: 2 },
  });
  worker = { id: String((many.agent as JsonObject).agentId), key: String(many.agentKey) };
  const { sessionId, taskId, token } = await assigned();
  // It has said that it has it, so it is not given it again.
  await app.ok("POST", `/v1/opscore/tasks/${taskId}/lease`, { body: { token }, key: null });
  const ask = (wait: string) =>
    app.ok("POST", `/v1/opscore/agents/${worker.id}/claim`, { body: { wait }, key: worker.key });
  const waiting = ask("20s");
  await settled();
  const { cancellations } = await cancel(sessionId);
  const { cancellationId } = (cancellations as JsonObject[])[0] ?? {};
  const cancelled = [{ taskId, token, cancellationId, reason: "no more" }];
  assert.deepEqual(await waiting, { tasks: [], cancelled });
  assert.deepEqual(await ask("0s"), { tasks: [], cancelled });
  let isAnswered = false;
  const again = ask("2s").finally(() => {
    isAnswered = true;
  });
  await settled();
  assert.equal(isAnswered, false);
  app.time.advance(2_000);
  assert.deepEqual((await again).cancelled, cancelled);
});

test("who was not cancelled may go on, and a stranger's token is none", async () => {
  const { taskId, token, assignment } = await assigned();
  const open = await say(taskId, { token, status: "stopped" });
  assert.deepEqual([open.status, open.body.code], [409, "not_cancelled"]);
  assert.equal((await say(taskId, { token: "1.made-up", status: "stopped" })).status, 401);
  assert.equal((await say(taskId, { token, status: "done" })).status, 422);
  await app.settle(assignment, { status: "completed" });
  const over = await say(taskId, { token, status: "stopped" });
  assert.deepEqual([over.body.code, over.body.cancellation], ["lease_lost", undefined]);
  assert.equal((await app.call("GET", "/v1/opscore/sessions/none/cancellations")).body.code, "session_not_found");
});

test("a task that stands alone tells it in its own answers", async () => {
  const task = await app.ok("POST", "/v1/opscore/tasks", { body: { name: "n", capability: "work" } });
  await app.claim(worker);
  const { status, cancellations } = await app.ok("POST", `/v1/opscore/tasks/${task.taskId}/cancel`);
  assert.deepEqual([status, (cancellations as JsonObject[]).length], ["cancelled", 1]);
});
