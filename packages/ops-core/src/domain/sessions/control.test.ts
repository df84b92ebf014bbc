import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../../app/test-app.ts";

const SESSIONS = "/v1/opscore/sessions";
const TASKS = "/v1/opscore/tasks";
const ONCE = { retry: { maxAttempts: 1 } };

let app: TestApp;
let worker: { id: string; key: string };
beforeEach(async () => {
  app = new TestApp();
  worker = await app.pullAgent("worker", ["work"]);
  await app.start();
});
afterEach(() => app.close());

const workflow: JsonObject = {
  id: "pair",
  version: "1",
  input: { schema: { type: "object", required: ["name"] } },
  tasks: [
    { taskId: "a", agentCapability: "work", parameters: { name: "${{ input.name }}" }, ...ONCE },
    {
      taskId: "b",
      dependsOn: ["a"],
      agentCapability: "work",
      parameters: { last: "${{ steps.a.result }}" },
      input: { schema: { type: "object", required: ["last"] } },
      ...ONCE,
      fallback: { taskId: "c" },
    },
    { taskId: "c", agentCapability: "work", ...ONCE },
  ],
};

async function start(more: JsonObject = {}): Promise<string> {
  const body = { workflow, input: { name: "Ada" }, ...more };
  return (await app.ok("POST", SESSIONS, { body })).sessionId as string;
}

/** Does the next task as it is told; what it was given. */
async function work(outcome: JsonObject): Promise<unknown> {
  const [assignment] = await app.claim(worker);
  assert.ok(assignment, "there is nothing to do");
  const answer = await app.settle(assignment, outcome);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await settled();
  return assignment.payload;
}

const DONE = { status: "completed", result: 1 };
const FAILED = { status: "failed", error: { code: "no", message: "No." } };

async function failedSession(): Promise<string> {
  const id = await start();
  await work(DONE);
  await work(FAILED);
  await work(FAILED);
  assert.equal((await app.ok("GET", `${SESSIONS}/${id}`)).status, "failed");
  return id;
}

async function refusal(path: string, body: JsonObject | undefined, code: string): Promise<JsonObject> {
  const answer = await app.call("POST", path, body === undefined ? {} : { body });
  assert.equal(answer.body.code, code, JSON.stringify(answer.body));
  const { detail } = answer.body;
  return Array.isArray(detail) ? (detail[0] as JsonObject) : answer.body;
}

test("a paused session says who paused it and why, and its agent gets nothing", async () => {
  const id = await start({ priority: 7 });
  const paused = await app.ok("POST", `${SESSIONS}/${id}/pause`, { body: { reason: "Too loud." } });
  const { status, priority, blocked } = paused;
  assert.deepEqual([status, priority, (blocked as JsonObject).reason], ["paused", 7, "session_paused"]);
  assert.deepEqual(await app.claim(worker), []);
  const why = await app.ok("GET", `${SESSIONS}/${id}/why`);
  assert.equal((why.blocked as JsonObject).reason, "session_paused");
  assert.match(String((why.explanation as string[])[0]), /was paused by .*: Too loud\. \(session_paused, since /);
  const listed = await app.ok("GET", `${SESSIONS}?status=paused`);
  assert.equal((listed.items as JsonObject[]).length, 1);
  assert.equal((await app.ok("POST", `${SESSIONS}/${id}/resume`)).status, "running");
  assert.deepEqual(await work(DONE), { name: "Ada" });
});

test("a retry goes on in a new session, once for each key", async () => {
  const id = await failedSession();
  const call = { headers: { "idempotency-key": "k" } };
  const first = await app.ok("POST", `${SESSIONS}/${id}/retry`, call);
  assert.deepEqual([first.forkedFrom, first.workflowId], [id, "pair"]);
  const again = await app.call("POST", `${SESSIONS}/${id}/retry`, call);
  assert.deepEqual([again.body.sessionId, again.status], [first.sessionId, 202]);
  assert.deepEqual(await work(DONE), { last: 1 });
  const ended = await app.ok("GET", `${SESSIONS}/${first.sessionId}`);
  assert.deepEqual([ended.status, ended.forkedFrom], ["completed", id]);
  const from = (ended.steps as JsonObject[]).map(({ stepId, fromSessionId }) => `${stepId} ${fromSessionId}`);
  assert.deepEqual(from, [`a ${id}`, "b null", "c null"]);
  await refusal(`${SESSIONS}/${first.sessionId}/retry`, undefined, "session_completed");
});

test("a fork is refused for a step there is not, one in reserve, and values that do not fit", async () => {
  const id = await failedSession();
  const path = `${SESSIONS}/${id}/fork`;
  assert.match(String((await refusal(path, { from: "x" }, "invalid_request")).msg), /has no step `x`/);
  assert.match(String((await refusal(path, { from: "c" }, "invalid_request")).msg), /stands in for `b`/);
  const input = await refusal(path, { from: "a", input: {} }, "input_invalid");
  assert.deepEqual(input.loc, ["body", "input", "name"]);
  const parameters = await refusal(path, { from: "b", parameters: {} }, "input_invalid");
  assert.deepEqual(parameters.loc, ["body", "parameters", "last"]);
  const open = await start();
  await refusal(`${SESSIONS}/${open}/fork`, { from: "a" }, "session_open");
});

test("a fork gives its step what it is told to, and the labels it is told to have", async () => {
  const id = await failedSession();
  const body = { from: "b", parameters: { last: "better" }, labels: { try: "2" } };
  const { sessionId } = await app.ok("POST", `${SESSIONS}/${id}/fork`, { body });
  assert.deepEqual(await work(DONE), { last: "better" });
  assert.deepEqual((await app.ok("GET", `${SESSIONS}/${sessionId}`)).labels, { try: "2" });
});

async function deadLetters(): Promise<JsonObject[]> {
  return (await app.ok("GET", `${TASKS}?deadLetter=true&redriven=false`)).items as JsonObject[];
}

test("a dead letter is redriven by itself, or with its session", async () => {
  await failedSession();
  const [ofStandIn] = await deadLetters();
  assert.equal(ofStandIn?.stepId, "c");
  const redriven = await app.ok("POST", `${TASKS}/${ofStandIn?.taskId}/redrive`);
  assert.deepEqual([redriven.redriveOf, redriven.taskId], [ofStandIn?.taskId, null]);
  assert.deepEqual(await work(DONE), { last: 1 });
  assert.equal((await app.ok("GET", `${SESSIONS}/${redriven.sessionId}`)).status, "completed");
  const lone = await app.ok("POST", TASKS, { body: { name: "alone", capability: "work" } });
  await work(FAILED);
  const call = { headers: { "idempotency-key": "k" } };
  const again = await app.ok("POST", `${TASKS}/${lone.taskId}/redrive`, call);
  assert.equal(again.sessionId, null);
  assert.deepEqual(await app.ok("POST", `${TASKS}/${lone.taskId}/redrive`, call), again);
  assert.equal((await app.ok("GET", `${TASKS}/${again.taskId}`)).redriveOf, lone.taskId);
  await refusal(`${TASKS}/${again.taskId}/redrive`, undefined, "task_not_dead_letter");
});

test("a dead letter whose session went on without it is redriven by a fork from its step", async () => {
  const tasks = [{ taskId: "a", agentCapability: "work", ...ONCE, onFailure: "continue" }];
  const { sessionId } = await app.ok("POST", SESSIONS, { body: { workflow: { id: "soft", tasks } } });
  await work(FAILED);
  assert.equal((await app.ok("GET", `${SESSIONS}/${sessionId}`)).status, "completed");
  const [dead] = await deadLetters();
  const redriven = await app.ok("POST", `${TASKS}/${dead?.taskId}/redrive`);
  await work(DONE);
  const ended = await app.ok("GET", `${SESSIONS}/${redriven.sessionId}`);
  assert.deepEqual([ended.result, ended.forkedFrom, ended.failedSteps], [1, sessionId, []]);
});

test("a dead letter of a session within another is redriven from the top", async () => {
  const inner = { id: "inner", version: "1", tasks: [{ taskId: "a", agentCapability: "work", ...ONCE }] };
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition: inner } });
  const outer = { id: "outer", tasks: [{ taskId: "call", workflow: { id: "inner" } }] };
  const { sessionId } = await app.ok("POST", SESSIONS, { body: { workflow: outer } });
  await work(FAILED);
  const [dead] = await deadLetters();
  const redriven = await app.ok("POST", `${TASKS}/${dead?.taskId}/redrive`);
  await work(DONE);
  const ended = await app.ok("GET", `${SESSIONS}/${redriven.sessionId}`);
  assert.deepEqual([ended.status, ended.forkedFrom, ended.parentSessionId], ["completed", sessionId, null]);
});
