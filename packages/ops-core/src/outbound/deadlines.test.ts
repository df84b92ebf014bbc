import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deadlines } from "./deadlines.ts";
import { TestTimers } from "./test-timers.ts";

function entry(timers: TestTimers, limit: number) {
  return {
    limit,
    endedAt: Number.NaN,
    expire() {
      if (Number.isNaN(this.endedAt)) this.endedAt = timers.time;
    },
  };
}

test("nothing ends early, and nothing ends more than 50 ms late", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1_000), fc.nat(2_000)), { minLength: 1, maxLength: 20 }), (plan) => {
      const timers = new TestTimers();
      const deadlines = new Deadlines(timers);
      const entries = plan.map(([wait, length]) => {
        timers.advance(wait);
        const added = entry(timers, timers.time + length);
        deadlines.add(added);
        return added;
      });
      timers.advance(3_000);
      for (const { limit, endedAt } of entries) assert.ok(endedAt >= limit && endedAt <= limit + 50, `${endedAt}`);
    }),
  );
});

test("a limit may move while it waits, and what was taken out does not end", () => {
  const timers = new TestTimers();
  const deadlines = new Deadlines(timers);
  const [moved, removed] = [entry(timers, 100), entry(timers, 100)];
  deadlines.add(moved);
  deadlines.add(removed);
  deadlines.delete(removed);
  moved.limit = 500;
  timers.advance(1_000);
  assert.equal(moved.endedAt, 500);
  assert.ok(Number.isNaN(removed.endedAt));
});

test("no timer waits while nothing is open", () => {
  const timers = new TestTimers();
  const deadlines = new Deadlines(timers);
  const first = entry(timers, 100);
  deadlines.add(first);
  deadlines.delete(first);
  timers.advance(60);
  assert.equal(timers.waiting.length, 0);
  deadlines.add(entry(timers, 1_000));
  assert.equal(timers.waiting.length, 1);
  deadlines.stop();
  assert.equal(timers.waiting.length, 0);
});
