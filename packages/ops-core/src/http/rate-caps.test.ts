import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { type Answer, TestApp } from "../app/test-app.ts";
import { networkOf } from "./rate-caps.ts";

const AGENTS = "/v1/opscore/agents";
/** Two seconds' worth pass at once. */
const AT_ONCE = 10;

let app: TestApp;
function start(env: Record<string, string> = {}): void {
  app = new TestApp({ OPSPAWN_RATE_PER_AGENT: "5", OPSPAWN_RATE_PER_ADDRESS: "5", ...env });
}
afterEach(() => app.close());

async function exhaust(call: () => Promise<Answer>, status: number): Promise<void> {
  for (let n = 0; n < AT_ONCE; n += 1) assert.equal((await call()).status, status, `call ${n}`);
}

function expectHeld(answer: Answer): void {
  assert.equal(answer.status, 429, JSON.stringify(answer.body));
  assert.equal(answer.headers["x-error-code"], "rate_limited");
  assert.equal(answer.headers["retry-after"], "1");
}

test("a flooding agent is told when to come back, over all of its keys, and the others do not notice", async () => {
  start();
  const flooder = await app.pullAgent("flooder");
  const other = await app.pullAgent("other");
  const look = (agent: { id: string; key: string }) => app.call("GET", `${AGENTS}/${agent.id}`, { key: agent.key });
  await exhaust(() => look(flooder), 200);
  expectHeld(await look(flooder));
  const report = { agentId: flooder.id, timestamp: "2026-01-01T00:00:00Z", state: "idle" };
  expectHeld(await app.call("POST", `/v1/opscore/agent/${flooder.id}/state`, { body: report, key: flooder.key }));
  const body = { name: "second", agentId: flooder.id, scopes: ["agents:read"] };
  const { secret } = await app.ok("POST", "/v1/opscore/keys", { body });
  expectHeld(await look({ id: flooder.id, key: secret as string }));
  assert.equal((await look(other)).status, 200);
  assert.equal((await app.call("GET", AGENTS)).status, 200);
  app.time.advance(200);
  assert.equal((await look(flooder)).status, 200);
  expectHeld(await look(flooder));
});

test("admin keys and the keys of other programs are not capped", async () => {
  start();
  const { secret } = await app.ok("POST", "/v1/opscore/keys", { body: { name: "ci", scopes: ["agents:read"] } });
  await exhaust(() => app.call("GET", AGENTS), 200);
  await exhaust(() => app.call("GET", AGENTS, { key: secret as string }), 200);
  assert.equal((await app.call("GET", AGENTS)).status, 200);
  assert.equal((await app.call("GET", AGENTS, { key: secret as string })).status, 200);
});

test("an address without a key is capped before its body is read, and health is answered all the same", async () => {
  start();
  await exhaust(() => app.call("GET", "/v1/agents", { key: null }), 200);
  expectHeld(await app.call("GET", "/v1/agents", { key: null }));
  const raw = { headers: { "content-type": "application/json" }, payload: "{not json" };
  assert.equal((await app.app.http.inject({ method: "POST", url: "/v1/agents/register", ...raw })).statusCode, 429);
  for (const probe of ["/healthz", "/readyz", "/health"]) {
    assert.notEqual((await app.call("GET", probe, { key: null })).status, 429, probe);
  }
  assert.equal(
    (await app.call("GET", "/v1/agents")).status,
    200,
    "who has a key is not held up by those who have none",
  );
});

test("keys that are none are counted against the address they come from", async () => {
  start();
  await exhaust(() => app.call("GET", AGENTS, { key: "opk_guess_guess" }), 401);
  expectHeld(await app.call("GET", AGENTS, { key: "opk_guess_guess" }));
});

test("results under good tokens are as many as there is work; forged ones are counted", async () => {
  start({ OPSPAWN_RATE_PER_AGENT: "50" });
  const worker = await app.pullAgent("worker", ["work"]);
  const results: JsonObject[] = [];
  for (let n = 0; n < 3 * AT_ONCE; n += 1) {
    await app.ok("POST", "/v1/opscore/tasks", { body: { name: "n", capability: "work" } });
    const [assignment] = await app.claim(worker);
    assert.ok(assignment);
    assert.equal((await app.settle(assignment, { status: "completed" })).status, 200, `result ${n}`);
    results.push(assignment);
  }
  const [first] = results;
  assert.ok(first);
  for (let n = 1; n < 100; n += 1) assert.equal((await app.settle(first, { status: "completed" })).status, 200);
  expectHeld(await app.settle(first, { status: "completed" }));
  const forged = () =>
    app.call("POST", "/v1/opscore/tasks/task_none/result", { body: { token: "1.x", status: "completed" }, key: null });
  await exhaust(forged, 401);
  expectHeld(await forged());
});

test("0 caps nothing", async () => {
  start({ OPSPAWN_RATE_PER_AGENT: "0", OPSPAWN_RATE_PER_ADDRESS: "0" });
  const { id, key } = await app.pullAgent("free");
  for (let n = 0; n < 3 * AT_ONCE; n += 1) {
    assert.equal((await app.call("GET", `${AGENTS}/${id}`, { key })).status, 200);
    assert.equal((await app.call("GET", "/v1/agents", { key: null })).status, 200);
  }
});

test("one host has one IPv4 address, or a whole /64 of IPv6", () => {
  assert.equal(networkOf("10.1.2.3"), "10.1.2.3");
  assert.equal(networkOf("::ffff:10.1.2.3"), "10.1.2.3");
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(networkOf("2001:db8:1:2::6"), "2001:db8:1:2::/64");
  assert.equal(networkOf("2001:db8::6"), "2001:db8:0:0::/64");
  assert.equal(networkOf("::1"), "0:0:0:0::/64");
});
