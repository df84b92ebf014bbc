import assert from "node:assert/strict";
import { after, test } from "node:test";
import { scansOf } from "../../packages/ops-core/src/store/sqlite/test-plans.ts";
import type { Told } from "./scenario.ts";
import { SeedThread } from "./seed-thread.ts";
import { FAILED_ONCE, FIXED } from "./seeds.ts";

const thread = new SeedThread();
const statements = new Set<string>();
let first: Told | undefined;

after(() => thread.close());

for (const seed of [...FIXED, ...FAILED_ONCE]) {
  test(`seed ${seed}: liars, deaths, stalls, lost and doubled messages; everything ends, once, and as it was told`, async () => {
    const told = await thread.simulate(seed);
    first ??= told;
    assert.deepEqual(told.findings, [], told.story.join("\n"));
    const types = new Set(told.events.map(({ type }) => type));
    for (const type of ["attempt.resent", "task.retrying", "session.completed"]) {
      assert.ok(types.has(type), `${type} never happened`);
    }
    for (const sql of told.statements) statements.add(sql);
  });
}

test("a seed replays exactly", async () => {
  assert.deepEqual(await thread.simulate(FIXED[0] ?? 0), first);
});

test("no statement of a running server looks through a table that grows", () => {
  assert.ok(statements.size > 50);
  assert.deepEqual(scansOf(statements), []);
});
