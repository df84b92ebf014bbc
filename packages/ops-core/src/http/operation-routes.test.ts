import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allOperations, type JsonObject } from "@opspawn/contract";
import { TestApp } from "../app/test-app.ts";
import { ask } from "./test-approvals.ts";

let app: TestApp;
before(async () => {
  app = new TestApp();
  await app.pullAgent("anybody");
});
after(() => app.close());

const issuesOf = (body: JsonObject) => body.detail as JsonObject[];

test("every operation answers what it declares", async () => {
  const agent = await app.pullAgent("declared", ["declared.work"]);
  const workflow = { id: "declared", tasks: [{ taskId: "a", agentCapability: "declared.work" }] };
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition: workflow } });
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflowId: "declared" } });
  const [assignment] = await app.claim(agent);
  assert.ok(assignment);
  const taskId = assignment.opscore_task_id as string;
  await app.ok("POST", "/v1/tools", { body: { name: "declared", endpoint: "http://127.0.0.1/" } });
  await app.ok("POST", "/v1/opscore/keys", { body: { name: "declared", scopes: ["tasks:read"] } });
  const due = { name: "declared", workflowId: "declared", every: "1h" };
  const { scheduleId } = await app.ok("POST", "/v1/opscore/schedules", { body: due });
  const fired = await app.ok("POST", `/v1/opscore/schedules/${scheduleId}/trigger`);
  assert.equal(fired.scheduleId, scheduleId);
  const message = { url: "http://127.0.0.1/", headers: {}, body: "{}", aggregate: "a", agentId: null, sessionId: null };
  await app.app.store.deliveries.enqueue({ id: "dlv_declared", kind: "webhook", ...message });
  const values: Record<string, string> = {
    agentId: agent.id,
    deliveryId: "dlv_declared",
    workflowId: "declared",
    sessionId: sessionId as string,
    taskId,
    scheduleId: scheduleId as string,
    approvalId: (await ask(app)).approval,
  };
  const reads = allOperations.filter(({ idempotency, method }) => idempotency === "read" && method === "GET");
  let checked = 0;
  for (const operation of reads) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => values[name] ?? "none");
    if (path.endsWith("/none")) continue;
    const { status, body } = await app.call("GET", path);
    assert.equal(status, operation.status, operation.id);
    const { success, error } = operation.output.safeParse(body);
    assert.ok(success, `${operation.id}: ${error?.message}`);
    checked += 1;
  }
  assert.ok(checked > 10);
});

test("each wrong place of a body is named, unknown fields included", async () => {
  const body = { agentName: "", capabilities: ["a", 5], channel: "push", colour: "red", maxConcurrency: 1.5 };
  const answer = await app.call("POST", "/v1/opscore/agents", { body });
  assert.equal(answer.status, 422);
  assert.equal(answer.body.code, "invalid_request");
  assert.equal(answer.headers["x-error-code"], "invalid_request");
  assert.equal(answer.headers["x-request-id"], answer.body.requestId);
  const places = issuesOf(answer.body).map(({ loc }) => (loc as unknown[]).join("."));
  assert.deepEqual(places.sort(), ["body.agentName", "body.capabilities.1", "body.colour", "body.maxConcurrency"]);
  assert.ok(issuesOf(answer.body).some(({ type }) => type === "unknown_field"));
});

test("a missing field and a missing body are called missing", async () => {
  const missing = await app.call("POST", "/v1/opscore/agents", { body: {} });
  assert.deepEqual(issuesOf(missing.body)[0], { loc: ["body", "agentName"], msg: "Field required", type: "missing" });
  const empty = await app.call("POST", "/v1/opscore/agents");
  assert.deepEqual(issuesOf(empty.body)[0], { loc: ["body"], msg: "Field required", type: "missing" });
});

test("a number may be written as 2.0, wherever one is declared", async () => {
  const send = (payload: string) =>
    app.app.http.inject({
      method: "POST",
      url: "/v1/opscore/agents",
      headers: { "content-type": "application/json" },
      payload,
    });
  const text = (count: string) => `{"agentName":"n${count}","channel":"pull","maxConcurrency":${count}}`;
  assert.equal((await send(text("2.0"))).statusCode, 201);
  assert.equal((await send(text("2e0"))).statusCode, 201);
  assert.equal((await send(text("2.5"))).statusCode, 422);
  assert.equal((await send(text("1e3000"))).statusCode, 422);
  const nested = { token: "t", status: "failed", error: { code: "x", message: "y", retryAfter: "RAW" } };
  const answer = await app.app.http.inject({
    method: "POST",
    url: "/v1/opscore/tasks/none/result",
    headers: { "content-type": "application/json", authorization: "Bearer operator-key-of-the-tests" },
    payload: JSON.stringify(nested).replace('"RAW"', "1.50"),
  });
  assert.equal((JSON.parse(answer.body) as JsonObject).code, "task_not_found");
});

test("query values are checked like bodies", async () => {
  const answer = await app.call("GET", "/v1/opscore/agents?limit=many&colour=red");
  const places = issuesOf(answer.body).map(({ loc }) => (loc as unknown[]).join("."));
  assert.deepEqual(places.sort(), ["query.colour", "query.limit"]);
});

test("a request that takes no body may send none, or an empty object", async () => {
  const { keyId } = (await app.ok("POST", "/v1/opscore/keys", { body: { name: "x", scopes: ["tasks:read"] } }))
    .key as JsonObject;
  const path = `/v1/opscore/keys/${keyId}`;
  assert.equal((await app.call("DELETE", path, { body: { force: true } })).status, 422);
  assert.equal((await app.call("DELETE", path, { body: [1] })).status, 422);
  assert.equal((await app.call("DELETE", path, { body: "text" })).status, 422);
  assert.equal((await app.call("DELETE", path, { body: {} })).status, 200);
  const headers = { "content-type": "application/json" };
  assert.equal((await app.call("DELETE", path, { headers })).status, 200);
});

test("bodies are JSON, and say so", async () => {
  const send = (type: string, payload: string) =>
    app.app.http.inject({ method: "POST", url: "/v1/opscore/agents", headers: { "content-type": type }, payload });
  const codeOf = async (type: string, payload: string) => (await send(type, payload)).headers["x-error-code"];
  assert.equal(await codeOf("text/plain", "{}"), "unsupported_media_type");
  assert.equal(await codeOf("application/json", "{"), "json_invalid");
  assert.equal(await codeOf("application/json", `${"[".repeat(10_000)}`), "too_deep");
  assert.equal(await codeOf("application/json", `{"agentName":"${"x".repeat(1_100_000)}"}`), "body_too_large");
  assert.equal(await codeOf("application/json", '{"agentName":"a\\u0000b"}'), "invalid_text");
  assert.equal(await codeOf("application/json", '{"__proto__":{"x":1}}'), "invalid_request");
});

test("strangers are turned away before their request is looked at", async () => {
  const answer = await app.call("POST", "/v1/opscore/sessions", { body: { nonsense: true }, key: null });
  assert.equal(answer.status, 401);
  assert.deepEqual(Object.keys(answer.body), ["detail", "code", "requestId"]);
});

test("an Idempotency-Key is at most 255 visible ASCII characters", async () => {
  const keyed = (key: string) => app.call("GET", "/v1/opscore/agents", { headers: { "idempotency-key": key } });
  assert.equal((await keyed("k".repeat(255))).status, 200);
  for (const key of ["", "k".repeat(256), "a b", "é"]) {
    const { status, body } = await keyed(key);
    assert.equal(status, 422, key);
    assert.deepEqual(issuesOf(body)[0]?.loc, ["header", "idempotency-key"]);
  }
});

test("both slash forms are the same route, ids may be any text, and other methods are named", async () => {
  assert.equal((await app.call("GET", "/v1/opscore/agents/")).status, 200);
  const odd = await app.call("GET", `/v1/opscore/agents/${encodeURIComponent("a/b c?ü")}`);
  assert.equal(odd.body.detail, "Agent not found: a/b c?ü");
  const long = await app.call("GET", `/v1/opscore/agents/${"x".repeat(201)}`);
  assert.deepEqual(issuesOf(long.body)[0]?.loc, ["path", "agentId"]);
  const wrong = await app.call("PUT", "/v1/opscore/agents");
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.allow, "POST, GET");
});

test("a process that is only AgentKit serves agents and tools, and no workflows", async () => {
  const agentkit = new TestApp({ OPSPAWN_ROLE: "agentkit" });
  assert.equal((await agentkit.call("GET", "/v1/opscore/agents")).status, 200);
  assert.equal((await agentkit.call("GET", "/v1/tools")).status, 200);
  assert.equal((await agentkit.call("GET", "/v1/opscore/sessions")).status, 404);
  await agentkit.close();
  const engine = new TestApp({ OPSPAWN_ROLE: "engine" });
  assert.equal((await engine.call("GET", "/v1/opscore/agents")).status, 404);
  assert.equal((await engine.call("GET", "/healthz")).status, 200);
  await engine.close();
});
