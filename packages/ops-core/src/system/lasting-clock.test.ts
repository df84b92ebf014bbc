import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY, HOUR, SECOND } from "../domain/clock.ts";
import { LastingClock } from "./lasting-clock.ts";
import { TestClock } from "./test-clock.ts";

test("a clock that was set back goes on from the last time that is known, at the machine's pace", () => {
  const machine = new TestClock();
  const clock = new LastingClock(machine);
  const last = machine.now() + HOUR;
  clock.goOnFrom(last);
  assert.equal(clock.now(), last);
  machine.advance(SECOND);
  assert.equal(clock.now(), last + SECOND);
  assert.equal(clock.ahead, HOUR);
});

test("a machine that is not behind is believed", () => {
  const machine = new TestClock();
  const clock = new LastingClock(machine);
  clock.goOnFrom(machine.now() - HOUR);
  assert.equal(clock.now(), machine.now());
});

test("a step back of more than a day is none: a clock that was once wrong does not stay wrong for ever", () => {
  const machine = new TestClock();
  const clock = new LastingClock(machine);
  clock.goOnFrom(machine.now() + DAY + 1);
  assert.equal(clock.now(), machine.now());
});
