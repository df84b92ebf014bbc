import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { operations } from "@opspawn/contract";
import { FakeServer, FakeStream, sampleEvent, sampleSessionDetail } from "@opspawn/sdk/testing";

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
  fake.on(operations.sessions.events, new FakeStream([sampleEvent()], { after: "stay" }));
  const child = opspawn("sessions", "watch", "s1");
  child.stdout.once("data", () => child.kill("SIGINT"));
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  assert.equal(exitCode, 130);
  assert.match(stdout, /0\.00 s +the session is accepted\n$/);
  assert.match(stderr, /the session goes on/);
});

test("as a process: a reader that has seen enough is no failure", async () => {
  const events = Array.from({ length: 2_000 }, (_, n) =>
    sampleEvent({ position: n + 1, data: { pad: "x".repeat(500) } }),
  );
  fake.on(operations.events.list, new FakeStream(events));
  const child = opspawn("events", "--follow", "-o", "jsonl");
  child.stdout.once("data", () => child.stdout.destroy());
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  assert.deepEqual([exitCode, stderr], [0, ""]);
});
