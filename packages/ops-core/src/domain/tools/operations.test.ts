import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";

const TOOLS = "/v1/tools";

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

const weather = { name: "weather", description: "Says the weather", endpoint: "HTTP://127.0.0.1/weather" };

test("a tool is registered, listed and removed", async () => {
  const { status, body } = await app.call("POST", TOOLS, { body: weather });
  assert.equal(status, 201);
  assert.deepEqual(body, {
    ...weather,
    endpoint: "http://127.0.0.1/weather",
    parameters: {},
    maxConcurrency: 10,
    type: "external",
    registeredAt: "2023-11-14T22:13:20.000000Z",
  });
  assert.deepEqual(await app.ok("GET", TOOLS, { key: null }), { items: [body], nextCursor: null });
  assert.deepEqual(await app.ok("DELETE", `${TOOLS}/weather`), { name: "weather" });
  assert.equal((await app.call("DELETE", `${TOOLS}/weather`)).body.code, "tool_not_found");
});

test("a tool's name is taken once, and its endpoint is one we may call", async () => {
  const headers = { "idempotency-key": "tool-1" };
  const first = await app.call("POST", TOOLS, { body: weather, headers });
  const repeated = await app.call("POST", TOOLS, { body: weather, headers });
  assert.deepEqual(repeated.body, first.body);
  assert.equal(repeated.headers["idempotent-replayed"], "true");
  assert.equal((await app.call("POST", TOOLS, { body: weather })).body.code, "tool_name_taken");
  const refused = await app.call("POST", TOOLS, { body: { name: "inside", endpoint: "http://192.168.0.1/" } });
  assert.equal(refused.body.code, "endpoint_refused");
  assert.deepEqual((refused.body.detail as JsonObject[])[0]?.loc, ["body", "endpoint"]);
});
