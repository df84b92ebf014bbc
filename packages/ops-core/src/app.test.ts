import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "./app/test-app.ts";
import { ConfigError } from "./config.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-app-"));
  folders.push(folder);
  return folder;
}

interface Program {
  readonly child: ChildProcess;
  /** What it told people so far. */
  said(): string;
  log(): string;
  readonly ended: Promise<number | null>;
}

function run(argv: readonly string[], env: Record<string, string> = {}): Program {
  const main = join(import.meta.dirname, "main.ts");
  const child = spawn(process.execPath, ["--conditions=opspawn-source", main, ...argv], {
    cwd: newFolder(),
    env: { PATH: process.execPath, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      texts[stream] += text;
    });
  }
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { child, said: () => texts.stderr, log: () => texts.stdout, ended };
}

/** The address a program says it listens on. */
async function urlOf(program: Program): Promise<string> {
  for (;;) {
    const url = /listening on (\S+?),/.exec(program.said())?.[1];
    if (url !== undefined) return url;
    const state = await Promise.race([
      program.ended.then(() => "ended"),
      once(program.child.stderr ?? program.child, "data"),
    ]);
    assert.notEqual(state, "ended", program.said());
  }
}

test("a first start makes the data folder and an admin key, shows it once, and SIGTERM ends it cleanly", async () => {
  const data = join(newFolder(), "data");
  const first = run(["--port", "0", "--data", data]);
  const url = await urlOf(first);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  const key = readFileSync(join(data, "admin.key"), "utf8").trim();
  assert.ok(first.said().includes(key));
  const headers = { authorization: `Bearer ${key}` };
  assert.equal((await fetch(`${url}/v1/opscore/keys`, { headers })).status, 200);

  const second = run(["--port", "0", "--data", data]);
  assert.equal(await second.ended, 7);
  assert.match(second.said(), /Another process has this data folder open.*--data/);

  const third = run(["--port", new URL(url).port, "--data", join(newFolder(), "other")]);
  assert.equal(await third.ended, 3);
  assert.match(third.said(), /is taken by another program.*--port/);

  first.child.kill("SIGTERM");
  assert.equal(await first.ended, 0);
  assert.ok(!first.log().includes(key));
  for (const line of first.log().trim().split("\n")) assert.equal(typeof JSON.parse(line), "object");

  const again = run(["--port", "0", "--data", data]);
  await urlOf(again);
  assert.ok(!again.said().includes("Admin key"));
  again.child.kill("SIGINT");
  assert.equal(await again.ended, 0);
});

test("a bad setting stops the start with exit code 2 and leaves nothing behind", async () => {
  const data = join(newFolder(), "data");
  const program = run(["--data", data], { OPSPAWN_PORT: "abc", OPSCORE_STORAGE_TYPE: "redis" });
  assert.equal(await program.ended, 2);
  assert.match(program.said(), /OPSPAWN_PORT: "abc" is no port[\s\S]*OPSCORE_STORAGE_TYPE/);
  assert.equal(existsSync(data), false);
});

test("--help says what there is", async () => {
  const program = run(["--help"]);
  assert.equal(await program.ended, 0);
  for (const flag of ["--host", "--port", "--data", "--role", "--config"]) assert.ok(program.log().includes(flag));
});

test("a stop ends the waits, and may be asked for twice, or before any start", async () => {
  const app = new TestApp();
  await app.start();
  const agent = await app.pullAgent("waiting");
  const waiting = app.call("POST", `/v1/opscore/agents/${agent.id}/claim`, { body: { wait: "60s" } });
  await settled();
  await Promise.all([app.close(), app.close()]);
  assert.deepEqual((await waiting).body, { tasks: [], cancelled: [] });
  const never = new TestApp();
  await never.close();
  assert.equal(app.time.waiting, 0);
});

test("a caller who goes away gives its wait back", async () => {
  const app = new TestApp({ OPSPAWN_MAX_WAITS: "1" });
  await app.start();
  const agent = await app.pullAgent("leaving");
  const before = app.time.waiting;
  const socket = connect(Number(new URL(app.app.url).port), "127.0.0.1");
  const body = '{"wait":"60s"}';
  socket.write(
    `POST /v1/opscore/agents/${agent.id}/claim HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${agent.key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  while (app.time.waiting === before) await settled();
  assert.equal((await app.call("GET", "/v1/opscore/events?after=1000&wait=1s")).status, 503);
  socket.destroy();
  while (app.time.waiting > before) await settled();
  await settled();
  assert.ok(app.log.some(({ fields }) => fields.status === 499));
  await app.close();
});

test("the tools of the settings are registered, changed ones replaced, and refused ones stop the start", async () => {
  const app = new TestApp({ MOCK_TOOL_ENDPOINT_URL: "http://127.0.0.1:9001/invoke" });
  await app.start();
  const { items } = await app.ok("GET", "/v1/tools");
  const [tool] = items as JsonObject[];
  assert.equal(tool?.name, "mock_tool");
  assert.equal(tool?.endpoint, "http://127.0.0.1:9001/invoke");
  await app.close();
  const refused = new TestApp({ MOCK_TOOL_ENDPOINT_URL: "http://10.0.0.1/invoke" });
  await assert.rejects(
    refused.start(),
    (error) => error instanceof ConfigError && /mock_tool.*10\.0\.0\.1/.test(error.message),
  );
  await refused.close();
});

test("work is pushed to its agent with everything it needs to answer, and its answer ends the session", async () => {
  const deliveries: { headers: Record<string, unknown>; body: JsonObject }[] = [];
  const agent = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      deliveries.push({ headers: request.headers, body: JSON.parse(text) as JsonObject });
      response.writeHead(200, { "content-type": "application/json" }).end('{"status":"completed","result":{"n":1.0}}');
    });
  });
  await listen(agent);
  const app = new TestApp({ OPSCORE_WEBHOOK_SECRET: "s3cret" });
  await app.start();
  const contactEndpoint = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/`;
  await app.ok("POST", "/v1/opscore/agents", {
    body: { agentName: "pushed", capabilities: ["work"], contactEndpoint },
  });
  const workflow = { id: "w", tasks: [{ taskId: "a", agentCapability: "work", parameters: { x: 1 } }] };
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow } });
  const ended = await app.ok("GET", `/v1/opscore/sessions/${sessionId}?wait=30s`);
  assert.equal(ended.status, "completed");
  assert.deepEqual(ended.result, { n: 1 });
  const [delivery] = deliveries;
  const ticket = delivery?.body.opspawn as JsonObject;
  assert.equal(delivery?.headers["idempotency-key"], ticket.taskId);
  assert.equal(ticket.resultUrl, `${app.app.url}/v1/opscore/tasks/${ticket.taskId}/result`);
  assert.match(String(delivery?.headers["x-agentkit-signature"]), /^[0-9a-f]{64}$/);
  assert.match(String(delivery?.headers["webhook-signature"]), /^v1,/);
  assert.equal(delivery?.headers["webhook-id"], ticket.taskId, "the id of a delivery is its task's, over all attempts");
  await app.close();
  agent.close();
});

async function listen(server: Server): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}
