import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { operations } from "@opspawn/contract";
import { FakeServer, sampleEvent, sampleSessionDetail } from "@opspawn/sdk/testing";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

let fake: FakeServer;

beforeEach(async () => {
  fake = await FakeServer.start({ apiKey: "opk_1_s" });
});

afterEach(() => fake.close());

function opspawn(...argv: string[]) {
  const env = { ...process.env, OPSPAWN_URL: fake.baseUrl, OPSPAWN_API_KEY: "opk_1_s" };
  return spawn(process.execPath, ["--conditions=opspawn-source", MAIN, ...argv], { env });
}

test("as a process: data on stdout, the rest on stderr, the exit code of the outcome, input from stdin", async () => {
  const started = { sessionId: "s1", workflowId: "w", workflowVersion: "1.0", status: "started" as const };
  fake.on(operations.sessions.start, started).on(operations.sessions.get, sampleSessionDetail({ status: "failed" }));
  const child = opspawn("run", "w", "--input", "-", "--wait", "-o", "json");
  child.stdin.end('{"n":1}');
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  assert.equal(exitCode, 6);
  assert.equal(JSON.parse(stdout).status, "failed");
  assert.match(stderr, /^Session s1 has started/);
  assert.deepEqual(fake.calls[0]?.body, { workflowId: "w", input: { n: 1 } });
});

test("as a process: Ctrl-C stops the watching with its own exit code", async () => {
  fake.on(operations.sessions.get, sampleSessionDetail());
  fake.on(operations.events.list, { items: [sampleEvent()], next: 1 }, async (call) => {
    child.kill("SIGINT");
    await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    return { items: [], next: 1 };
  });
  const child = opspawn("sessions", "watch", "s1");
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  assert.equal(exitCode, 130);
  assert.match(stdout, /0\.00 s +the session is accepted\n$/);
  assert.match(stderr, /the session goes on/);
});

test("as a process: a reader that has seen enough is no failure", async () => {
  let position = 0;
  fake.on(operations.events.list, () => {
    position += 200;
    const items = Array.from({ length: 200 }, (_, n) =>
      sampleEvent({ position: position + n, data: { pad: "x".repeat(500) } }),
    );
    return { items, next: position };
  });
  const child = opspawn("events", "--follow", "-o", "jsonl");
  child.stdout.once("data", () => child.stdout.destroy());
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  assert.deepEqual([exitCode, stderr], [0, ""]);
});
