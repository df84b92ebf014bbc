import assert from "node:assert/strict";
import { test } from "node:test";
import { operations } from "@opspawn/contract";
import { FakeFailure, FakeStream, sampleEvent, sampleSessionDetail } from "@opspawn/sdk/testing";
import { FakeCli } from "../fake-cli.ts";

const { events, sessions } = operations;

const cli = new FakeCli();
const opspawn = cli.run;

test("events: a page, and where to go on", async () => {
  cli.server.on(events.list, { items: [sampleEvent({ data: { a: 1 } })], next: 1 });
  const ran = await opspawn("events", "--stream", "s1", "--after", "0", "--limit", "10");
  assert.match(ran.stdout, /^SEQ +TIME +TYPE +DATA\n1 +12:00:00\.000 +session\.started +\{"a":1\}\n$/);
  assert.equal(ran.stderr, "Go on: add --after 1\n");
  assert.deepEqual(cli.server.calls[0]?.query, { stream: "s1", after: "0", limit: "10" });
});

test("events: followed until Ctrl-C, a line for each", async () => {
  for (const format of ["json", "jsonl"]) {
    cli.io.interrupt = new AbortController();
    cli.server.on(events.list, new FakeStream([sampleEvent(), sampleEvent({ position: 2 })], { after: "stay" }));
    let lines = 0;
    cli.io.onWrite = () => {
      lines += 1;
      if (lines === 2) cli.io.interrupt.abort();
    };
    const ran = await opspawn("events", "--follow", "--type", "session.", "--agent", "a1", "-o", format);
    assert.equal(ran.exitCode, 0);
    const written = ran.stdout.trimEnd().split("\n");
    assert.deepEqual(
      written.map((line) => JSON.parse(line)),
      [sampleEvent(), sampleEvent({ position: 2 })],
    );
    assert.deepEqual(cli.server.calls.at(-1)?.query, { type: "session.", agent: "a1" });
  }
});

test("events: it is said when what follows is not what was to come next", async () => {
  cli.server.on(events.list, new FakeStream([sampleEvent()], { reset: "foreign", after: "stay" }));
  cli.io.onWrite = (text) => {
    if (text.includes("session.started")) cli.io.interrupt.abort();
  };
  const ran = await opspawn("events", "--follow", "--after", "7");
  assert.equal(ran.stderr, "The server has other data than it had; what it keeps is told from the beginning.\n");
  assert.equal(cli.server.calls[0]?.query.after, "7");
});

const story = [
  sampleEvent({ sequence: 1, type: "session.started", data: { workflowId: "w", workflowVersion: "1.0" } }),
  sampleEvent({
    ...{ sequence: 2, type: "attempt.created", at: "2026-05-01T12:00:00.010000Z" },
    data: { taskId: "t", stepId: "fetch", number: 1, agentId: "a1", agentName: "fetcher" },
  }),
  sampleEvent({
    ...{ sequence: 3, type: "task.retrying", at: "2026-05-01T12:00:00.500000Z" },
    data: {
      ...{ taskId: "t", stepId: "fetch", readyAt: "2026-05-01T12:00:01.500000Z", used: 1, max: 4 },
      error: { code: "unavailable", message: "503 \u001b[31mfrom\nthe agent" },
    },
  }),
  sampleEvent({ sequence: 4, type: "attempt.timed_out", at: "2026-05-01T12:02:00.500000Z", data: { taskId: "t" } }),
  sampleEvent({ sequence: 5, type: "session.failed", at: "2026-05-01T12:02:00.501000Z", data: {} }),
];

test("watching a session prints a line per event, live, and ends with it, as `run --wait` does", async () => {
  cli.server.on(sessions.get, sampleSessionDetail({ status: "failed" }));
  cli.server.on(sessions.events, new FakeStream(story.slice(0, 2)), new FakeStream(story.slice(2), { end: "failed" }));
  const running = opspawn("sessions", "watch", "s1");
  await cli.io.clock.reach(1_000_000);
  const { exitCode, stdout, stderr } = await running;
  assert.deepEqual([exitCode, stderr], [6, ""]);
  assert.deepEqual(stdout.split(/\n(?!$)/), [
    "    0.00 s               the session is accepted",
    "    0.01 s  fetch        started on fetcher",
    "    0.50 s  fetch        again in 1.00 s, 1 of 4 tries used",
    "  120.50 s  fetch        fetcher did not finish in time",
    "  120.50 s               the session failed",
    "",
    `            fetch        ${"█".repeat(36)} 2 min 0 s\n`,
  ]);
  assert.equal(cli.server.callsOf("sessions.events")[1]?.headers["last-event-id"], "c1");
});

test("a watched session is printed as one event per line for machines", async () => {
  cli.server.on(sessions.get, sampleSessionDetail({ status: "completed" }));
  cli.server.on(sessions.events, new FakeStream(story.slice(0, 2), { end: "completed" }));
  for (const format of ["json", "jsonl"]) {
    const { exitCode, stdout } = await opspawn("sessions", "watch", "s1", "-o", format);
    assert.equal(exitCode, 0);
    const lines = stdout.trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      story.slice(0, 2),
    );
  }
});

test("watching a session that nobody knows is an error at once", async () => {
  const unknown = { detail: "Session not found: s1", code: "session_not_found", requestId: "r" };
  cli.server.on(sessions.events, new FakeFailure(404, unknown));
  assert.equal((await opspawn("sessions", "watch", "s1")).exitCode, 5);
});

test("watching can be stopped; the session is not", async () => {
  cli.server.on(sessions.events, () => {
    cli.io.interrupt.abort();
    return new FakeStream([], { after: "stay" });
  });
  const ran = await opspawn("sessions", "watch", "s1");
  assert.deepEqual(ran, { exitCode: 130, stdout: "", stderr: "Stopped watching; the session goes on.\n" });
});
