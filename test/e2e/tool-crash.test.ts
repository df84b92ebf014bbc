// A server that dies while a tool is at work calls it again after its restart, as the same call.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { Receiver } from "../conformance/receiver.ts";
import { startServer, type TestProcess } from "./split/processes.ts";

const KEY = "operator-key-of-the-tests";

let folder: string;
let tool: Receiver;
const started: TestProcess[] = [];
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tool-crash-"));
  tool = await new Receiver().open();
});
after(async () => {
  await Promise.all(started.map((each) => each.kill()));
  await tool.close();
  await rm(folder, { recursive: true, maxRetries: 20, retryDelay: 500 });
});

/** Starts the server on the data that is there; its address, and the process. */
async function server(env: Readonly<Record<string, string>> = {}): Promise<{ process: TestProcess; url: string }> {
  const args = ["--port", "0", "--data", "data"];
  const process = startServer(args, folder, { OPSCORE_API_KEY: KEY, LOG_LEVEL: "warn", ...env });
  started.push(process);
  return { process, url: String(await process.told("listening")) };
}

async function call(url: string, method: string, body?: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  assert.ok(response.ok, `${method} ${url}: ${response.status} ${await response.clone().text()}`);
  return (await response.json()) as Record<string, unknown>;
}

async function start(url: string): Promise<string> {
  const workflow = { id: "w", tasks: [{ taskId: "a", tool: "post", timeout: "5m", parameters: { n: 1 } }] };
  return (await call(`${url}/v1/opscore/sessions`, "POST", { workflow })).sessionId as string;
}

function ended(url: string, session: string): Promise<Record<string, unknown>> {
  return call(`${url}/v1/opscore/sessions/${session}?wait=30s`, "GET");
}

async function calledTimes(count: number): Promise<void> {
  while (tool.received.length < count) await new Promise(setImmediate);
}

/** What tells one call from another. */
function identity(index: number) {
  const { headers, body } = tool.received[index] ?? assert.fail();
  const { "idempotency-key": key, "x-opspawn-token": token, "x-opspawn-attempt": attempt } = headers;
  return { key, token, attempt, body };
}

test("a server killed between call and answer makes the same call again, and takes its answer", async () => {
  const first = await server();
  await call(`${first.url}/v1/tools`, "POST", { name: "post", endpoint: tool.url });
  tool.answer = () => undefined;
  const session = await start(first.url);
  await calledTimes(1);
  await first.process.kill("SIGKILL");
  tool.answers(200, '{"posted":1}');
  const second = await server();
  const { status, result } = await ended(second.url, session);
  assert.deepEqual([status, result], ["completed", { posted: 1 }]);
  assert.equal(tool.received.length, 2);
  assert.deepEqual(identity(1), identity(0));

  // Once more, when the answer is here but not recorded.
  await second.process.kill("SIGTERM");
  const third = await server({ OPSPAWN_FAILPOINT: "engine.after-send" });
  const other = await start(third.url);
  await calledTimes(3);
  const fourth = await server();
  assert.equal((await ended(fourth.url, other)).status, "completed");
  assert.equal(tool.received.length, 4);
  assert.deepEqual(identity(3), identity(2));
  assert.notEqual(identity(3).key, identity(0).key);
});
