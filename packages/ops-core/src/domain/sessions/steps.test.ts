import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../../app/test-app.ts";

const SESSIONS = "/v1/opscore/sessions";

let app: TestApp;
let worker: { id: string; key: string };
beforeEach(async () => {
  app = new TestApp();
  worker = await app.pullAgent("worker", ["work"]);
});
afterEach(() => app.close());

async function start(tasks: JsonObject[], rest: JsonObject = {}, id = "flow"): Promise<string> {
  const { sessionId } = await app.ok("POST", SESSIONS, { body: { workflow: { id, tasks, ...rest }, input: {} } });
  return sessionId as string;
}

async function apply(definition: JsonObject): Promise<void> {
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition } });
}

function work(taskId: string, rest: JsonObject = {}): JsonObject {
  return { taskId, agentCapability: "work", retry: { maxAttempts: 1 }, ...rest };
}

async function stepOf(sessionId: string, stepId: string): Promise<JsonObject> {
  const { steps } = await app.ok("GET", `${SESSIONS}/${sessionId}`);
  const found = (steps as JsonObject[]).find((step) => step.stepId === stepId);
  assert.ok(found);
  return found;
}

async function why(sessionId: string): Promise<{ reason: unknown; sentences: string[] }> {
  const { blocked, explanation } = await app.ok("GET", `${SESSIONS}/${sessionId}/why`);
  return { reason: (blocked as JsonObject | null)?.reason, sentences: explanation as string[] };
}

async function run(outcome: JsonObject = { status: "completed" }): Promise<void> {
  const [assignment] = await app.claim(worker);
  assert.ok(assignment);
  assert.equal((await app.settle(assignment, outcome)).status, 200);
}

const FAILED: JsonObject = { status: "failed", error: { code: "broken", message: "no luck" } };

test("a step that waits for a time says until when, and the session is found by it", async () => {
  const id = await start([{ taskId: "pause", wait: { for: "1h" } }, work("next")]);
  const { status, waitsUntil, signal, approvalId, taskId } = await stepOf(id, "pause");
  assert.deepEqual([status, signal, approvalId, taskId], ["waiting", null, null, null]);
  assert.match(String(waitsUntil), /^2023-11-14T23:13:20/);
  const { reason, sentences } = await why(id);
  assert.equal(reason, "waiting_for_time");
  assert.match(sentences[0] ?? "", /^Step `pause` waits until 2023-11-14T23:13:20.*\(waiting_for_time, since /);
  assert.equal(sentences[1], "Step `next` waits for `pause`.");
  const session = await app.ok("GET", `${SESSIONS}/${id}`);
  assert.deepEqual([session.status, (session.blocked as JsonObject).reason], ["waiting", "waiting_for_time"]);
});

test("a step that waits for a signal names it, and how long", async () => {
  const id = await start([{ taskId: "word", wait: { signal: "go", timeout: "1h" } }]);
  const { signal, waitsUntil } = await stepOf(id, "word");
  assert.deepEqual([signal, typeof waitsUntil], ["go", "string"]);
  const { reason, sentences } = await why(id);
  assert.equal(reason, "waiting_for_signal");
  assert.match(sentences[0] ?? "", /^Step `word` waits for signal `go`, until 2023-.* at most\./);
});

test("a step that waits for a decision names the approval", async () => {
  const id = await start([{ taskId: "ask", approval: { message: "Go?" } }]);
  const { approvalId, waitsUntil } = await stepOf(id, "ask");
  assert.match(String(approvalId), /^apr_/);
  assert.equal(waitsUntil, null);
  const { reason, sentences } = await why(id);
  assert.deepEqual([reason, sentences[0]?.includes(String(approvalId))], ["waiting_for_approval", true]);
});

test("sessions are listed by what their steps wait for", async () => {
  const time = await start([{ taskId: "pause", wait: { for: "1h" } }], {}, "time");
  const word = await start([{ taskId: "word", wait: { signal: "go" } }], {}, "word");
  const ask = await start([{ taskId: "ask", approval: { message: "Go?" } }], {}, "ask");
  const found = async (reason: string) =>
    ((await app.ok("GET", `${SESSIONS}?blockedReason=${reason}`)).items as JsonObject[]).map((each) => each.sessionId);
  assert.deepEqual(await found("waiting_for_time"), [time]);
  assert.deepEqual(await found("waiting_for_signal"), [word]);
  assert.deepEqual(await found("waiting_for_approval"), [ask]);
  const waiting = (await app.ok("GET", `${SESSIONS}?status=waiting`)).items as JsonObject[];
  assert.equal(waiting.length, 3);
});

test("a list says how far it is, and what its items wait for", async () => {
  const id = await start([work("each", { forEach: [1, 2, 3], concurrency: 2, onItemError: "collect" })]);
  await run();
  await run(FAILED);
  const each = await stepOf(id, "each");
  assert.deepEqual(
    [each.status, each.items, each.taskId],
    ["running", { total: 3, begun: 3, open: 1, failed: 1 }, null],
  );
  const { reason, sentences } = await why(id);
  assert.equal(reason, "waits_for_poll");
  assert.equal(sentences[0], "Step `each`: 3 of 3 items have begun, 1 are open, 1 failed.");
  assert.match(sentences[1] ?? "", /^Step `each` \(task task_.*\): .*waits_for_poll/);
});

test("a loop says which run it is in, and shows that run's task", async () => {
  const id = await start([work("loop", { repeat: { until: "iteration == 3", maxIterations: 9 } })]);
  await run();
  await run();
  const loop = await stepOf(id, "loop");
  assert.deepEqual([loop.status, loop.iteration, loop.items], ["running", 2, null]);
  const { sentences } = await why(id);
  assert.ok(sentences[0]?.startsWith(`Step \`loop\` (task ${String(loop.taskId)}): `));
});

test("a step that is a session names it, and says what that one waits for", async () => {
  await apply({ id: "child", tasks: [{ taskId: "ask", approval: { message: "Go?" } }] });
  const id = await start([{ taskId: "call", workflow: { id: "child" } }]);
  const { status, childSessionId } = await stepOf(id, "call");
  assert.equal(status, "running");
  assert.equal((await app.ok("GET", `${SESSIONS}/${String(childSessionId)}`)).parentSessionId, id);
  const { reason, sentences } = await why(id);
  assert.equal(reason, "waiting_for_approval");
  const start_ = `Step \`call\` is session ${String(childSessionId)}, which is waiting: Step \`ask\` waits for a decision`;
  assert.ok(sentences[0]?.startsWith(start_), sentences[0]);
});

test("why says who stands in for whom, and what is kept in reserve", async () => {
  const ask = { taskId: "ask", approval: { message: "Go?", onReject: "sorry" }, dependsOn: ["first"] };
  const id = await start([
    work("first", { fallback: "second", dependsOn: [] }),
    work("second"),
    ask,
    work("sorry"),
    work("done", { dependsOn: ["ask"] }),
  ]);
  await run(FAILED);
  const { sentences } = await why(id);
  assert.equal(sentences[0], "Step `first` failed: broken, no luck; `second` stands in for it.");
  assert.match(sentences[1] ?? "", /^Step `second` \(task /);
  assert.deepEqual(sentences.slice(2), [
    "Step `ask` waits for `first`.",
    "Step `sorry` is kept in reserve for `ask`.",
    "Step `done` waits for `ask`.",
  ]);
});

test("why says what a failed session still waits for, and what will never begin", async () => {
  const id = await start([
    work("bad", { dependsOn: [] }),
    work("slow", { dependsOn: [] }),
    work("late", { dependsOn: ["slow"] }),
    work("later", { dependsOn: ["bad"] }),
  ]);
  await run(FAILED);
  const { sentences } = await why(id);
  assert.match(sentences[0] ?? "", /^Step `slow` \(task /);
  assert.deepEqual(sentences.slice(1), [
    "Step `late` waits for `slow`.",
    "Step `later` will not begin: the session has failed.",
  ]);
});

test("why says what is being undone, and what that waits for", async () => {
  const compensate = { agentCapability: "undo" };
  const id = await start([work("a", { compensate }), work("b")], { onFailure: "compensate" });
  await run();
  await run(FAILED);
  const session = await app.ok("GET", `${SESSIONS}/${id}`);
  assert.deepEqual([session.status, session.compensation], ["running", "running"]);
  const { reason, sentences } = await why(id);
  assert.equal(reason, "no_capable_agent");
  assert.equal(sentences[0], "The session has failed at `b`, and undoes what it did.");
  assert.match(sentences[1] ?? "", /^Undoing step `a` \(task task_.*\): No registered agent/);
});

test("why tells of a step that failed before it came to a task", async () => {
  const id = await start([work("a", { when: "input.no.such" })]);
  const { sentences } = await why(id);
  assert.match(sentences[1] ?? "", /^Step `a` failed: expression_failed, when: /);
  await settled();
});
