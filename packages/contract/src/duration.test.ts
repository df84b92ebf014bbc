import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration.ts";

test("a duration is a whole number and a unit, in microseconds", () => {
  assert.equal(parseDuration("1us"), 1);
  assert.equal(parseDuration("250ms"), 250_000);
  assert.equal(parseDuration("1s"), 1_000_000);
  assert.equal(parseDuration("2m"), 120_000_000);
  assert.equal(parseDuration("24h"), 86_400_000_000);
  assert.equal(parseDuration("7d"), 604_800_000_000);
  assert.equal(parseDuration("0s"), 0);
});

test("anything else is no duration", () => {
  for (const text of [
    "",
    "5",
    "s",
    "1.5s",
    "-1s",
    "1 s",
    " 1s",
    "1S",
    "1w",
    "1h30m",
    "1e3s",
    "999999999999999d",
    "١s",
  ]) {
    assert.equal(parseDuration(text), null, text);
  }
});

test("a duration is written in the largest unit that holds it exactly", () => {
  assert.equal(formatDuration(0), "0s");
  assert.equal(formatDuration(90_000_000), "90s");
  assert.equal(formatDuration(3_600_000_000), "1h");
  assert.equal(formatDuration(1_500), "1500us");
  assert.throws(() => formatDuration(1.5), RangeError);
  assert.throws(() => formatDuration(-1), RangeError);
});

test("what is written is read back the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 49 }), (micros) => {
      assert.equal(parseDuration(formatDuration(micros)), micros);
    }),
    { numRuns: 300 },
  );
});
