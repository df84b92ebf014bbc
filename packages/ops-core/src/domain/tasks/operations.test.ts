import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../../app/test-app.ts";

const TASKS = "/v1/opscore/tasks";

let app: TestApp;
let worker: { id: string; key: string };
beforeEach(async () => {
  app = new TestApp();
  worker = await app.pullAgent("worker", ["work"]);
});
afterEach(() => app.close());

/** Starts a session of one task and hands that task to the worker. */
async function assigned(task: JsonObject = {}): Promise<JsonObject> {
  const workflow = { id: "w", tasks: [{ taskId: "a", name: "Only", agentCapability: "work", ...task }] };
  await app.ok("POST", "/v1/opscore/sessions", { body: { workflow } });
  const [assignment] = await app.claim(worker);
  assert.ok(assignment);
  return assignment;
}

function taskOf(assignment: JsonObject): Promise<JsonObject> {
  return app.ok("GET", `${TASKS}/${assignment.opscore_task_id}`);
}

async function whyOf(assignment: JsonObject): Promise<string[]> {
  const why = await app.ok("GET", `${TASKS}/${assignment.opscore_task_id}/why`);
  return why.explanation as string[];
}

test("a result with the token completes the task, and may be repeated", async () => {
  const assignment = await assigned({ parameters: { n: 1 } });
  const first = await app.settle(assignment, { status: "completed", result: { ok: true } });
  assert.deepEqual(first.body, { taskId: assignment.opscore_task_id as string, status: "completed", accepted: true });
  assert.deepEqual((await app.settle(assignment, { status: "completed", result: { ok: true } })).body, first.body);
  const task = await taskOf(assignment);
  assert.deepEqual(task.result, { ok: true });
  assert.deepEqual(task.parameters, { n: 1 });
  assert.deepEqual(task.requirement, { agentId: null, agentName: null, capability: "work", tool: null });
  const [attempt] = task.attemptList as JsonObject[];
  assert.equal(attempt?.agentName, "worker");
  assert.equal(attempt?.evidence, "result");
  assert.match((await whyOf(assignment))[0] ?? "", /^It completed at /);
});

test("an outcome that comes too late is refused, and says so", async () => {
  const assignment = await assigned();
  await app.settle(assignment, { status: "completed" });
  const late = await app.settle(assignment, { status: "failed" });
  assert.equal(late.status, 409);
  assert.equal(late.body.code, "lease_lost");
});

test("a failure is retried after the wait its agent asked for, with why it waits", async () => {
  const assignment = await assigned({ retry: { maxAttempts: 2, jitter: "none" } });
  const error = { code: "later", message: "not now", retryAfter: 30 };
  const answer = await app.settle(assignment, { status: "failed", error });
  assert.equal(answer.body.status, "pending");
  const task = await taskOf(assignment);
  assert.equal((task.blocked as JsonObject).reason, "backoff");
  const sentences = await whyOf(assignment);
  assert.match(sentences[0] ?? "", /1 of 2 attempts used.*\(backoff, since /);
  assert.match(sentences[1] ?? "", /^Attempt 1 was with agent `worker`\.$/);
  app.time.advance(29_999);
  assert.deepEqual(await app.claim(worker), []);
  app.time.advance(1);
  const [again] = await app.claim(worker);
  assert.ok(again);
  await app.settle(again, { status: "failed" });
  const dead = await taskOf(assignment);
  assert.equal(dead.status, "failed");
  assert.equal(dead.deadLetter, true);
  assert.match((await whyOf(assignment)).join(" "), /It failed at .*agent_error.*It is a dead letter/);
  const listed = await app.ok("GET", `${TASKS}?deadLetter=true`);
  assert.deepEqual(
    (listed.items as JsonObject[]).map(({ taskId }) => taskId),
    [assignment.opscore_task_id],
  );
});

test("an agent may say that trying again is of no use", async () => {
  const assignment = await assigned({ retry: { maxAttempts: 5 } });
  const error = { code: "bad_input", message: "never", retryable: false };
  assert.equal((await app.settle(assignment, { status: "failed", error })).body.status, "failed");
  const task = await taskOf(assignment);
  assert.deepEqual(task.error, error);
  assert.equal(task.deadLetter, false);
});

test("a lease is renewed with the token, until the attempt is over", async () => {
  const assignment = await assigned();
  const { token } = assignment.opspawn as JsonObject;
  const renew = (body: JsonObject) =>
    app.call("POST", `${TASKS}/${assignment.opscore_task_id}/lease`, { body, key: null });
  const renewed = await renew({ token: token as string });
  assert.equal(renewed.status, 200);
  assert.ok((renewed.body.leaseUntil as string) > "2023");
  assert.equal((await renew({ token: "1.other" })).status, 401);
  await app.settle(assignment, { status: "completed" });
  assert.equal((await renew({ token: token as string })).body.code, "lease_lost");
});

test("an agent says how far it is with the token, and hears when nobody waits for it", async () => {
  const assignment = await assigned();
  const { taskId, token } = assignment.opspawn as JsonObject;
  const say = (body: JsonObject) => app.call("POST", `${TASKS}/${taskId}/progress`, { body, key: null });
  const said = await say({ token: token as string, counter: 2.5, note: "page 3" });
  assert.equal(said.status, 200);
  assert.partialDeepStrictEqual(said.body, { taskId, cancellation: null, progress: { counter: 2.5, note: "page 3" } });
  const { progress } = await taskOf(assignment);
  assert.deepEqual(progress, said.body.progress);
  assert.match((await whyOf(assignment))[0] ?? "", /Its progress at .*: 2\.5: page 3\./);
  assert.equal((await say({ token: "1.other" })).status, 401);
  for (const body of [{ counter: -1 }, { counter: "3" }, { note: "x".repeat(1_001) }, { more: 1 }]) {
    assert.equal((await say({ token: token as string, ...body })).status, 422, JSON.stringify(body));
  }
  await app.settle(assignment, { status: "completed" });
  const late = await say({ token: token as string, counter: 3 });
  assert.deepEqual([late.status, late.body.code], [409, "lease_lost"]);
  assert.match(String(late.body.detail), /is succeeded; stop the work/);
});

test("how long a task may be silent has its bounds, and is named with its place", async () => {
  for (const silenceTimeout of ["1s", "8d", "soon"]) {
    const answer = await app.call("POST", TASKS, { body: { name: "n", capability: "work", silenceTimeout } });
    assert.deepEqual((answer.body.detail as JsonObject[])[0]?.loc, ["body", "silenceTimeout"], silenceTimeout);
  }
});

test("a task at work says who has it", async () => {
  const assignment = await assigned();
  assert.match((await whyOf(assignment))[0] ?? "", /`worker`/);
  await app.ok("DELETE", `/v1/opscore/agents/${(await app.pullAgent("another")).id}`);
  await app.settle(assignment, { status: "completed" });
});

test("a waiting task names what it wants, and whom it prefers", async () => {
  await app.start();
  const tasks = [
    { taskId: "a", agentName: "nobody" },
    { taskId: "b", agentId: "ghost" },
    { taskId: "c", dependsOn: ["a"], agentCapability: "x" },
  ];
  const workflow = { id: "targets", tasks };
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow, agentId: worker.id } });
  await settled();
  const { items } = await app.ok("GET", `${TASKS}?session=${sessionId}&status=pending`);
  const wanted = (items as JsonObject[]).map(({ requirement }) => requirement);
  assert.deepEqual(wanted.reverse(), [
    { agentId: null, agentName: "nobody", capability: null, tool: null },
    { agentId: "ghost", agentName: null, capability: null, tool: null },
  ]);
  const reasons = (items as JsonObject[]).map(({ blocked }) => (blocked as JsonObject | null)?.reason);
  assert.ok(reasons.includes("no_such_agent"), String(reasons));
  const taskId = (items as JsonObject[])[0]?.taskId;
  const session = await app.call("POST", `${TASKS}/${taskId}/cancel`);
  assert.equal(session.status, 422);
  assert.match((session.body.detail as JsonObject[])[0]?.msg as string, new RegExp(`${sessionId}; cancel the session`));
  await app.ok("POST", `/v1/opscore/sessions/${sessionId}/cancel`);
  const why = await app.ok("GET", `${TASKS}/${taskId}/why`);
  assert.match((why.explanation as string[])[0] ?? "", /^It was cancelled at /);
});

test("the agent of an attempt is named as long as it is known", async () => {
  const leaving = await app.pullAgent("leaving", ["leaving.work"]);
  const workflow = {
    id: "leaving",
    tasks: [{ taskId: "a", agentCapability: "leaving.work", retry: { maxAttempts: 1 } }],
  };
  await app.ok("POST", "/v1/opscore/sessions", { body: { workflow } });
  const [assignment] = await app.claim(leaving);
  assert.ok(assignment);
  await app.settle(assignment, { status: "failed" });
  await app.ok("DELETE", `/v1/opscore/agents/${leaving.id}`);
  assert.equal(((await taskOf(assignment)).attemptList as JsonObject[])[0]?.agentName, null);
  assert.match((await whyOf(assignment)).join(" "), new RegExp(`with agent ${leaving.id} ended`));
});

test("an unknown task is not found, by any of its routes", async () => {
  for (const [method, path] of [
    ["GET", ""],
    ["GET", "/why"],
    ["POST", "/cancel"],
  ] as const) {
    assert.equal((await app.call(method, `${TASKS}/nothing${path}`)).body.code, "task_not_found", path);
  }
});

test("a task that belongs to no session is created once per key, done, and can be cancelled", async () => {
  const body = { name: "Alone", capability: "work", parameters: { n: 1 } };
  const options = { body, headers: { "idempotency-key": "k1" } };
  const first = await app.ok("POST", TASKS, options);
  const again = await app.ok("POST", TASKS, options);
  assert.equal(again.taskId, first.taskId);
  assert.equal(first.sessionId, null);
  const [assignment] = await app.claim(worker);
  assert.ok(assignment);
  assert.equal(assignment.opscore_task_id, first.taskId);
  assert.equal(assignment.sessionContext, null);
  await app.settle(assignment, { status: "completed", result: 2 });
  assert.equal((await app.ok("GET", `${TASKS}/${first.taskId}`)).result, 2);
  const other = await app.ok("POST", TASKS, { body: { ...body, delay: "1h" } });
  assert.equal((await app.ok("POST", `${TASKS}/${other.taskId}/cancel`)).status, "cancelled");
});

test("a task for nobody, or for two, or for an agent that is not there, is refused", async () => {
  const refused = async (body: JsonObject) => (await app.call("POST", TASKS, { body: { name: "n", ...body } })).body;
  assert.equal((await refused({})).code, "no_target");
  assert.equal((await refused({ agentId: worker.id, capability: "work" })).code, "invalid_request");
  assert.equal((await refused({ agentId: "nobody" })).code, "agent_not_found");
  assert.equal((await refused({ capability: "work", timeout: "soon" })).code, "invalid_request");
});

const DELIVERIES: readonly [JsonObject, JsonObject][] = [
  [
    { status: "completed", delivery: "answered" },
    { status: "succeeded", evidence: "answer" },
  ],
  [
    { status: "failed", delivery: "answered" },
    { status: "failed", evidence: "answer" },
  ],
  [
    { status: "failed", delivery: "unavailable" },
    { status: "failed", evidence: null },
  ],
  [
    { status: "failed", delivery: "rejected" },
    { status: "failed", evidence: null },
  ],
];
for (const [body, expected] of DELIVERIES) {
  test(`a gateway says ${body.status}, ${body.delivery}: that is no result call, evidence ${expected.evidence}`, async () => {
    const assignment = await assigned();
    await app.settle(assignment, body);
    const task = await taskOf(assignment);
    const [attempt] = task.attemptList as JsonObject[];
    assert.partialDeepStrictEqual(attempt, expected);
    const isFinal = body.delivery === "rejected" || body.status === "completed";
    assert.equal(task.status, isFinal ? body.status : "pending", "what is not taken is not tried again");
  });
}

test("a lease is asked for once more before a message is sent again", async () => {
  const assignment = await assigned();
  const { taskId, token } = assignment.opspawn as JsonObject;
  const ask = (body: JsonObject) => app.call("POST", `${TASKS}/${taskId}/lease`, { body, key: null });
  assert.equal((await ask({ token: token as string, resend: true })).status, 200);
  assert.equal((await ask({ token: token as string, resend: 1 })).status, 422);
});
