import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HOUR, MINUTE } from "../clock.ts";
import { REMINDERS_MAX } from "../workflows/limits.ts";
import { nextReminder } from "./reminders.ts";

const ASKED = 1_000 * HOUR;
const plan = { every: HOUR, from: ASKED, given: 0, expiresAt: null };

test("an approval is asked again one interval after it was asked, and then after the last time", () => {
  assert.equal(nextReminder(plan, ASKED), ASKED + HOUR);
  assert.equal(nextReminder({ ...plan, from: ASKED + HOUR, given: 1 }, ASKED + HOUR), ASKED + 2 * HOUR);
});

test("what fell due while nobody was there is made up for by one, in the rhythm of before", () => {
  assert.equal(nextReminder(plan, ASKED + 5 * HOUR + MINUTE), ASKED + 6 * HOUR);
  assert.equal(nextReminder(plan, ASKED + 5 * HOUR), ASKED + 6 * HOUR);
});

test("it is not asked again without an interval, when it expires first or at once, or as often as is allowed", () => {
  assert.equal(nextReminder({ ...plan, every: null }, ASKED), null);
  assert.equal(nextReminder({ ...plan, expiresAt: ASKED + HOUR }, ASKED), null);
  assert.equal(nextReminder({ ...plan, expiresAt: ASKED + HOUR + 1 }, ASKED), ASKED + HOUR);
  assert.equal(nextReminder({ ...plan, given: REMINDERS_MAX - 1 }, ASKED), ASKED + HOUR);
  assert.equal(nextReminder({ ...plan, given: REMINDERS_MAX }, ASKED), null);
});

test("the next time is always to come, and less than an interval away once the first is due", () => {
  const every = fc.integer({ min: MINUTE, max: 1_000 * HOUR });
  fc.assert(
    fc.property(every, fc.integer({ min: -HOUR, max: 10_000 * HOUR }), (interval, later) => {
      const now = ASKED + later;
      const at = nextReminder({ ...plan, every: interval }, now) ?? 0;
      assert.ok(at > now);
      assert.ok(at - Math.max(now, ASKED) <= interval);
      assert.equal((at - ASKED) % interval, 0);
    }),
  );
});
