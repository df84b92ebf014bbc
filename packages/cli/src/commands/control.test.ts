import assert from "node:assert/strict";
import { test } from "node:test";
import { operations } from "@opspawn/contract";
import { sampleSession, sampleSessionDetail, sampleTask } from "@opspawn/sdk/testing";
import { FakeCli } from "../fake-cli.ts";

const { sessions, tasks } = operations;
const ID = sampleSession().sessionId;
const begun = { sessionId: ID, workflowId: "w", workflowVersion: "1", status: "started" as const, forkedFrom: "s1" };

const cli = new FakeCli();
const opspawn = cli.run;

test("sessions: pause says how to go on, resume what became of it", async () => {
  cli.server.on(sessions.pause, sampleSession({ status: "paused" })).on(sessions.resume, sampleSession());
  const paused = await opspawn("sessions", "pause", "s1", "--reason", "later");
  assert.equal(paused.stdout, `Session ${ID} is paused.\n`);
  assert.match(paused.stderr, new RegExp(`sessions resume ${ID}`));
  assert.deepEqual(cli.server.calls[0]?.body, { reason: "later" });
  assert.equal((await opspawn("sessions", "resume", "s1")).stdout, `Session ${ID} is running.\n`);
});

test("sessions: retry and fork show the new session within 80 columns, and how to watch it", async () => {
  cli.server.on(sessions.retry, begun).on(sessions.fork, begun);
  const retried = await opspawn("sessions", "retry", "s1", "--label", "a=b", "--idempotency-key", "k");
  assert.match(retried.stdout, new RegExp(`^Session +${ID}\nGoes on from +s1\n`));
  for (const line of retried.stdout.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(retried.stderr, new RegExp(`sessions watch ${ID}`));
  assert.deepEqual(cli.server.calls[0]?.body, { labels: { a: "b" } });
  const options = ["--input", "[1]", "--parameters", '{"x":2}'];
  await opspawn("sessions", "fork", "s1", "--from", "b", ...options);
  assert.deepEqual(cli.server.calls[1]?.body, { from: "b", input: [1], parameters: { x: 2 } });
  const refused = await opspawn("sessions", "fork", "s1", "--from", "b", "--parameters", "[]");
  assert.match(refused.stderr, /--parameters must be a JSON object/);
});

test("sessions: a signal is taken, or kept", async () => {
  const answer = { sessionId: "s1", name: "paid" };
  cli.server.on(sessions.signal, { ...answer, delivered: true }, { ...answer, delivered: false });
  const taken = await opspawn("sessions", "signal", "s1", "paid", "--payload", '{"n":1}');
  assert.equal(taken.stdout, "Signal paid was taken by the step that waited for it.\n");
  assert.deepEqual(cli.server.calls[0]?.body, { payload: { n: 1 } });
  const kept = await opspawn("sessions", "signal", "s1", "paid");
  assert.equal(kept.stdout, "Signal paid is kept: no step waits for it yet.\n");
});

test("sessions: one that goes on from another, or comes before others, says so", async () => {
  cli.server.on(sessions.get, sampleSessionDetail({ forkedFrom: "s0", priority: 5 }));
  assert.match((await opspawn("sessions", "get", "s1")).stdout, /Priority +5\nGoes on from +s0\n/);
});

test("run: a priority may be negative", async () => {
  cli.server.on(sessions.start, begun);
  await opspawn("run", "w", "--priority", "-5");
  assert.deepEqual(cli.server.calls[0]?.body, { workflowId: "w", priority: -5 });
});

test("tasks redrive: each that is named, under a key of its own", async () => {
  const [first, second] = [sampleTask().taskId, "task_b"];
  cli.server.on(
    tasks.redrive,
    { redriveOf: first, taskId: first.replace("2", "3"), sessionId: null },
    { redriveOf: second, taskId: null, sessionId: ID },
  );
  const { stdout } = await opspawn("tasks", "redrive", first, second);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 3);
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.deepEqual(
    cli.server.calls.map(({ headers }) => headers["idempotency-key"]),
    [`redrive-${first}`, `redrive-${second}`],
  );
});

test("tasks redrive --all: those not redriven yet, one of each session, no more than asked for", async () => {
  const letter = (taskId: string, sessionId: string | null) => sampleTask({ taskId, sessionId, deadLetter: true });
  const items = [letter("t1", "s1"), letter("t2", "s1"), letter("t3", null), letter("t4", null)];
  cli.server
    .on(tasks.list, { items, nextCursor: null })
    .on(tasks.redrive, { redriveOf: "t", taskId: "t9", sessionId: null });
  const ran = await opspawn("tasks", "redrive", "--all", "--capability", "web.fetch", "--max", "2");
  const [list, ...redriven] = cli.server.calls;
  assert.deepEqual(list?.query, { deadLetter: "true", redriven: "false", capability: "web.fetch", limit: "200" });
  assert.deepEqual(
    redriven.map(({ headers }) => headers["idempotency-key"]),
    ["redrive-t1", "redrive-t3"],
  );
  assert.match(ran.stderr, /as many as --max allows \(2\)/);
});

test("tasks redrive: wants tasks or --all, and filters only with that", async () => {
  assert.match((await opspawn("tasks", "redrive")).stderr, /Name the tasks, or give --all/);
  assert.match((await opspawn("tasks", "redrive", "t1", "--all")).stderr, /Name the tasks, or give --all/);
  assert.match((await opspawn("tasks", "redrive", "t1", "--session", "s")).stderr, /go with --all/);
  cli.server.on(tasks.list, { items: [], nextCursor: null });
  assert.match((await opspawn("tasks", "redrive", "--all")).stderr, /There are no dead letters/);
});
