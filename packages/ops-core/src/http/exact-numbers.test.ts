import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type JsonObject, parseJson } from "@opspawn/contract";
import { TestApp } from "../app/test-app.ts";

// What a double would change: too many digits, a fraction of zeros, an exponent, minus zero.
const NUMBERS = '{"big":12345678901234567890,"whole":1.0,"exponent":1e2,"zero":-0,"deep":[0.10]}';

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

async function text(method: "GET" | "POST", url: string, payload?: string, more: Record<string, string> = {}) {
  const headers = { authorization: "Bearer operator-key-of-the-tests", ...more };
  const body = payload === undefined ? {} : { payload };
  const answer = await app.app.http.inject({
    method,
    url,
    headers: payload === undefined ? headers : { ...headers, "content-type": "application/json" },
    ...body,
  });
  assert.ok(answer.statusCode < 300, `${method} ${url}: ${answer.body}`);
  return answer.body;
}

test("an agent's metadata is answered digit for digit, wherever it is shown", async () => {
  const registration = `{"agentName":"exact","channel":"pull","metadata":${NUMBERS}}`;
  const key = { "idempotency-key": "k" };
  const registered = await text("POST", "/v1/opscore/agents", registration, key);
  assert.ok(registered.includes(NUMBERS), registered);
  assert.ok((await text("POST", "/v1/opscore/agents", registration, key)).includes(NUMBERS), "repeated");
  const { agentId } = (parseJson(registered) as JsonObject).agent as JsonObject;
  for (const path of [`/v1/opscore/agents/${agentId}`, "/v1/opscore/agents", "/v1/agents"]) {
    const shown = await text("GET", path);
    assert.ok(shown.includes(NUMBERS), `${path}: ${shown}`);
  }
});

test("an agent of the originals keeps the digits of its configuration, and its slots may be written 4.0", async () => {
  const config = `${NUMBERS.slice(0, -1)},"maxConcurrency":4.0}`;
  const registration = `{"agentName":"o","version":"1","contactEndpoint":"http://127.0.0.1:9/","metadata":{"config":${config}}}`;
  await text("POST", "/v1/agents/register", registration);
  const shown = await text("GET", "/v1/opscore/agents");
  assert.ok(shown.includes(config), shown);
  assert.match(shown, /"slots":\{"total":4,/);
  const details = `{"agentId":"n1","agentName":"n1","version":"1","capabilities":[],"contactEndpoint":"http://127.0.0.1:9/","metadata":${NUMBERS}}`;
  const notification = `{"event_type":"REGISTER","agent_details":${details}}`;
  await text("POST", "/v1/opscore/internal/agent/notify", notification);
  assert.ok((await text("GET", "/v1/opscore/agents/n1")).includes(NUMBERS), "announced");
});

test("a tool's parameters are answered digit for digit, the first time, when repeated, and in the list", async () => {
  const tool = `{"name":"t","endpoint":"http://127.0.0.1:9/","parameters":${NUMBERS}}`;
  const key = { "idempotency-key": "k" };
  for (const time of ["first", "repeated"]) {
    const answer = await text("POST", "/v1/tools", tool, key);
    assert.ok(answer.includes(NUMBERS), `${time}: ${answer}`);
  }
  const listed = await text("GET", "/v1/tools");
  assert.ok(listed.includes(NUMBERS), listed);
});
