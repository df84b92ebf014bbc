import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { SECOND } from "../domain/clock.ts";
import type { Log } from "../domain/log.ts";
import { STEP_RETRY } from "../domain/tasks/retry.ts";
import { TestTimers } from "../outbound/test-timers.ts";
import { memoryRig } from "../store/sqlite/test-rigs.ts";
import { listOf } from "../store/suite/test-definitions.ts";
import { applied, every, firesOf, scheduled } from "../store/suite/test-schedules.ts";
import { need, World } from "../store/suite/test-world.ts";
import { Engine } from "./engine.ts";
import { SendCapacity } from "./send-capacity.ts";
import { broken, response, ScriptedHttp, settled } from "./test-http.ts";

const COMPLETED = response(200, { status: "completed", result: 1 });

/** A process: an engine over a store that outlives it. */
class Process {
  readonly http = new ScriptedHttp();
  readonly timers = new TestTimers();
  readonly errors: unknown[] = [];
  readonly engine: Engine;
  readonly #world: World;

  constructor(world: World, capacity: SendCapacity) {
    this.#world = world;
    this.engine = new Engine({
      store: world.store,
      http: this.http,
      clock: world.clock,
      ids: world.ids,
      timers: this.timers,
      log: { error: (fields: { err: unknown }) => this.errors.push(fields.err) } as unknown as Log,
      capacity,
      publicUrl: "http://us.test",
      signMessage: () => ({}),
      signDelivery: () => ({}),
    });
  }

  /** Time passes, in steps as small as the shortest interval. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      const step = Math.min(left, 50);
      this.#world.clock.advance(step * 1_000);
      this.timers.advance(step);
      await settled();
    }
  }

  /** The payloads of the messages that wait for an answer. */
  get waiting(): string[] {
    return this.http.open.map(({ request }) => (JSON.parse(request.body) as { task_name: string }).task_name);
  }
}

async function onProcess(body: (w: World, start: () => Promise<Process>) => Promise<void>, max = 100): Promise<void> {
  let capacity = new SendCapacity(max);
  const world = await World.open(await memoryRig(), () => capacity.left());
  const started: Process[] = [];
  const start = async () => {
    capacity = new SendCapacity(max);
    const process = new Process(world, capacity);
    started.push(process);
    await process.engine.start();
    await settled();
    return process;
  };
  try {
    await body(world, start);
    for (const { errors } of started) assert.deepEqual(errors, []);
    await world.verify();
  } finally {
    await world.close();
  }
}

async function stop(process: Process): Promise<void> {
  let stopped = false;
  const stopping = process.engine.stop().then(() => {
    stopped = true;
  });
  for (let i = 0; i < 200 && !stopped; i += 1) await process.pass(50);
  await stopping;
}

test("a session's messages go out as it goes on, and its answers end it", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"] });
    const process = await start();
    const session = await w.start(listOf("first", "second"));
    await settled();
    assert.deepEqual(process.waiting, ["first"]);
    await process.http.answer(COMPLETED);
    assert.deepEqual(process.waiting, ["second"]);
    await process.http.answer(COMPLETED);
    assert.equal((await w.getSession(session.id)).status, "completed");
    await stop(process);
  });
});

test("starting judges the time nobody judged, and sends again what an earlier process was sending", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3, timeout: 30_000_000 });
    const first = await start();
    const tasks = [await w.task({ name: "sending" }), await w.task({ name: "acknowledged" })];
    await settled();
    first.http.open[1]?.end(response(202));
    await first.pass(300);
    assert.equal((await w.attempt(need(tasks[1], "task").id, 1)).status, "acknowledged");
    const token = first.http.requests[0]?.headers?.["x-opspawn-token"];
    await w.crash();
    w.clock.advance(60_000_000);
    const second = await start();
    assert.deepEqual(second.waiting, ["sending"]);
    assert.equal(second.http.requests[0]?.headers?.["x-opspawn-token"], token);
    for (const { id } of tasks) assert.equal((await w.getTask(id)).status, "running");
    first.http.open[0]?.end(response(500));
    await settled();
    assert.equal((await w.attempt(need(tasks[0], "task").id, 1)).status, "created", "the dead process says nothing");
    await second.http.answer(COMPLETED);
    assert.equal((await w.getTask(need(tasks[0], "task").id)).status, "completed");
    await stop(second);
  });
});

test("work that waited before the start is claimed by it", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"] });
    await w.task({ name: "waiting" });
    const process = await start();
    assert.deepEqual(process.waiting, ["waiting"]);
    await process.http.answer(COMPLETED);
    await stop(process);
  });
});

test("a retry whose time has come is not starved by lanes that are named all the time", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 50 });
    await w.agent("other", { capabilities: ["other"] });
    const process = await start();
    w.ids.chance = 0.5;
    const { id } = await w.task({ name: "retried", retry: { ...STEP_RETRY, jitter: "none" } });
    await settled();
    await process.http.answer(response(503));
    assert.equal((await w.getTask(id)).status, "pending");
    const other = { requirement: { kind: "capability", capability: "other", preferred: null } } as const;
    await w.task({ name: "other", ...other });
    for (let i = 0; i < 30; i += 1) {
      await w.task({ name: "noise", ...other });
      await process.pass(50);
    }
    assert.ok(process.waiting.includes("retried"));
    await w.store.agents.remove(need(await w.store.agents.getByName("other"), "other").id);
    await process.http.answer(COMPLETED);
    await stop(process);
  });
});

test("as many as can be sent are claimed at once, and no more", async () => {
  await onProcess(async (w, start) => {
    for (let i = 0; i < 500; i += 1) await w.raw.tasks.create(w.newTask({ timeout: 3_600_000_000 }));
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 1_000 });
    const process = await start();
    assert.equal(process.http.open.length, 450);
    await process.http.answer(COMPLETED);
    await process.pass(200);
    assert.equal(process.http.open.length, 450);
    for (const exchange of [...process.http.open]) exchange.end(COMPLETED);
    await process.pass(200);
    assert.equal(process.http.open.length, 49);
    for (const exchange of [...process.http.open]) exchange.end(COMPLETED);
    await stop(process);
  }, 450);
});

test("what falls due is decided, and sockets of what was ended elsewhere are closed", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2, timeout: 5_000_000 });
    const process = await start();
    const timedOut = await w.task({ retry: { ...STEP_RETRY, maxAttempts: 1 } });
    const cancelled = await w.task();
    await settled();
    await w.store.tasks.cancel(cancelled.id, "no more");
    await settled();
    assert.equal(process.http.open.length, 1);
    await process.pass(5_300);
    assert.equal(process.http.open.length, 0);
    assert.equal((await w.getTask(timedOut.id)).status, "failed");
    await stop(process);
  });
});

test("hole 22: an exchange that ran out while the process was deaf is sent again, not failed", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"], timeout: 30_000_000 });
    const process = await start();
    const { id } = await w.task({ retry: { ...STEP_RETRY, maxAttempts: 1 } });
    await settled();
    // The machine sleeps for a minute; then all timers fire at once, before any answer is read.
    w.clock.advance(60_000_000);
    await process.http.answer(broken("timeout"));
    await process.pass(1_200);
    assert.deepEqual([(await w.getTask(id)).status, process.waiting], ["running", ["a task"]]);
    await process.http.answer(COMPLETED);
    assert.equal((await w.getTask(id)).status, "completed");
    await stop(process);
  });
});

test("hole 9: attempts that are ours without our knowing are sent", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    const process = await start();
    await w.task({ name: "known" });
    await settled();
    const unknown = await w.task({ name: "unknown" });
    await settled();
    // Its exchange ended, and the end could not be written.
    const observe = w.raw.attempts.observe;
    Object.assign(w.raw.attempts, { observe: async () => Promise.reject(new Error("disk full")) });
    process.http.open[1]?.end(COMPLETED);
    await settled();
    Object.assign(w.raw.attempts, { observe });
    assert.equal(process.errors.splice(0).length, 1);
    await process.pass(6_000);
    assert.deepEqual(process.waiting, ["known", "unknown"]);
    assert.equal((await w.attempt(unknown.id, 1)).sends, 2);
    for (const exchange of [...process.http.open]) exchange.end(COMPLETED);
    await stop(process);
  });
});

test("webhooks go out when a session ends", async () => {
  await onProcess(async (w, start) => {
    const process = await start();
    const none: JsonObject = { id: "none", name: "none", tasks: [] };
    await w.start(none, { callbackUrl: "https://receiver.test/hook" });
    await settled();
    assert.equal(process.http.open[0]?.request.url, "https://receiver.test/hook");
    await process.http.answer(response(200));
    assert.equal((await w.store.deliveries.list({ limit: 9 }, {})).items[0]?.status, "delivered");
    await stop(process);
  });
});

test("stopping claims nothing more, lets exchanges finish, writes what waits and says farewell", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 5 });
    const process = await start();
    const [first, second] = [await w.task({ name: "first" }), await w.task({ name: "second" })];
    await settled();
    const stopping = process.engine.stop();
    await w.task({ name: "too late" });
    await process.pass(1_000);
    assert.deepEqual(process.waiting, ["first", "second"]);
    await process.http.answer(COMPLETED);
    await process.http.answer(response(202));
    await process.pass(20);
    await stopping;
    assert.equal((await w.getTask(first.id)).status, "completed");
    assert.equal((await w.attempt(second.id, 1)).status, "acknowledged");
    assert.equal(process.timers.waiting.length, 0, "nothing keeps the process alive");
    await process.engine.stop();
  });
});

test("stopping does not wait for ever: what is left is sent again by the next start", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"] });
    const process = await start();
    const { id } = await w.task();
    await settled();
    let stopped = false;
    void process.engine.stop().then(() => {
      stopped = true;
    });
    await process.pass(4_900);
    assert.equal(stopped, false);
    await process.pass(200);
    assert.equal(stopped, true);
    await w.crash();
    const next = await start();
    assert.equal(next.http.open.length, 1);
    await next.http.answer(COMPLETED);
    assert.equal((await w.getTask(id)).status, "completed");
    await stop(next);
  });
});

test("what a schedule has due starts within a second, and is started by the next process when this one dies", async () => {
  await onProcess(async (w, start) => {
    await w.agent("worker", { capabilities: ["work"] });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10) });
    const process = await start();
    await process.pass(9_950);
    assert.deepEqual(process.waiting, []);
    await process.pass(1_000);
    assert.deepEqual(process.waiting, ["only"]);
    await w.crash();
    w.clock.advance(60 * SECOND);
    const next = await start();
    await next.pass(1_000);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20-60 missed 5", "70 skipped"]);
  });
});
