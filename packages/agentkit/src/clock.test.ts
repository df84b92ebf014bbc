import assert from "node:assert/strict";
import { test } from "node:test";
import { pause, systemClock } from "./clock.ts";
import { FakeClock } from "./fake-clock.ts";

test("the machine's clock counts microseconds and fires a timer after its delay, never before", async () => {
  const before = systemClock.now();
  await new Promise<void>((resolve) => systemClock.after(1_500, resolve));
  assert.ok(systemClock.now() - before >= 1_000);
  assert.ok(Math.abs(systemClock.now() - Date.now() * 1_000) < 60_000_000);
});

test("a cancelled timer does not fire, and a very long one does not fire at once", async () => {
  let fired = 0;
  const cancel = systemClock.after(0, () => fired++);
  cancel();
  const cancelLong = systemClock.after(90 * 86_400_000_000, () => fired++);
  await new Promise<void>((resolve) => systemClock.after(5_000, resolve));
  cancelLong();
  assert.equal(fired, 0);
});

test("a pause ends when its time is over or its signal aborts, and leaves no timer", async () => {
  const clock = new FakeClock();
  const whole = pause(clock, 1_000);
  clock.advance(1_000);
  await whole;
  const stop = new AbortController();
  const cut = pause(clock, 1_000, stop.signal);
  stop.abort();
  await cut;
  await pause(clock, 1_000, stop.signal);
  assert.equal(clock.pending, 0);
});
