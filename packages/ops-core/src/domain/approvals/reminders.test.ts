import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nextReminder, REMINDERS_MAX } from "./reminders.ts";

const times = fc.integer({ min: 0, max: 1_000_000 });
const every = fc.integer({ min: 1, max: 10_000 });

test("the next reminder is the first whole interval still to come, before the expiry, and none beyond the last one", () => {
  const given = fc.integer({ min: 0, max: REMINDERS_MAX + 1 });
  fc.assert(
    fc.property(every, times, times, given, fc.option(times), (every, from, later, given, expiresAt) => {
      const now = from + later;
      const at = nextReminder({ every, from, given, expiresAt }, now);
      if (given >= REMINDERS_MAX) assert.equal(at, null);
      else if (at === null) assert.ok(expiresAt !== null && expiresAt <= now + every);
      else {
        assert.ok(at > now && at <= now + every && (at - from) % every === 0);
        assert.ok(expiresAt === null || at < expiresAt);
      }
    }),
  );
});

test("what is not to be asked again is not", () => {
  assert.equal(nextReminder({ every: null, from: 0, given: 0, expiresAt: null }, 5), null);
});
