import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bareOutcome, inOwnOrder, isOlder, namedOutcome, type Report } from "./evidence.ts";

const SECOND = 1_000_000;
const DISPATCH = 1_000 * SECOND;

/** `[state, received, reported]`, in seconds after the dispatch; without the last one the server made the time. */
type Short = readonly [state: string, received: number, reported?: number];

function reports(...list: Short[]): Report[] {
  return list.map(([state, received, reported]) => ({
    state,
    details: `"${state} at ${received}"`,
    receivedAt: DISPATCH + received * SECOND,
    reportedAt: reported === undefined ? null : DISPATCH + reported * SECOND,
  }));
}

const outcome = (...list: Short[]) => bareOutcome(reports(...list), DISPATCH);

test("`active`, then `idle` or `finished`, is an outcome; `error` is a failure; case does not matter", () => {
  for (const state of ["idle", "finished", "IDLE", "Finished"]) {
    assert.deepEqual(outcome(["active", 1], [state, 2]), { type: "completed", details: `"${state} at 2"` });
  }
  assert.deepEqual(outcome(["Active", 1], ["ERROR", 2]), { type: "failed", details: '"ERROR at 2"' });
  assert.equal(outcome(["busy", 1], ["idle", 2])?.type, "completed", "what the originals' stand-in reports");
});

test("an `idle` without an `active` since the dispatch says nothing", () => {
  assert.equal(outcome(["idle", 1]), null);
  assert.equal(outcome(["active", -2], ["idle", -1]), null);
  assert.equal(outcome(["active", -1], ["idle", 1]), null);
  assert.equal(outcome(["active", 0], ["idle", 1]), null, "in the instant of the dispatch nothing is known of it yet");
  assert.equal(outcome(["error", 1]), null);
  assert.equal(outcome(), null);
});

test("an agent that is active again has not finished; the last outcome counts", () => {
  assert.equal(outcome(["active", 1], ["idle", 2], ["active", 3]), null);
  assert.equal(outcome(["active", 1], ["idle", 2], ["active", 3], ["error", 4])?.type, "failed");
  assert.equal(outcome(["active", 1], ["error", 2], ["idle", 3])?.details, '"idle at 3"');
  assert.equal(outcome(["active", 1], ["thinking", 2], ["idle", 3])?.type, "completed");
});

test("the agent's own times decide, whichever report arrived last", () => {
  assert.equal(outcome(["idle", 1, 12], ["active", 2, 11])?.details, '"idle at 1"');
  assert.equal(outcome(["active", 1, 12], ["idle", 2, 11]), null);
  assert.equal(
    outcome(["active", 1, -5_000], ["idle", 2, -4_999])?.type,
    "completed",
    "its clock is never compared with ours",
  );
});

test("times that we made, and times of reports more than a minute apart, are not compared", () => {
  assert.equal(outcome(["active", 1, 100], ["idle", 2])?.type, "completed");
  assert.equal(outcome(["active", 1, 100], ["idle", 62, 50])?.type, "completed");
  assert.equal(outcome(["active", 1, 100], ["idle", 61, 50]), null);
});

test("reports of an earlier moment than one from before the dispatch are old", () => {
  assert.equal(outcome(["idle", -1, 10], ["active", 1, 8], ["idle", 2, 9]), null);
  assert.equal(outcome(["idle", -1, 10], ["active", 1, 11], ["idle", 2, 12])?.type, "completed");
  assert.equal(
    outcome(["idle", -59, 10], ["active", 2, 8], ["idle", 3, 9])?.type,
    "completed",
    "too long ago to compare",
  );
  assert.equal(outcome(["idle", -1], ["active", 1, 8], ["idle", 2, 9])?.type, "completed", "nothing to compare with");
  assert.equal(outcome(["idle", -1, 10], ["active", 1], ["idle", 2])?.type, "completed");
});

test("a report is older than another by the agent's clock, if both were received within a minute", () => {
  const at = (receivedAt: number, reportedAt: number | null) => ({ receivedAt, reportedAt });
  assert.equal(isOlder(at(10, 1), at(5, 2)), true);
  assert.equal(isOlder(at(10, 2), at(5, 2)), false);
  assert.equal(isOlder(at(10, null), at(5, 2)), false);
  assert.equal(isOlder(at(10, 1), at(5, null)), false);
  assert.equal(isOlder(at(5 + 60 * SECOND, 1), at(5, 2)), true);
  assert.equal(isOlder(at(6 + 60 * SECOND, 1), at(5, 2)), false);
});

const someReports = fc.array(
  fc.record({
    state: fc.constantFrom("active", "idle", "error", "finished", "other"),
    receivedAt: fc.integer({ min: DISPATCH - 60 * SECOND, max: DISPATCH + 60 * SECOND }),
    reportedAt: fc.option(fc.integer({ min: DISPATCH - 60 * SECOND, max: DISPATCH + 60 * SECOND })),
    details: fc.constant(null),
  }),
  { maxLength: 12 },
);

test("ordering keeps every report and changes none", () => {
  fc.assert(
    fc.property(someReports, (list) => {
      const before = JSON.stringify(list);
      const ordered = inOwnOrder(list);
      assert.equal(JSON.stringify(list), before);
      assert.deepEqual(new Set(ordered), new Set(list));
      assert.equal(ordered.length, list.length);
    }),
  );
});

test("an outcome is never read without both an `active` and an end received after the dispatch", () => {
  fc.assert(
    fc.property(someReports, (list) => {
      if (bareOutcome(list, DISPATCH) === null) return;
      const since = list.filter(({ receivedAt }) => receivedAt > DISPATCH);
      assert.ok(since.some(({ state }) => state === "active"));
      assert.ok(since.some(({ state }) => ["idle", "finished", "error"].includes(state)));
    }),
  );
});

test("the order in which reports are stored does not matter when their times differ", () => {
  fc.assert(
    fc.property(someReports, fc.nat(), (list, rotate) => {
      const times = new Set(list.map(({ receivedAt, reportedAt }) => `${receivedAt} ${reportedAt}`));
      const own = new Set(list.map(({ reportedAt }) => reportedAt));
      const received = new Set(list.map(({ receivedAt }) => receivedAt));
      if (times.size < list.length || own.size < list.length || received.size < list.length) return;
      const at = rotate % Math.max(list.length, 1);
      const rotated = [...list.slice(at), ...list.slice(0, at)];
      assert.deepEqual(bareOutcome(rotated, DISPATCH), bareOutcome(list, DISPATCH));
    }),
  );
});

test("a report that names its task says how it went, or that it goes on", () => {
  for (const state of ["idle", "Finished", "completed"]) assert.equal(namedOutcome(state), "completed");
  for (const state of ["error", "FAILED"]) assert.equal(namedOutcome(state), "failed");
  for (const state of ["active", "busy", "UNKNOWN", "", "a word of its own"]) assert.equal(namedOutcome(state), null);
});
