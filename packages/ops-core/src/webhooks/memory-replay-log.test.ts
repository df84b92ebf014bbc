import assert from "node:assert/strict";
import { test } from "node:test";
import { OpspawnError } from "@opspawn/contract";
import { MemoryReplayLog } from "./memory-replay-log.ts";

function logAt(time: number, capacity?: number) {
  const clock = { time, now: () => clock.time };
  return { clock, log: new MemoryReplayLog(clock, capacity) };
}

test("an id is taken once until its time is over", () => {
  const { clock, log } = logAt(100);
  assert.equal(log.remember("a", 200), true);
  assert.equal(log.remember("b", 200), true);
  clock.time = 200;
  assert.equal(log.remember("a", 300), false);
  clock.time = 201;
  assert.equal(log.remember("a", 300), true);
  assert.equal(log.remember("a", 300), false);
});

test("a full log makes room by what is over, and else refuses rather than forgets", () => {
  const { clock, log } = logAt(100, 2);
  log.remember("a", 200);
  log.remember("b", 250);
  assert.throws(
    () => log.remember("c", 300),
    (error: unknown) => error instanceof OpspawnError && error.code === "overloaded",
  );
  assert.equal(log.remember("a", 300), false);
  clock.time = 201;
  assert.equal(log.remember("c", 301), true);
  assert.equal(log.remember("b", 301), false);
  assert.throws(() => log.remember("d", 301), OpspawnError);
});
