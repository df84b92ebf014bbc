import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "./scenario.ts";

/** Each replays exactly. A seed that ever failed stays in the list. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

for (const seed of SEEDS) {
  test(`seed ${seed}: liars, crashes, stalls and failed commits; everything comes to an end, once, and as it was told`, async () => {
    const events = await simulate(seed);
    const types = new Set(events.map(({ type }) => type));
    for (const type of ["attempt.resent", "attempt.lost", "attempt.timed_out", "task.retrying", "session.completed"]) {
      assert.ok(types.has(type), `${type} never happened`);
    }
  });
}

test("a seed replays exactly", async () => {
  const [once, again] = [await simulate(1), await simulate(1)];
  assert.deepEqual(again, once);
});
