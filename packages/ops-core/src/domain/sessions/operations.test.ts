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
  const definition = {
    id: "greet",
    version: "1",
    input: { schema: { type: "object", required: ["name"], properties: { name: { type: "string" } } } },
    tasks: [
      { taskId: "a", name: "First", agentCapability: "work", parameters: { name: "${{ input.name }}" } },
      { taskId: "b", dependsOn: ["a"], agentCapability: "work", parameters: { last: "${{ steps.a.result }}" } },
    ],
  };
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition } });
});
afterEach(() => app.close());

function start(body: JsonObject, call: Parameters<TestApp["call"]>[2] = {}) {
  return app.call("POST", SESSIONS, { body, ...call });
}

async function startGreet(more: JsonObject = {}): Promise<string> {
  const answer = await start({ workflowId: "greet", input: { name: "Ada" }, ...more });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer.body.sessionId as string;
}

async function runStep(result: JsonObject): Promise<void> {
  const [assignment] = await app.claim(worker);
  assert.ok(assignment);
  const settledBy = await app.settle(assignment, result);
  assert.equal(settledBy.status, 200, JSON.stringify(settledBy.body));
}

async function refusal(body: JsonObject, code: string): Promise<JsonObject | undefined> {
  const answer = await start(body);
  assert.equal(answer.body.code, code, JSON.stringify(answer.body));
  const { detail } = answer.body;
  return Array.isArray(detail) ? (detail[0] as JsonObject) : undefined;
}

test("a session runs from its start to its result, and shows each step on the way", async () => {
  await app.start();
  const id = await startGreet({ labels: { team: "news" } });
  await settled();
  const begun = await app.ok("GET", `${SESSIONS}/${id}`);
  assert.deepEqual(begun.input, { name: "Ada" });
  assert.deepEqual(begun.labels, { team: "news" });
  const statuses = (session: JsonObject) =>
    (session.steps as JsonObject[]).map(({ stepId, status }) => `${stepId} ${status}`);
  assert.deepEqual(statuses(begun), ["a running", "b pending"]);
  assert.equal((begun.blocked as JsonObject).reason, "waits_for_poll");
  await runStep({ status: "completed", result: { n: 1 } });
  assert.deepEqual(statuses(await app.ok("GET", `${SESSIONS}/${id}`)), ["a completed", "b running"]);
  await runStep({ status: "completed", result: "done" });
  const ended = await app.ok("GET", `${SESSIONS}/${id}`);
  assert.equal(ended.status, "completed");
  assert.deepEqual(ended.result, { b: "done" });
  assert.equal(ended.blocked, null);
  assert.deepEqual(statuses(ended), ["a completed", "b completed"]);
  assert.equal((ended.steps as JsonObject[])[0]?.agentId, worker.id);
});

test("steps that a failed session never reached are skipped", async () => {
  const workflow = {
    id: "fails",
    tasks: [
      { taskId: "a", agentCapability: "work", retry: { maxAttempts: 1 } },
      { taskId: "b", dependsOn: ["a"], agentCapability: "work" },
    ],
  };
  const { body } = await start({ workflow });
  await runStep({ status: "failed", error: { code: "broken", message: "no luck" } });
  const ended = await app.ok("GET", `${SESSIONS}/${body.sessionId}`);
  assert.equal(ended.status, "failed");
  assert.deepEqual(
    (ended.steps as JsonObject[]).map(({ status }) => status),
    ["failed", "skipped"],
  );
  const why = await app.ok("GET", `${SESSIONS}/${body.sessionId}/why`);
  assert.match((why.explanation as string[])[0] ?? "", /^The session failed at .*broken, no luck/);
});

test("numbers come back as they went in", async () => {
  const text =
    '{"workflow":{"id":"n","tasks":[{"taskId":"a","agentCapability":"work"}]},"input":{"n":[1.0,12345678901234567890]}}';
  const answer = await app.app.http.inject({
    method: "POST",
    url: SESSIONS,
    headers: { authorization: "Bearer operator-key-of-the-tests", "content-type": "application/json" },
    payload: text,
  });
  const { sessionId } = JSON.parse(answer.body) as JsonObject;
  const shown = await app.app.http.inject({
    method: "GET",
    url: `${SESSIONS}/${sessionId}`,
    headers: { authorization: "Bearer operator-key-of-the-tests" },
  });
  assert.ok(shown.body.includes('"input":{"n":[1.0,12345678901234567890]}'), shown.body);
  await app.ok("POST", `${SESSIONS}/${sessionId}/cancel`);
});

test("a session starts one workflow: a saved one or one that comes with it", async () => {
  const inline = { id: "inline", tasks: [{ taskId: "a", agentCapability: "nobody.does" }] };
  assert.match((await refusal({}, "invalid_request"))?.msg as string, /either workflowId or workflow/);
  assert.ok(await refusal({ workflowId: "greet", workflow: inline }, "invalid_request"));
  assert.deepEqual((await refusal({ workflow: inline, version: "1" }, "invalid_request"))?.loc, ["body", "version"]);
  await refusal({ workflowId: "unknown" }, "workflow_not_found");
  await refusal({ workflowId: "greet", version: "9" }, "workflow_not_found");
  assert.equal((await start({ workflowId: "greet", version: "1", input: { name: "x" } })).status, 202);
  assert.equal((await start({ workflow: inline })).status, 202);
  assert.equal((await app.call("GET", "/v1/opscore/workflows/inline")).body.code, "workflow_not_found");
});

test("a bad inline definition is refused with paths into the request", async () => {
  const workflow = { id: "bad", tasks: [{ taskId: "a", dependsOn: ["ghost"], agentCapability: "x" }] };
  const issue = await refusal({ workflow }, "workflow_invalid");
  assert.deepEqual((issue?.loc as unknown[] | undefined)?.slice(0, 4), ["body", "workflow", "tasks", 0]);
});

test("input that does not fit the workflow's schema is refused with its place", async () => {
  const missing = await refusal({ workflowId: "greet", input: {} }, "input_invalid");
  assert.deepEqual((missing?.loc as unknown[] | undefined)?.slice(0, 2), ["body", "input"]);
  const wrong = await refusal({ workflowId: "greet", input: { name: 5 } }, "input_invalid");
  assert.deepEqual(wrong?.loc, ["body", "input", "name"]);
});

test("each step needs somebody who does it: its own target, or the agent of the request", async () => {
  const tasks = Array.from({ length: 7 }, (_each, at) => ({ taskId: `s${at}` }));
  const workflow = { id: "targetless", tasks };
  const issue = await refusal({ workflow }, "no_target");
  assert.match(issue?.msg as string, /`s0`, `s1`, `s2`, `s3`, `s4` and 2 more/);
  await refusal({ workflow, agentId: "nobody" }, "agent_not_found");
  assert.equal((await start({ workflow, agentId: worker.id, delay: "1h" })).status, 202);
});

test("a delayed session waits for its time", async () => {
  const id = await startGreet({ delay: "10m" });
  assert.equal(((await app.ok("GET", `${SESSIONS}/${id}`)).blocked as JsonObject).reason, "delayed");
  assert.deepEqual(await app.claim(worker), []);
  await app.ok("POST", `${SESSIONS}/${id}/cancel`);
  const issue = await refusal({ workflowId: "greet", input: { name: "x" }, delay: "soon" }, "invalid_request");
  assert.deepEqual(issue?.loc, ["body", "delay"]);
});

test("a callback may go only where our client may", async () => {
  const body = { workflowId: "greet", input: { name: "x" } };
  const refused = await refusal({ ...body, callbackUrl: "http://169.254.169.254/" }, "endpoint_refused");
  assert.deepEqual(refused?.loc, ["body", "callbackUrl"]);
  await refusal({ ...body, callbackUrl: "nonsense" }, "invalid_request");
  const { status } = await start({ ...body, callbackUrl: "http://127.0.0.1:9009/hook", delay: "1h" });
  assert.equal(status, 202);
});

test("the same Idempotency-Key starts one session, and gets the same answer whatever became of it", async () => {
  const headers = { "idempotency-key": "start-once" };
  const body = { workflowId: "greet", input: { name: "x", more: 1 }, delay: "1h" };
  const first = await start(body, { headers });
  await app.ok("POST", `${SESSIONS}/${first.body.sessionId}/cancel`);
  // The order of keys does not make another request.
  const second = await start({ delay: "1h", input: { more: 1, name: "x" }, workflowId: "greet" }, { headers });
  assert.deepEqual(second.body, first.body);
  assert.equal(second.headers["idempotent-replayed"], "true");
  assert.equal((await start({ ...body, delay: "2h" }, { headers })).body.code, "idempotency_key_reused");
  const other = await app.ok("POST", "/v1/opscore/keys", { body: { name: "other", scopes: ["sessions:write"] } });
  const theirs = await start(body, { headers, key: other.secret as string });
  assert.notEqual(theirs.body.sessionId, first.body.sessionId);
});

test("a wait answers when the session ends", async () => {
  const { body } = await start({ workflow: { id: "w", tasks: [{ taskId: "a", agentCapability: "work" }] } });
  const waited = app.ok("GET", `${SESSIONS}/${body.sessionId}?wait=30s`);
  await settled();
  await runStep({ status: "completed", result: 5 });
  const ended = await waited;
  assert.equal(ended.status, "completed");
  assert.equal(ended.result, 5);
  assert.equal((await app.ok("GET", `${SESSIONS}/${body.sessionId}?wait=30s`)).status, "completed");
});

test("a wait ends when its time is over, with the session as it is", async () => {
  const id = await startGreet({ delay: "1h" });
  const waited = app.ok("GET", `${SESSIONS}/${id}?wait=5s`);
  for (const ms of [3_000, 2_000]) {
    await settled();
    app.time.advance(ms);
  }
  assert.equal((await waited).status, "started");
  await app.ok("POST", `${SESSIONS}/${id}/cancel`);
  assert.equal((await app.call("GET", `${SESSIONS}/${id}?wait=2m`)).status, 422);
  assert.equal((await app.call("GET", `${SESSIONS}/nothing?wait=5s`)).body.code, "session_not_found");
});

test("sessions are listed by status, workflow, agent, label, time and what they wait for", async () => {
  const listing = new TestApp();
  await listing.start();
  const agent = await listing.pullAgent("w", ["work"]);
  const workflow = (id: string) => ({ id, tasks: [{ taskId: "a", agentCapability: "work" }] });
  const begin = (body: JsonObject) => listing.ok("POST", SESSIONS, { body });
  const one = await begin({ workflow: workflow("one"), labels: { team: "a=b" } });
  listing.time.advance(60_000);
  const two = await begin({ workflow: workflow("two"), agentId: agent.id });
  await listing.ok("POST", `${SESSIONS}/${two.sessionId}/cancel`);
  const found = async (query: string) =>
    ((await listing.ok("GET", `${SESSIONS}?${query}`)).items as JsonObject[]).map((session) => session.sessionId);
  await settled();
  assert.deepEqual(await found(""), [two.sessionId, one.sessionId]);
  assert.deepEqual(await found("status=cancelled"), [two.sessionId]);
  assert.deepEqual(await found("workflow=one"), [one.sessionId]);
  assert.deepEqual(await found(`agent=${agent.id}`), [two.sessionId]);
  assert.deepEqual(await found("label=team%3Da%3Db"), [one.sessionId]);
  assert.deepEqual(await found("since=2023-11-14T22:14:00Z"), [two.sessionId]);
  assert.deepEqual(await found("until=2023-11-14T22:14:00Z"), [one.sessionId]);
  assert.deepEqual(await found("blockedReason=waits_for_poll"), [one.sessionId]);
  for (const query of [
    "label=team",
    "since=yesterday",
    "limit=0",
    "limit=201",
    "status=done",
    "colour=red",
    "limit=1&limit=2",
  ]) {
    assert.equal((await listing.call("GET", `${SESSIONS}?${query}`)).status, 422, query);
  }
  await listing.close();
});

test("a cancelled session stays cancelled; an ended one cannot be cancelled", async () => {
  const id = await startGreet();
  const cancelled = await app.ok("POST", `${SESSIONS}/${id}/cancel`, { body: { reason: "enough" } });
  assert.equal(cancelled.status, "cancelled");
  assert.equal((await app.ok("POST", `${SESSIONS}/${id}/cancel`)).status, "cancelled");
  const why = await app.ok("GET", `${SESSIONS}/${id}/why`);
  assert.match((why.explanation as string[])[0] ?? "", /^The session was cancelled at .*enough/);
  const { body } = await start({ workflow: { id: "w", tasks: [{ taskId: "a", agentCapability: "work" }] } });
  await runStep({ status: "completed" });
  const late = await app.call("POST", `${SESSIONS}/${body.sessionId}/cancel`);
  assert.equal(late.body.code, "session_terminal");
  assert.match(
    ((await app.ok("GET", `${SESSIONS}/${body.sessionId}/why`)).explanation as string[])[0] ?? "",
    /completed/,
  );
});

test("labels are replaced as a whole", async () => {
  const id = await startGreet({ labels: { a: "1", b: "2" } });
  const labelled = await app.ok("PUT", `${SESSIONS}/${id}/labels`, { body: { labels: { c: "3" } } });
  assert.deepEqual(labelled.labels, { c: "3" });
  assert.equal((await app.call("PUT", `${SESSIONS}/nothing/labels`, { body: { labels: {} } })).status, 404);
  await app.ok("POST", `${SESSIONS}/${id}/cancel`);
});

test("why names, step by step, what a session waits for", async () => {
  const waiting = new TestApp();
  const agent = await waiting.pullAgent("busy", ["wanted"]);
  const many = Array.from({ length: 60 }, (_each, at) => ({
    taskId: `later${at}`,
    dependsOn: ["work"],
    agentCapability: "wanted",
  }));
  const workflow = {
    id: "why",
    tasks: [{ taskId: "work", agentCapability: "wanted" }, { taskId: "lost", agentCapability: "wantde" }, ...many],
  };
  const { sessionId } = await waiting.ok("POST", SESSIONS, { body: { workflow } });
  await waiting.claim(agent);
  const why = await waiting.ok("GET", `${SESSIONS}/${sessionId}/why`);
  const sentences = why.explanation as string[];
  assert.equal((why.blocked as JsonObject).reason, "no_capable_agent");
  assert.match(sentences[0] ?? "", /^Step `work` \(task task_.*\): .*`busy`/);
  assert.match(sentences[1] ?? "", /^Step `lost` .*No registered agent.*`wanted`/);
  assert.equal(sentences[2], "Step `later0` waits for `work`.");
  assert.equal(sentences.at(-1), "10 more steps have not begun.");
  assert.equal((await waiting.call("GET", `${SESSIONS}/nothing/why`)).status, 404);
  await waiting.close();
});
