// Tools as steps, through the whole server: real requests to a real tool on loopback.

import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "./test-app.ts";

interface Called {
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject;
  readonly response: ServerResponse;
}

let app: TestApp;
let server: Server;
let called: Called[];
let answer: (call: Called) => void;
beforeEach(async () => {
  called = [];
  answer = ({ response }) => reply(response, 200, { ok: true });
  server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      const call = { headers: request.headers, body: JSON.parse(text) as JsonObject, response };
      called.push(call);
      answer(call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  app = new TestApp({ OPSCORE_WEBHOOK_SECRET: "s3cret" });
  await app.start();
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  let closed = false;
  const closing = app.close().finally(() => {
    closed = true;
  });
  await until(() => closed);
  await closing;
});

function reply(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function tool(rest: JsonObject = {}): Promise<void> {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await app.ok("POST", "/v1/tools", { body: { name: "post", endpoint, ...rest } });
}

async function start(rest: JsonObject = {}, definition: JsonObject = {}): Promise<string> {
  const workflow = { id: "w", tasks: [{ taskId: "a", tool: "post", ...rest }], ...definition };
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow, input: [1, 2, 3, 4, 5] } });
  return sessionId as string;
}

function session(id: string): Promise<JsonObject> {
  return app.ok("GET", `/v1/opscore/sessions/${id}`);
}

async function taskOf(sessionId: string): Promise<JsonObject> {
  const { items } = await app.ok("GET", `/v1/opscore/tasks?session=${sessionId}`);
  return app.ok("GET", `/v1/opscore/tasks/${(items as JsonObject[])[0]?.taskId}`);
}

/** Lets what was begun go on, and time pass in small steps, until `done`. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let step = 0; step < 400; step += 1) {
    await settled();
    if (await done()) return;
    app.time.advance(100);
  }
  assert.fail("it did not come about");
}

const has = (id: string, status: string) => async () => (await session(id)).status === status;

test("a step calls its tool once, unsigned, and goes on with what it answered", async () => {
  await tool();
  const id = await start({ parameters: { x: 1.5 } });
  await until(has(id, "completed"));
  assert.deepEqual((await session(id)).result, { ok: true });
  assert.deepEqual(
    called.map(({ body }) => body),
    [{ arguments: { x: 1.5 } }],
  );
  const task = await taskOf(id);
  const { headers } = called[0] ?? assert.fail();
  assert.equal(headers["idempotency-key"], task.taskId);
  assert.deepEqual(
    Object.keys(headers).filter((name) => /signature|webhook|authorization/.test(name)),
    [],
  );
  assert.deepEqual([task.agentId, (task.requirement as JsonObject).tool], [null, "post"]);
  assert.partialDeepStrictEqual(task.attemptList, [
    { agentId: null, agentName: null, tool: "post", evidence: "answer" },
  ]);
  assert.deepEqual((await app.ok("GET", "/v1/opscore/agents")).items, []);
});

test("no more calls are open than the tool takes, however many items there are", async () => {
  await tool({ maxConcurrency: 2 });
  answer = () => undefined;
  const id = await start({ forEach: "input", concurrency: 5, parameters: { n: "${{ item }}" } });
  for (let done = 0; done < 5; done += 1) {
    await until(() => called.length === Math.min(done + 2, 5));
    if (done === 0) {
      const { items } = await app.ok("GET", "/v1/opscore/tasks?blockedReason=tool_busy");
      assert.equal((items as JsonObject[]).length, 3);
    }
    const call = called[done] ?? assert.fail();
    reply(call.response, 200, (call.body.arguments as JsonObject).n);
  }
  await until(has(id, "completed"));
  assert.deepEqual((await session(id)).result, [1, 2, 3, 4, 5]);
});

test("five failures keep the tool from calls, and one that comes through lets them on", async () => {
  await tool();
  answer = ({ response }) => reply(response, 500, { secret: "of the tool" });
  const retry = { maxAttempts: 1 };
  for (let i = 0; i < 5; i += 1) await until(has(await start({ retry }, { version: `${i}` }), "failed"));
  const ids = [await start({ retry }), await start({ retry })];
  await settled();
  assert.equal(called.length, 5);
  const why = await app.ok("GET", `/v1/opscore/tasks/${(await taskOf(ids[0] ?? "")).taskId}/why`);
  assert.equal((why.blocked as JsonObject).reason, "circuit_open");
  answer = () => undefined;
  await until(() => called.length === 6);
  for (let i = 0; i < 10; i += 1) await settled();
  assert.equal(called.length, 6, "only the probe is sent");
  answer = ({ response }) => reply(response, 200, "up");
  reply((called[5] ?? assert.fail()).response, 200, "up");
  for (const id of ids) await until(has(id, "completed"));
  assert.equal(called.length, 7);
});

test("a call is made again as its step says, under the same key, and then given up with what was wrong", async () => {
  await tool();
  answer = ({ response }) => reply(response, 200, { status: "error", error_message: "no such channel" });
  const id = await start({ retry: { maxAttempts: 2, initialDelay: "1s", jitter: "none" } });
  await until(has(id, "failed"));
  const keys = new Set(called.map(({ headers }) => headers["idempotency-key"]));
  const attempts = called.map(({ headers }) => headers["x-opspawn-attempt"]);
  assert.deepEqual([keys.size, attempts], [1, ["1", "2"]]);
  assert.partialDeepStrictEqual((await session(id)).error, { code: "tool_error", message: "no such channel" });
  const task = await taskOf(id);
  const { explanation } = await app.ok("GET", `/v1/opscore/tasks/${task.taskId}/why`);
  assert.match(String((explanation as string[])[1]), /^Attempt 2 with tool `post` ended failed: tool_error/);
});

test("a token that a tool was sent gives nobody anything: not its outcome, not its lease", async () => {
  await tool();
  answer = () => undefined;
  const id = await start();
  await until(() => called.length === 1);
  const { headers, response } = called[0] ?? assert.fail();
  const path = `/v1/opscore/tasks/${headers["idempotency-key"]}`;
  const token = String(headers["x-opspawn-token"]);
  const result = await app.call("POST", `${path}/result`, { body: { token, status: "completed" }, key: null });
  const lease = await app.call("POST", `${path}/lease`, { body: { token }, key: null });
  assert.deepEqual([result.body.code, lease.body.code], ["lease_lost", "lease_lost"]);
  reply(response, 200, "its own");
  await until(has(id, "completed"));
  assert.equal((await session(id)).result, "its own");
});
