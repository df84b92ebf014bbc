import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { OpspawnError, operations } from "@opspawn/contract";
import { OpspawnClient } from "./client.ts";
import { OpspawnApiError, OpspawnConnectionError } from "./errors.ts";
import {
  type FakeClock,
  FakeFailure,
  FakeServer,
  fakeChance,
  fakeClock,
  HangUp,
  sampleSession,
} from "./testing/index.ts";

const KEY = "opk_1_secret";
const { sessions, agents, keys } = operations;
const STARTED = { sessionId: "s1", workflowId: "w", workflowVersion: "1.0", status: "started" as const };
const BUSY = new FakeFailure(503, { detail: "Too much to do", code: "overloaded", requestId: "req_1" });
const SECOND = 1_000_000;

let fake: FakeServer;
let clock: FakeClock;
let client: OpspawnClient;

beforeEach(async () => {
  fake = await FakeServer.start({ apiKey: KEY });
  clock = fakeClock();
  client = new OpspawnClient({ baseUrl: `${fake.baseUrl}/v1/`, apiKey: KEY, clock, chance: fakeChance() });
});

afterEach(() => fake.close());

test("a start carries its key, and the same one on its own retries", async () => {
  fake.on(sessions.start, new HangUp(), BUSY, STARTED);
  const started = client.sessions.start({ workflowId: "w", input: { n: 1 }, labels: { a: "b" } });
  await clock.reach(5 * SECOND);
  await clock.reach(5 * SECOND);
  assert.equal((await started).sessionId, "s1");
  assert.deepEqual(
    fake.calls.map((call) => call.headers["idempotency-key"]),
    ["id-1", "id-1", "id-1"],
  );
  assert.deepEqual(fake.calls[2]?.body, { workflowId: "w", input: { n: 1 }, labels: { a: "b" } });
});

test("two starts carry different keys, and the caller may choose one", async () => {
  fake.on(sessions.start, STARTED);
  await client.sessions.start({ workflowId: "w" });
  await client.sessions.start({ workflowId: "w" });
  await client.sessions.start({ workflowId: "w" }, { idempotencyKey: "mine" });
  assert.deepEqual(
    fake.calls.map((call) => call.headers["idempotency-key"]),
    ["id-1", "id-2", "mine"],
  );
});

test("an error of the server arrives with its code, issues, request id and help, and is not retried", async () => {
  const detail = [{ loc: ["body", "input", 0], msg: "Required", type: "missing" }];
  fake.on(sessions.start, new FakeFailure(422, { detail, code: "input_invalid", requestId: "req_7" }));
  const error = await client.sessions.start({ workflowId: "w" }).then(
    () => assert.fail("was accepted"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof OpspawnApiError);
  assert.deepEqual(
    [error.status, error.code, error.requestId, error.retryable, error.issues],
    [422, "input_invalid", "req_7", false, detail],
  );
  assert.match(error.help, /paths named/);
  assert.equal(error.detail, "Required");
  assert.equal(fake.calls.length, 1);
});

test("an error without a code of ours keeps its status and is retried only when such errors pass", async () => {
  fake.on(sessions.get, new FakeFailure(404, "<h1>no</h1>"));
  await assert.rejects(client.sessions.get("s1"), { status: 404, code: "unknown", retryable: false });
  fake.on(sessions.get, new FakeFailure(502, "bad gateway"));
  const call = client.sessions.get("s1", {}, { maxRetries: 0 });
  await assert.rejects(call, { status: 502, code: "unknown", retryable: true });
});

test("the originals' bodies have no code: it comes from the header", async () => {
  const headers = { "x-error-code": "agent_not_found" };
  fake.onRoute("POST", "/v1/opscore/agent/a1/state", new FakeFailure(404, { detail: "Agent not found: a1" }, headers));
  await assert.rejects(client.agents.reportState("a1", { state: "idle" }), { code: "agent_not_found" });
});

test("retries are bounded: after two the last error is thrown", async () => {
  fake.on(sessions.get, BUSY);
  const call = client.sessions.get("s1");
  const thrown = assert.rejects(call, { code: "overloaded", retryable: true });
  await clock.reach(5 * SECOND);
  await clock.reach(5 * SECOND);
  await thrown;
  assert.equal(fake.calls.length, 3);
});

test("`retry-after` is kept to, and not waited for when it ends after the call's time", async () => {
  const limited = (seconds: string) =>
    new FakeFailure(429, { detail: "Slower", code: "rate_limited" }, { "retry-after": seconds });
  fake.on(sessions.get, limited("7"), limited("60"));
  const before = clock.now();
  const thrown = assert.rejects(client.sessions.get("s1"), { code: "rate_limited", retryAfter: 60 * SECOND });
  await clock.reach(7 * SECOND);
  await thrown;
  assert.equal(clock.now() - before, 7 * SECOND);
  assert.equal(fake.calls.length, 2);
});

test("a created key is never asked for twice, since the first answer's secret would be lost", async () => {
  fake.on(keys.create, new HangUp());
  const body = { name: "ci", scopes: ["sessions:read" as const] };
  await assert.rejects(client.keys.create(body), OpspawnConnectionError);
  assert.equal(fake.calls.length, 1);
});

test("a server that is not there is named, with what to do", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => closed.once("listening", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const nobody = new OpspawnClient({ baseUrl: `http://127.0.0.1:${port}`, maxRetries: 0 });
  await assert.rejects(nobody.agents.list(), {
    name: "OpspawnConnectionError",
    problem: "unreachable",
    message: `Cannot reach http://127.0.0.1:${port}: connection refused. Is the server running? Start it with: opspawn dev`,
  });
});

test("an answer that does not come is a timeout of its own kind, after the time and the wait of the call", async () => {
  fake.on(sessions.get, async (call) => {
    await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    return new HangUp();
  });
  const call = client.sessions.get("s1", { wait: "20s" }, { timeout: "5s" });
  const thrown = assert.rejects(call, { name: "OpspawnConnectionError", problem: "timeout" });
  const before = clock.now();
  await clock.reach(25 * SECOND);
  await thrown;
  assert.equal(clock.now() - before, 25 * SECOND);
});

test("the caller's signal ends a call with its own reason", async () => {
  const stop = new AbortController();
  fake.on(sessions.get, () => {
    stop.abort(new Error("enough"));
    return BUSY;
  });
  await assert.rejects(client.sessions.get("s1", {}, { signal: stop.signal }), { message: "enough" });
});

test("another program on the port is recognised as such", async () => {
  fake.on(agents.list, new FakeFailure(200, "<html>", { "content-type": "text/html" }));
  await assert.rejects(client.agents.list(), { problem: "not_opspawn", message: /status 200, text\/html/ });
  fake.on(agents.list, new FakeFailure(302, "", { location: "https://login.example" }));
  await assert.rejects(client.agents.list(), {
    problem: "not_opspawn",
    message: /redirects to https:\/\/login.example/,
  });
});

test("ids are escaped, and those that would name another path are refused before anything is sent", async () => {
  fake.on(sessions.get, new FakeFailure(404, { detail: "No such session", code: "session_not_found" }));
  await assert.rejects(client.sessions.get("a/b?c#d%"), { code: "session_not_found" });
  assert.deepEqual(fake.calls[0]?.params, { sessionId: "a/b?c#d%" });
  for (const id of ["", ".", ".."]) {
    await assert.rejects(async () => client.sessions.cancel(id), { name: "OpspawnError", code: "invalid_request" });
  }
  assert.equal(fake.calls.length, 1);
});

test("addresses, keys and durations that cannot be meant are refused with the reason", () => {
  const make = (options: object) => () => new OpspawnClient({ baseUrl: "http://127.0.0.1:8000", ...options });
  for (const baseUrl of ["localhost:8000", "ftp://x", "", "http://user:pw@host"]) {
    assert.throws(make({ baseUrl }), OpspawnError);
  }
  assert.throws(make({ apiKey: "two words" }), /copy it again/);
  assert.throws(make({ timeout: "30" }), /`timeout` must be a whole number and a unit/);
  assert.equal(make({ baseUrl: "https://ops.example/base/v1/" })().baseUrl, "https://ops.example/base");
});

test("numbers that a double cannot hold come and go unchanged", async () => {
  const page = { items: [sampleSession({ result: { big: 1 } })], nextCursor: null };
  const text = JSON.stringify(page).replace('"big":1', '"big":12345678901234567890.50');
  fake.on(sessions.list, new FakeFailure(200, text));
  const { result } = (await client.sessions.list()).items[0] ?? {};
  assert.equal(JSON.stringify(result), '{"big":12345678901234567890.50}');
  fake.on(sessions.start, STARTED);
  await client.sessions.start({ workflowId: "w", input: result ?? null });
  assert.equal(
    JSON.stringify(fake.callsOf("sessions.start")[0]?.body),
    '{"workflowId":"w","input":{"big":12345678901234567890.50}}',
  );
});
