import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "./scenario.ts";
import { FAILED_ONCE, FIXED } from "./seeds.ts";

for (const seed of [...FIXED, ...FAILED_ONCE]) {
  test(`seed ${seed}: liars, deaths, stalls, lost and doubled messages; everything ends, once, and as it was told`, async () => {
    const { findings, story, events } = await simulate(seed);
    assert.deepEqual(findings, [], story.join("\n"));
    const types = new Set(events.map(({ type }) => type));
    for (const type of ["attempt.resent", "task.retrying", "session.completed"]) {
      assert.ok(types.has(type), `${type} never happened`);
    }
  });
}

test("a seed replays exactly", async () => {
  const [once, again] = [await simulate(1), await simulate(1)];
  assert.deepEqual(again, once);
});
