import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Assignment, operations } from "@opspawn/contract";
import type { WorkHandler } from "./attempt.ts";
import { OpspawnClient } from "./client.ts";
import { TaskFailure } from "./task-failure.ts";
import {
  type FakeCall,
  type FakeClock,
  FakeFailure,
  FakeServer,
  fakeChance,
  fakeClock,
  sampleAssignment,
} from "./testing/index.ts";
import { type WorkOptions, work } from "./work.ts";

const { claim } = operations.agents;
const { lease, result } = operations.tasks;
const SECOND = 1_000_000;
const LEASE_LOST = new FakeFailure(409, { detail: "Given away", code: "lease_lost" });
const ACCEPTED = { taskId: "t", status: "completed" as const, accepted: true as const };
const RENEWED = { taskId: "t", leaseUntil: "2026-05-01T12:00:10.000000Z" };

let fake: FakeServer;
let clock: FakeClock;
let client: OpspawnClient;
let stop: AbortController;
let errors: unknown[];

beforeEach(async () => {
  fake = await FakeServer.start();
  clock = fakeClock();
  client = new OpspawnClient({ baseUrl: fake.baseUrl, clock, chance: fakeChance() });
  stop = new AbortController();
  errors = [];
  fake.on(lease, RENEWED).on(result, ACCEPTED);
});

afterEach(() => fake.close());

const nothing = async (call: FakeCall) => {
  await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
  return { tasks: [] };
};

function run(handler: WorkHandler, options: Partial<WorkOptions> = {}): Promise<void> {
  const onError = (error: unknown) => void errors.push(error);
  const own = { agentId: "a1", handler, signal: stop.signal, onError, clock, chance: fakeChance() };
  return work(client, { ...own, ...options });
}

/** Offers these tasks in one answer, then nothing more. */
function offer(...tasks: Assignment[]): void {
  fake.on(claim, { tasks }, nothing);
}

/** The body of the n-th posted result, once it has arrived. */
async function posted(n = 1): Promise<unknown> {
  while (fake.callsOf("tasks.result").length < n) await new Promise((resolve) => setImmediate(resolve));
  return fake.callsOf("tasks.result")[n - 1]?.body;
}

test("a task is claimed, acknowledged by its lease, done, and its result posted under its token", async () => {
  offer(sampleAssignment({ taskId: "t1", token: "1.a" }));
  const working = run((task) => ({ saw: task.payload.url ?? null }));
  assert.deepEqual(await posted(), { token: "1.a", status: "completed", result: { saw: "https://example.org" } });
  stop.abort();
  await working;
  assert.deepEqual(fake.callsOf("agents.claim")[0]?.body, { wait: "20s", max: 1 });
  assert.deepEqual(fake.callsOf("tasks.lease")[0]?.body, { token: "1.a" });
  assert.deepEqual(errors, []);
});

test("a handler without a value completes with null", async () => {
  offer(sampleAssignment());
  const working = run(() => undefined);
  assert.deepEqual(await posted(), { token: "1.aaaa", status: "completed", result: null });
  stop.abort();
  await working;
});

test("what a handler throws is the failure, and it may say whether another try makes sense", async () => {
  offer(sampleAssignment({ token: "1.a" }), sampleAssignment({ token: "1.b" }));
  const working = run(
    (task) => {
      if (task.opspawn.token === "1.a") throw new Error("plain \ud800");
      throw new TaskFailure("not today", { code: "quota", retryable: true, retryAfter: 60 });
    },
    { concurrency: 2 },
  );
  const bodies = [await posted(1), await posted(2)].toSorted((a, b) =>
    JSON.stringify(a).localeCompare(JSON.stringify(b)),
  );
  assert.deepEqual(bodies, [
    { token: "1.a", status: "failed", error: { code: "agent_error", message: "plain \ufffd" } },
    { token: "1.b", status: "failed", error: { code: "quota", message: "not today", retryable: true, retryAfter: 60 } },
  ]);
  stop.abort();
  await working;
});

test("never more tasks at once than asked for, and a task handed out twice is done once", async () => {
  const tasks = ["1.a", "1.b"].map((token) => sampleAssignment({ token }));
  fake.on(claim, { tasks: tasks.slice(0, 1) }, { tasks }, { tasks: [sampleAssignment({ token: "1.c" })] }, nothing);
  const finish: (() => void)[] = [];
  const began: string[] = [];
  const working = run(
    async (task) => {
      began.push(task.opspawn.token);
      await new Promise<void>((resolve) => finish.push(resolve));
      return null;
    },
    { concurrency: 2 },
  );
  while (began.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(began, ["1.a", "1.b"]);
  assert.deepEqual(
    fake.callsOf("agents.claim").map((call) => call.body),
    [
      { wait: "20s", max: 2 },
      { wait: "20s", max: 1 },
    ],
  );
  finish[0]?.();
  await posted(1);
  while (began.length < 3) await new Promise((resolve) => setImmediate(resolve));
  for (const done of finish) done();
  await posted(3);
  stop.abort();
  await working;
});

test("the lease is renewed while a handler works; once it is lost the handler is told and no result is sent", async () => {
  offer(sampleAssignment());
  fake.on(lease, RENEWED, RENEWED, LEASE_LOST);
  let told: unknown;
  const working = run(async (_, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    told = signal.reason;
    return "too late";
  });
  await clock.reach(3 * SECOND, 3 * SECOND);
  await clock.reach(3 * SECOND, 3 * SECOND);
  while (fake.callsOf("agents.claim").length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((told as { code: string }).code, "lease_lost");
  assert.equal(fake.callsOf("tasks.lease").length, 3);
  assert.equal(fake.callsOf("tasks.result").length, 0);
  stop.abort();
  await working;
});

test("a result is posted until it is accepted, through a restart of the server", async () => {
  offer(sampleAssignment());
  const away = new FakeFailure(503, { detail: "Stopping", code: "shutting_down" });
  fake.on(result, away, away, away, away, ACCEPTED);
  const working = run(() => 1);
  for (let tries = 0; tries < 4; tries += 1) {
    await posted(tries + 1);
    await clock.reach(SECOND);
  }
  await posted(5);
  stop.abort();
  await working;
  assert.equal(fake.callsOf("tasks.result").length, 5);
});

test("a result the server cannot take fails the task with the reason, rather than leaving it to time out", async () => {
  offer(sampleAssignment());
  fake.on(result, new FakeFailure(413, { detail: "Too large", code: "body_too_large" }), ACCEPTED);
  const working = run(() => "big");
  const message = "The result was refused: 413 body_too_large: Too large";
  const error = { code: "result_refused", message, retryable: false };
  assert.deepEqual(await posted(2), { token: "1.aaaa", status: "failed", error });
  stop.abort();
  await working;
  assert.equal(errors.length, 1);
});

test("a server that is away delays the loop; one that refuses the agent ends it", async () => {
  const away = new FakeFailure(503, { detail: "Stopping", code: "shutting_down" });
  const unknown = new FakeFailure(404, { detail: "No such agent", code: "agent_not_found" });
  fake.on(claim, away, away, away, unknown);
  const working = assert.rejects(
    run(() => null),
    { code: "agent_not_found" },
  );
  for (let pause = 0; pause < 3; pause += 1) await clock.reach(5 * SECOND);
  await working;
  assert.equal(errors.length, 1);
});

test("a stopping worker lets tasks end, but not for ever, and reports no failure for what it left", async () => {
  offer(sampleAssignment({ token: "1.a" }), sampleAssignment({ token: "1.b" }));
  let finish = () => {};
  const working = run(
    async (task) => {
      if (task.opspawn.token === "1.b") return new Promise(() => {});
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return "in time";
    },
    { concurrency: 2, drain: "2s" },
  );
  while (fake.callsOf("tasks.lease").length < 2) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  finish();
  assert.deepEqual(await posted(), { token: "1.a", status: "completed", result: "in time" });
  await clock.reach(2 * SECOND);
  await working;
  assert.equal(fake.callsOf("tasks.result").length, 1);
});
