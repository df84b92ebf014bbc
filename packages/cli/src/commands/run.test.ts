import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { operations, parseJson } from "@opspawn/contract";
import { FakeFailure, FakeServer, sampleSessionDetail } from "@opspawn/sdk/testing";
import { FakeIo, type Ran } from "../fake-io.ts";

const { start, get } = operations.sessions;
const STARTED = { sessionId: "s1", workflowId: "w", workflowVersion: "1.0", status: "started" as const };

let fake: FakeServer;
let io: FakeIo;

beforeEach(async () => {
  fake = await FakeServer.start();
  io = new FakeIo();
  fake.on(start, STARTED);
});

afterEach(async () => {
  io.remove();
  await fake.close();
});

function runIn(argv: readonly string[], stdin = ""): Promise<Ran> {
  return io.run(["run", ...argv, "--url", fake.baseUrl], { stdin });
}

const sentBody = () => fake.callsOf("sessions.start").at(-1)?.body;

test("an id starts the applied workflow, with all that was said about the session", async () => {
  const { exitCode, stdout, stderr } = await runIn(
    [
      ["w", "--input", '{"n":1}', "--agent", "a1", "--label", "team=docs", "--label", "q=a=b"],
      [
        "--idempotency-key",
        "once",
        "--definition-version",
        "2",
        "--delay",
        "10m",
        "--callback-url",
        "http://127.0.0.1/x",
      ],
    ].flat(),
  );
  assert.equal(exitCode, 0);
  assert.deepEqual(sentBody(), {
    workflowId: "w",
    version: "2",
    input: { n: 1 },
    agentId: "a1",
    labels: { team: "docs", q: "a=b" },
    delay: "10m",
    callbackUrl: "http://127.0.0.1/x",
  });
  assert.equal(fake.calls[0]?.headers["idempotency-key"], "once");
  assert.equal(stdout, "Session   s1\nWorkflow  w 1.0\nStatus    started\n");
  assert.equal(stderr, "Watch it: opspawn sessions watch s1\n");
});

test("a file is a definition, sent as it stands: JSON or YAML, from where the caller stands, or stdin", async () => {
  const yaml = "id: w\ntasks:\n  - &a {taskId: one, parameters: {big: 12345678901234567890, half: 0.5}}\n";
  const tasks = '"tasks":[{"taskId":"one","parameters":{"big":12345678901234567890,"half":0.5}}]';
  const definition = parseJson(`{"workflow":{"id":"w",${tasks}}}`);
  io.file("flow.yaml", yaml);
  io.file("flow.json", `{"id":"w",${tasks}}`);
  for (const path of ["flow.yaml", "./flow.json"]) {
    assert.equal((await runIn([path])).exitCode, 0);
    assert.deepEqual(sentBody(), definition);
  }
  await runIn(["-"], yaml);
  assert.deepEqual(sentBody(), definition);
});

test("a definition that cannot be read is refused before anything is sent, with the place", async () => {
  io.file("bad.yaml", "id: w\ntasks: [\n");
  io.file("list.yaml", "- a\n");
  io.file("nan.yaml", "a: .nan\n");
  io.file(
    "bomb.yaml",
    `a: &a [x,x,x,x]\n${[..."bcdefgh"].map((c, n) => `${c}: &${c} [${`*${"abcdefg"[n]},`.repeat(9)}]`).join("\n")}\n`,
  );
  for (const [path, message] of [
    ["bad.yaml", /bad.yaml cannot be read: .* at line/],
    ["list.yaml", /list.yaml is no workflow definition: it must be an object/],
    ["nan.yaml", /JSON has no number NaN/],
    ["bomb.yaml", /Excessive alias count/],
  ] as const) {
    const { exitCode, stderr } = await runIn([path]);
    assert.equal(exitCode, 2);
    assert.match(stderr, message);
  }
  assert.equal(fake.calls.length, 0);
});

test("the input comes as JSON, from a file, or from stdin", async () => {
  io.file("in.json", '{"n":1}');
  io.file("in.yaml", "n: 1\n");
  for (const [argument, stdin] of [
    ['{"n":1}', ""],
    ["@in.json", ""],
    ["@in.yaml", ""],
    ["-", '{"n":1}'],
  ] as const) {
    await runIn(["w", "--input", argument], stdin);
    assert.deepEqual(sentBody(), { workflowId: "w", input: { n: 1 } });
  }
});

test("--wait shows the session at its end; its exit code tells whether it completed", async () => {
  fake.on(
    get,
    sampleSessionDetail({ status: "completed", endedAt: "2026-05-01T12:00:02.500000Z", result: { ok: true } }),
  );
  let ran = await runIn(["w", "--wait"]);
  assert.equal(ran.exitCode, 0);
  assert.match(ran.stdout, /Status {4}completed after 2\.500s\n/);
  assert.match(ran.stdout, /Result\n\{\n {2}"ok": true\n\}\n$/);
  assert.match(ran.stderr, /Session s1 has started\. Waiting/);
  const error = { code: "agent_error", message: "no luck" };
  fake.on(get, sampleSessionDetail({ status: "failed", error, failedSteps: ["fetch"] }));
  ran = await runIn(["w", "--wait=1m", "-o", "json"]);
  assert.equal(ran.exitCode, 6);
  assert.equal(JSON.parse(ran.stdout).error.message, "no luck");
  fake.on(get, sampleSessionDetail({ status: "cancelled" }));
  assert.equal((await runIn(["w", "--wait", "1m"])).exitCode, 6);
});

test("--wait takes no argument that is no time, wherever it stands", async () => {
  fake.on(get, sampleSessionDetail({ status: "completed" }));
  assert.equal((await runIn(["--wait", "w"])).exitCode, 0);
  assert.deepEqual(sentBody(), { workflowId: "w" });
});

test("a time that is over before the session is a failure of its own, and leaves the session alone", async () => {
  fake.on(get, (call) => {
    io.clock.advance(Number.parseInt(call.query.wait ?? "", 10) * 1000);
    return sampleSessionDetail();
  });
  const { exitCode, stderr } = await runIn(["w", "--wait=5s"]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /Session s1 is still running after 5s\.\nIt goes on/);
});

test("Ctrl-C ends the waiting, not the session", async () => {
  fake.on(get, async (call) => {
    io.interrupt.abort();
    await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    return sampleSessionDetail();
  });
  const { exitCode, stderr } = await runIn(["w", "--wait"]);
  assert.equal(exitCode, 130);
  assert.match(stderr, /It goes on\. Watch it: opspawn sessions watch s1\n$/);
});

test("a restart of the server while waiting is said, and sat out", async () => {
  const away = new FakeFailure(503, { detail: "Stopping", code: "shutting_down" });
  fake.on(get, ...Array.from({ length: 9 }, () => away), sampleSessionDetail({ status: "completed" }));
  const running = runIn(["w", "--wait"]);
  for (let pause = 0; pause < 9; pause += 1) await io.clock.reach(1_000_000);
  const { exitCode, stderr } = await running;
  assert.equal(exitCode, 0);
  assert.equal(stderr.match(/No answer from the server; trying again for a minute\./g)?.length, 1);
});
