import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Log } from "../domain/log.ts";
import { TestTimers } from "../outbound/test-timers.ts";
import { Loop } from "./loop.ts";

/** A loop whose ticks end when the test says so. */
function setUp(tick?: () => Promise<unknown>) {
  const timers = new TestTimers();
  const errors: unknown[] = [];
  const log = { error: (fields: { err: unknown }) => errors.push(fields.err) } as unknown as Log;
  const state = { ticks: 0, running: 0, most: 0 };
  let end: (() => void)[] = [];
  const loop = new Loop({
    name: "test",
    every: 100,
    timers,
    log,
    tick: async () => {
      state.ticks += 1;
      state.running += 1;
      state.most = Math.max(state.most, state.running);
      try {
        await (tick?.() ?? new Promise<void>((resolve) => end.push(resolve)));
      } finally {
        state.running -= 1;
      }
    },
  });
  const finish = async () => {
    const waiting = end;
    end = [];
    for (const resolve of waiting) resolve();
    await settled();
  };
  return { loop, timers, errors, state, finish };
}

/** Lets everything happen that waits for no timer. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test("a loop ticks after each interval, counted from the end of the tick before", async () => {
  const { loop, timers, state, finish } = setUp();
  loop.start();
  timers.advance(99);
  assert.equal(state.ticks, 0);
  timers.advance(1);
  assert.equal(state.ticks, 1);
  timers.advance(1_000);
  assert.equal(state.ticks, 1, "never twice at a time");
  await finish();
  timers.advance(99);
  assert.equal(state.ticks, 1);
  timers.advance(1);
  assert.equal(state.ticks, 2);
  await finish();
});

test("waking ticks at once, or once more as soon as the present tick has ended", async () => {
  const { loop, timers, state, finish } = setUp();
  loop.start();
  loop.wake();
  assert.equal(state.ticks, 1);
  loop.wake();
  loop.wake();
  assert.equal(state.ticks, 1);
  await finish();
  assert.equal(state.ticks, 2, "many wakes are one more tick");
  await finish();
  assert.equal(state.ticks, 2);
  timers.advance(100);
  assert.equal(state.ticks, 3, "the interval goes on");
  assert.equal(timers.waiting.length, 0);
  await finish();
});

test("a wake that comes as the tick ends is not lost", async () => {
  for (let delay = 0; delay < 6; delay += 1) {
    const { loop, state, finish } = setUp();
    loop.start();
    loop.wake();
    const finished = finish();
    for (let i = 0; i < delay; i += 1) await Promise.resolve();
    loop.wake();
    await finished;
    assert.equal(state.ticks, 2, `after ${delay} turns`);
    await finish();
  }
});

test("a tick that wakes its own loop runs once more, not twice at a time", async () => {
  let again = 3;
  const { loop, state } = setUp(async () => {
    if (again-- > 0) loop.wake();
  });
  loop.start();
  loop.wake();
  await settled();
  assert.deepEqual([state.ticks, state.most], [4, 1]);
});

test("a tick that fails is logged, and the next one comes all the same", async () => {
  const { loop, timers, state, errors } = setUp(async () => {
    throw new Error("planted");
  });
  loop.start();
  timers.advance(100);
  await settled();
  timers.advance(100);
  await settled();
  assert.deepEqual([state.ticks, errors.length], [2, 2]);
});

test("a tick that throws before it promises anything is logged as well", async () => {
  const timers = new TestTimers();
  let errors = 0;
  const log = { error: () => (errors += 1) } as unknown as Log;
  const tick = () => {
    throw new Error("planted");
  };
  const loop = new Loop({ name: "test", every: 100, timers, log, tick });
  loop.start();
  loop.wake();
  await settled();
  timers.advance(100);
  await settled();
  assert.equal(errors, 2);
});

test("starting twice is starting once", async () => {
  const { loop, timers, state, finish } = setUp();
  loop.start();
  loop.start();
  timers.advance(100);
  assert.deepEqual([state.ticks, timers.waiting.length], [1, 0]);
  await finish();
});

test("a stopped loop ticks no more, and stopping waits for the tick under way", async () => {
  const { loop, timers, state, finish } = setUp();
  loop.start();
  loop.wake();
  loop.wake();
  let stopped = false;
  const stopping = loop.stop().then(() => {
    stopped = true;
  });
  await settled();
  assert.equal(stopped, false);
  await finish();
  await stopping;
  loop.wake();
  loop.start();
  timers.advance(1_000);
  await settled();
  assert.deepEqual([state.ticks, timers.waiting.length], [1, 0]);
});

test("stopping twice, and stopping before the start, is harmless and final", async () => {
  const { loop, timers, state } = setUp();
  await loop.stop();
  await Promise.all([loop.stop(), loop.stop()]);
  loop.start();
  loop.wake();
  timers.advance(1_000);
  assert.equal(state.ticks, 0);
});

test("whatever order things come in: one tick at a time, no wake without a tick after it, none after the stop", async () => {
  const deed = fc.constantFrom<Deed>("wake", "finish", "advance", "turn");
  await fc.assert(fc.asyncProperty(fc.array(deed, { maxLength: 60 }), survives), { numRuns: 200 });
});

type Deed = "wake" | "finish" | "advance" | "turn";

async function survives(deeds: readonly Deed[]): Promise<void> {
  const { loop, timers, state, finish } = setUp();
  loop.start();
  const does: Record<Deed, () => unknown> = {
    wake: () => loop.wake(),
    finish: () => void finish(),
    advance: () => timers.advance(100),
    turn: () => Promise.resolve(),
  };
  for (const each of deeds) await does[each]();
  await settled();
  const due = state.ticks;
  loop.wake();
  await finish();
  await finish();
  assert.ok(state.ticks > due, "the last wake was answered");
  assert.equal(state.most, 1);
  const stopping = loop.stop();
  await finish();
  await stopping;
  const ended = state.ticks;
  timers.advance(1_000);
  loop.wake();
  await settled();
  assert.deepEqual([state.ticks, state.running, timers.waiting.length], [ended, 0, 0]);
}
