import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Assignment, operations } from "@opspawn/contract";
import type { WorkHandler } from "./attempt.ts";
import { TaskCancelled } from "./cancelled-task.ts";
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
const { lease, result, cancellation } = operations.tasks;
const SECOND = 1_000_000;
const LEASE_LOST = new FakeFailure(409, { detail: "Given away", code: "lease_lost" });
const ACCEPTED = { taskId: "t", status: "completed" as const, accepted: true as const };
const RENEWED = { taskId: "t", leaseUntil: "2026-05-01T12:00:10.000000Z", cancellation: null };

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

afterEach(async () => {
  // A test that fails leaves its worker behind.
  stop.abort();
  await fake.close();
});

const nothing = async (call: FakeCall) => {
  await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
  return { tasks: [], cancelled: [] };
};

function run(handler: WorkHandler, options: Partial<WorkOptions> = {}): Promise<void> {
  const onError = (error: unknown) => void errors.push(error);
  const own = { agentId: "a1", handler, signal: stop.signal, onError, clock, chance: fakeChance() };
  return work(client, { ...own, ...options });
}

/** Offers these tasks in one answer, then nothing more. */
function offer(...tasks: Assignment[]): void {
  fake.on(claim, { tasks, cancelled: [] }, nothing);
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
      if (task.opspawn.token === "1.a") throw new Error("plain \ud800\0");
      throw new TaskFailure("not today", { code: `quota${"\0".repeat(100)}`, retryable: true, retryAfter: 60 });
    },
    { concurrency: 2 },
  );
  const bodies = [await posted(1), await posted(2)].toSorted((a, b) =>
    JSON.stringify(a).localeCompare(JSON.stringify(b)),
  );
  assert.deepEqual(bodies, [
    { token: "1.a", status: "failed", error: { code: "agent_error", message: "plain \ufffd\ufffd" } },
    {
      token: "1.b",
      status: "failed",
      error: { code: `quota${"\ufffd".repeat(95)}`, message: "not today", retryable: true, retryAfter: 60 },
    },
  ]);
  stop.abort();
  await working;
});

test("never more tasks at once than asked for, and a task handed out twice is done once", async () => {
  const tasks = ["1.a", "1.b"].map((token) => sampleAssignment({ token }));
  const given = (...some: Assignment[]) => ({ tasks: some, cancelled: [] });
  fake.on(claim, given(...tasks.slice(0, 1)), given(...tasks), given(sampleAssignment({ token: "1.c" })), nothing);
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

test("a handler says how far it is; once nobody waits for it its signal aborts and no result is sent", async () => {
  offer(sampleAssignment({ taskId: "t1", token: "1.a" }));
  const noted = { counter: 1, note: "one", at: RENEWED.leaseUntil, suspectSince: null };
  const answer = { ...RENEWED, progress: noted, cancellation: null };
  fake.on(operations.tasks.progress, answer, new FakeFailure(503, { detail: "Busy", code: "overloaded" }), LEASE_LOST);
  const aborted: boolean[] = [];
  const working = run(async (_, { signal, progress }) => {
    await progress(1, "one");
    await progress(2);
    aborted.push(signal.aborted);
    await progress();
    aborted.push(signal.aborted);
    return "too late";
  });
  while (aborted.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(aborted, [false, true]);
  const said = fake.callsOf("tasks.progress").map(({ body }) => body);
  assert.deepEqual(said, [{ token: "1.a", counter: 1, note: "one" }, { token: "1.a", counter: 2 }, { token: "1.a" }]);
  assert.equal(errors.length, 2, "what was not heard is told");
  stop.abort();
  await working;
  assert.equal(fake.callsOf("tasks.result").length, 0);
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

const NOTICE = { cancellationId: "can_1", reason: "no more", requestedAt: "2026-05-01T12:00:00.000000Z" };
const CANCELLED = new FakeFailure(409, {
  detail: "It was cancelled",
  code: "lease_lost",
  cancellation: { ...NOTICE, stageDeadline: null },
});

/** The words of the worker on its cancelled attempts, once so many have arrived. */
async function words(n: number): Promise<unknown[]> {
  while (fake.callsOf("tasks.cancellation").length < n) await new Promise((resolve) => setImmediate(resolve));
  return fake.callsOf("tasks.cancellation").map(({ body }) => body);
}

test("a cancelled task's handler is told, and the worker says when it has ended", async () => {
  offer(sampleAssignment({ token: "1.a" }));
  fake.on(lease, CANCELLED).on(cancellation, { taskId: "t", cancellationId: "can_1", stage: "acknowledged" });
  let told: unknown;
  let end = (): void => undefined;
  const working = run(async (_, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    told = signal.reason;
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    throw told;
  });
  assert.deepEqual(await words(1), [{ token: "1.a", status: "acknowledged" }]);
  assert.ok(told instanceof TaskCancelled);
  assert.deepEqual([told.cancellationId, told.message], ["can_1", "The task was cancelled: no more"]);
  end();
  assert.deepEqual((await words(2))[1], { token: "1.a", status: "stopped" });
  stop.abort();
  await working;
  assert.equal(fake.callsOf("tasks.result").length, 0);
});

test("a handler that finishes all the same has its result posted, which shows that it was done", async () => {
  offer(sampleAssignment({ token: "1.a" }));
  fake.on(lease, CANCELLED).on(result, CANCELLED);
  fake.on(cancellation, { taskId: "t", cancellationId: "can_1", stage: "acknowledged" });
  const working = run(async (_, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    return "done";
  });
  assert.deepEqual(await posted(), { token: "1.a", status: "completed", result: "done" });
  stop.abort();
  await working;
  assert.equal(fake.callsOf("tasks.cancellation").length, 1);
});

test("a worker with room hears of it when it asks for more; of what it does not have it says nothing", async () => {
  const notices = ["1.a", "1.other"].map((token) => ({ taskId: "t", token, ...NOTICE }));
  const cancelled = notices.map(({ requestedAt: _, ...notice }) => notice);
  fake.on(claim, { tasks: [sampleAssignment({ token: "1.a" })], cancelled: [] }, { tasks: [], cancelled }, nothing);
  fake.on(cancellation, { taskId: "t", cancellationId: "can_1", stage: "acknowledged" });
  const working = run(
    (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    { concurrency: 2 },
  );
  const said = await words(2);
  assert.deepEqual(said, [
    { token: "1.a", status: "acknowledged" },
    { token: "1.a", status: "stopped" },
  ]);
  stop.abort();
  await working;
});
