import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTime, parseTime } from "@opspawn/contract";
import fc from "fast-check";
import { DAY, HOUR, MINUTE, SECOND } from "../clock.ts";
import { cronProblem, isTimeZone } from "./cron.ts";
import type { Series, Timing } from "./schedule.ts";
import { dueAfter, dueBefore, dueBetween } from "./series.ts";

const NEW_YORK = "America/New_York";
const BERLIN = "Europe/Berlin";

function at(text: string): number {
  const micros = parseTime(text);
  assert.ok(micros !== null, text);
  return micros;
}

function series(timing: Timing, bounds: Partial<Series> = {}): Series {
  return { timing, startAt: null, endAt: null, ...bounds };
}

/** The first due times after a moment, to the minute. */
function times(cron: string, timeZone: string, after: string, count: number): string[] {
  const all = dueBetween(series({ kind: "cron", cron, timeZone }), at(after) + 1, at("2030-01-01T00:00:00Z"), count);
  return all.map((due) => formatTime(due).replace(/:00\.000000Z$/, "Z"));
}

test("a time of day that is skipped in spring is due when the clocks have changed", () => {
  assert.deepEqual(times("30 2 * * *", NEW_YORK, "2026-03-07T00:00:00Z", 3), [
    "2026-03-07T07:30Z",
    "2026-03-08T07:00Z",
    "2026-03-09T06:30Z",
  ]);
  assert.deepEqual(times("30 2 * * *", BERLIN, "2026-03-28T00:00:00Z", 3), [
    "2026-03-28T01:30Z",
    "2026-03-29T01:00Z",
    "2026-03-30T00:30Z",
  ]);
});

test("a time of day that comes twice in autumn is due the first time only", () => {
  assert.deepEqual(times("30 1 * * *", NEW_YORK, "2026-11-01T00:00:00Z", 2), [
    "2026-11-01T05:30Z",
    "2026-11-02T06:30Z",
  ]);
  assert.deepEqual(times("30 2 * * *", BERLIN, "2026-10-24T12:00:00Z", 2), ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
});

test("what repeats within the day leaves out an hour that is skipped, and goes on through one that comes twice", () => {
  assert.deepEqual(times("0 * * * *", BERLIN, "2026-03-28T23:30:00Z", 3), [
    "2026-03-29T00:00Z",
    "2026-03-29T01:00Z",
    "2026-03-29T02:00Z",
  ]);
  assert.deepEqual(times("*/30 2 * * *", BERLIN, "2026-03-28T12:00:00Z", 2), [
    "2026-03-30T00:00Z",
    "2026-03-30T00:30Z",
  ]);
  assert.deepEqual(times("*/30 2 * * *", BERLIN, "2026-10-24T12:00:00Z", 5), [
    "2026-10-25T00:00Z",
    "2026-10-25T00:30Z",
    "2026-10-25T01:00Z",
    "2026-10-25T01:30Z",
    "2026-10-26T01:00Z",
  ]);
  assert.deepEqual(times("0 1-2 * * *", NEW_YORK, "2026-11-01T04:30:00Z", 3), [
    "2026-11-01T05:00Z",
    "2026-11-01T06:00Z",
    "2026-11-01T07:00Z",
  ]);
});

test("cron expressions may begin with seconds, and name days and months", () => {
  assert.deepEqual(times("*/30 0 9 * * mon-fri", "UTC", "2026-05-01T10:00:00Z", 2), [
    "2026-05-04T09:00Z",
    "2026-05-04T09:00:30.000000Z",
  ]);
  assert.deepEqual(times("@monthly", "UTC", "2026-05-01T10:00:00Z", 1), ["2026-06-01T00:00Z"]);
  assert.deepEqual(times("0 0 29 feb *", "UTC", "2026-05-01T10:00:00Z", 1), ["2028-02-29T00:00Z"]);
  assert.deepEqual(times("0 0 31 2 *", "UTC", "2026-05-01T10:00:00Z", 1), []);
});

test("what is no cron expression, or no time zone, is told with what is wrong", () => {
  for (const cron of ["0 0 * * *", "@daily", "*/5 * * * * *", "0 12 * * MON#1", "0 0 L * *"]) {
    assert.equal(cronProblem(cron), null, cron);
  }
  const problems: Record<string, RegExp> = {
    "": /five fields/,
    "* * * *": /five fields/,
    "2026-01-01T00:00:00Z": /five fields/,
    "* * * * * * *": /five fields/,
    "@reboot": /is no cron expression: @reboot is not supported/,
    "61 * * * *": /is no cron expression: .*minute: 61/,
    "*/0 * * * *": /illegal stepping/,
  };
  for (const [cron, text] of Object.entries(problems)) assert.match(cronProblem(cron) ?? "fine", text, cron);
  assert.ok(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"].every(isTimeZone));
  assert.ok(!["+02:00", "Mars/Base", "", "GMT+1"].some(isTimeZone));
});

test("an interval counts from its anchor and does not drift, however late it is looked at", () => {
  const each = series({ kind: "every", every: 90 * SECOND, anchor: at("2026-01-01T00:00:00Z") });
  const start = at("2026-07-01T00:00:00Z");
  assert.equal(dueAfter(each, start), start + 90 * SECOND);
  assert.equal(dueAfter(each, start - 1), start);
  assert.equal(dueBefore(each, start), start - 90 * SECOND);
  assert.equal(dueBefore(each, start + 1), start);
  assert.equal(dueAfter(each, at("2025-12-31T23:59:00Z")), at("2026-01-01T00:00:00Z"), "before its anchor too");
});

test("no due time is before startAt, nor at or after endAt", () => {
  const startAt = at("2026-01-01T00:00:00Z");
  const bounds = { startAt, endAt: startAt + 3 * MINUTE };
  for (const timing of [
    { kind: "every", every: MINUTE, anchor: startAt },
    { kind: "cron", cron: "* * * * *", timeZone: BERLIN },
  ] as const) {
    const each = series(timing, bounds);
    assert.deepEqual(
      dueBetween(each, 0, startAt + DAY, 10),
      [0, 1, 2].map((n) => startAt + n * MINUTE),
    );
    assert.equal(dueAfter(each, startAt + 2 * MINUTE), null);
    assert.equal(dueBefore(each, startAt + DAY), startAt + 2 * MINUTE);
    assert.equal(dueBefore(each, startAt), null);
  }
});

const timings = fc.oneof(
  fc.record({
    kind: fc.constant("every" as const),
    every: fc.integer({ min: SECOND, max: 40 * DAY }),
    anchor: fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2032-01-01T00:00:00Z") }),
  }),
  fc.record({
    kind: fc.constant("cron" as const),
    cron: fc.constantFrom("*/7 * * * *", "30 2 * * *", "0 1,2,3 * * *", "15 */2 * * sun", "@hourly", "0 0 1 * *"),
    timeZone: fc.constantFrom("UTC", NEW_YORK, BERLIN, "Australia/Lord_Howe", "Africa/Cairo"),
  }),
);
// The weeks in which clocks change, and some others.
const moments = fc
  .tuple(
    fc.constantFrom("2026-03-07T00:00:00Z", "2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z", "2026-10-31T00:00:00Z"),
    fc.integer({ min: 0, max: 3 * DAY }),
  )
  .map(([day, offset]) => at(day) + offset);

test("looking forward and back agree: no due time between two is left out or told twice", () => {
  fc.assert(
    fc.property(timings, moments, (timing, moment) => {
      const each = series(timing);
      const next = dueAfter(each, moment);
      assert.ok(next !== null && next > moment);
      assert.equal(dueBefore(each, next + 1), next);
      const before = dueBefore(each, next);
      assert.ok(before !== null && before <= moment);
      assert.equal(dueAfter(each, before), next);
      assert.equal(dueAfter(each, next - 1), next);
    }),
    { numRuns: 300 },
  );
});

test("all times of a range are those that stepping through it finds", () => {
  fc.assert(
    fc.property(timings, moments, fc.integer({ min: 1, max: 12 }), (timing, from, hours) => {
      const each = series(timing);
      const to = from + hours * HOUR;
      const found: number[] = [];
      for (let due = dueBefore(each, to); due !== null && due >= from; due = dueBefore(each, due)) found.unshift(due);
      assert.deepEqual(dueBetween(each, from, to, Number.MAX_SAFE_INTEGER), found);
    }),
    {
      numRuns: 30,
      examples: [[{ kind: "cron", cron: "0 1,2,3 * * *", timeZone: BERLIN }, at("2026-10-24T20:00:00Z"), 12]],
    },
  );
});
