import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTime, parseTime } from "./time.ts";

test("a time is rendered in UTC with six digits, whatever was rendered before it", () => {
  assert.equal(formatTime(0), "1970-01-01T00:00:00.000000Z");
  assert.equal(formatTime(1_700_000_000_000_001), "2023-11-14T22:13:20.000001Z");
  assert.equal(formatTime(1_700_000_000_999_999), "2023-11-14T22:13:20.999999Z");
  assert.equal(formatTime(1_700_000_001_000_000), "2023-11-14T22:13:21.000000Z");
  assert.equal(formatTime(1_700_000_000_000_001), "2023-11-14T22:13:20.000001Z");
});

test("every time survives being rendered and read", () => {
  const micros = fc.integer({ min: 0, max: 4_000_000_000_000_000 });
  fc.assert(fc.property(micros, (time) => parseTime(formatTime(time)) === time));
});

test("offsets are understood and finer digits are cut", () => {
  assert.equal(parseTime("2023-11-14T23:13:20.0000019+01:00"), 1_700_000_000_000_001);
  assert.equal(parseTime("2023-11-14T22:13:20Z"), 1_700_000_000_000_000);
});

test("what is no time with an offset is none", () => {
  for (const text of ["", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z", "soon"]) {
    assert.equal(parseTime(text), null, text);
  }
});
