import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../app/test-app.ts";

let app: TestApp;
let agent: { id: string; key: string };
before(async () => {
  app = new TestApp();
  agent = await app.pullAgent("payer", ["pay"]);
});
after(() => app.close());

/** The agent's next attempt at a new step. */
async function attempt(step: JsonObject = {}): Promise<{ session: string; task: string; token: string }> {
  const workflow = { id: "pay", tasks: [{ taskId: "pay", agentCapability: "pay", ...step }] };
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow } });
  const [given] = await app.claim(agent);
  assert.ok(given);
  const { taskId, token } = given.opspawn as JsonObject;
  return { session: sessionId as string, task: taskId as string, token: token as string };
}

const announce = (task: string, body: JsonObject, key: string | null = null) =>
  app.call("POST", `/v1/opscore/tasks/${task}/effects`, { body, key });

test("the token alone announces an effect and tells what came of it", async () => {
  const { session, task, token } = await attempt();
  const said = await announce(task, { token, effectId: "charge", kind: "payment", payload: { b: 2, a: 1 } });
  const { idempotencyKey, ...rest } = said.body;
  assert.match(String(idempotencyKey), /^eff_[0-9a-f]{40}$/);
  assert.deepEqual(rest, { effectId: "charge", status: "intended", again: false, receipt: null });
  const url = `/v1/opscore/tasks/${task}/effects`;
  assert.equal(((await app.ok("GET", "/v1/opscore/effects?status=open")) as { items: JsonObject[] }).items.length, 1);
  const told = await app.call("POST", `${url}/charge/receipt`, {
    body: { token, status: "done", result: 7 },
    key: null,
  });
  assert.deepEqual([told.status, told.body.status, (told.body.receipt as JsonObject).result], [200, "done", 7]);
  // The same payload in another order is the same.
  const again = await announce(task, { token, effectId: "charge", payload: { a: 1, b: 2 } });
  assert.deepEqual([again.body.status, again.body.idempotencyKey], ["done", idempotencyKey]);
  const { items } = await app.ok("GET", url);
  assert.deepEqual(
    (items as JsonObject[]).map(({ effectId, payload, stepId }) => [effectId, payload, stepId]),
    [["charge", { b: 2, a: 1 }, "pay"]],
  );
  await app.settle({ opspawn: { taskId: task, token } }, { status: "completed" });
  const listed = await app.ok("GET", `/v1/opscore/effects?session=${session}&status=done`);
  assert.equal((listed.items as JsonObject[]).length, 1);
});

test("another payload under the same name is refused, and the session says what is uncertain", async () => {
  const { session, task, token } = await attempt();
  await announce(task, { token, effectId: "charge", payloadHash: "one" });
  const other = await announce(task, { token, effectId: "charge", payloadHash: "two" });
  assert.deepEqual([other.status, other.body.code], [409, "effect_differs"]);
  const ended = await app.ok("GET", `/v1/opscore/sessions/${session}`);
  assert.deepEqual([ended.status, ended.failedSteps, ended.uncertainSteps], ["failed", ["pay"], ["pay"]]);
  const late = await announce(task, { token, effectId: "mail" });
  assert.deepEqual([late.status, late.body.code], [409, "lease_lost"]);
});

test("bounds and foreign tokens are refused with the place, or as anybody else is", async () => {
  const { task, token } = await attempt();
  const both = await announce(task, { token, effectId: "x", payload: 1, payloadHash: "h" });
  assert.deepEqual([both.status, (both.body.detail as JsonObject[])[0]?.loc], [422, ["body", "payloadHash"]]);
  const large = await announce(task, { token, effectId: "x", payload: "x".repeat(16_384) });
  assert.match(JSON.stringify(large.body), /payload.*must be at most 16 KB of JSON/);
  await announce(task, { token, effectId: "x" });
  const url = `/v1/opscore/tasks/${task}/effects/x/receipt`;
  const result = await app.call("POST", url, {
    body: { token, status: "done", result: "x".repeat(65_536) },
    key: null,
  });
  assert.match(JSON.stringify(result.body), /result.*must be at most 64 KB of JSON/);
  assert.equal((await announce(task, { token: "1.no", effectId: "x" })).status, 401);
  assert.equal((await announce(task, { token: "1.no", effectId: "x" }, agent.key)).body.code, "lease_lost");
  const unknown = await app.call("POST", `/v1/opscore/tasks/${task}/effects/y/receipt`, {
    body: { token, status: "done" },
  });
  assert.deepEqual([unknown.status, unknown.body.code], [404, "effect_not_found"]);
  await app.settle({ opspawn: { taskId: task, token } }, { status: "completed" });
});

test("who is asked whether an effect happened decides it like any approval, and says what came of it", async () => {
  const output = { schema: { type: "object", required: ["id"] } };
  const { session, task, token } = await attempt({ onUncertain: { ask: { message: "Was it paid?" } }, output });
  await announce(task, { token, effectId: "charge" });
  await app.settle({ opspawn: { taskId: task, token } }, { status: "failed", error: { code: "dead_line" } });
  const why = await app.ok("GET", `/v1/opscore/tasks/${task}/why`);
  assert.match(JSON.stringify(why.explanation), /Nobody knows whether effect `charge` happened; approval apr_.* asks/);
  const [asked] = (await app.ok("GET", `/v1/opscore/approvals?session=${session}`)).items as JsonObject[];
  assert.deepEqual([asked?.kind, asked?.taskId, asked?.message], ["effect", task, "Was it paid?"]);
  const url = `/v1/opscore/approvals/${asked?.approvalId}`;
  const link = await app.ok("POST", `${url}/links`, { body: {} });
  const page = await app.call("GET", new URL(String(link.url)).pathname + new URL(String(link.url)).search, {
    key: null,
  });
  assert.match(String(page.body.text), />It happened<.*>It did not happen</);
  const wrong = await app.call("POST", `${url}/approve`, { body: { result: 7 } });
  assert.deepEqual([wrong.status, wrong.body.code], [422, "output_invalid"]);
  const misplaced = await app.call("POST", `${url}/reject`, { body: { result: { id: 1 } } });
  assert.deepEqual([misplaced.status, (misplaced.body.detail as JsonObject[])[0]?.loc], [422, ["body", "result"]]);
  await app.ok("POST", `${url}/approve`, { body: { result: { id: 1 } } });
  const ended = await app.ok("GET", `/v1/opscore/sessions/${session}`);
  assert.deepEqual([ended.status, ended.result], ["completed", { id: 1 }]);
});
