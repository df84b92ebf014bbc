import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { INVARIANTS } from "../checker/checker.ts";
import { plant, productFile } from "../planting/planting.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { KillPlan, POINTS } from "./rig/kill-plan.ts";

for (const bug of PLANTED_BUGS) {
  test(`the planted bug ${bug.name} still has its place in the source`, () => {
    const source = readFileSync(productFile(bug.file), "utf8");
    assert.notEqual(plant(bug, source), source);
  });

  test(`the planted bug ${bug.name} names invariants and failpoints that exist`, () => {
    const numbers = new Set(INVARIANTS.map(({ number }) => number));
    for (const number of bug.breaks) assert.ok(numbers.has(number), number);
    for (const point of bug.points ?? []) assert.ok(point in POINTS, point);
  });
}

test("a bug whose place has changed is refused, so that nobody tests the product against itself", () => {
  const [bug] = PLANTED_BUGS;
  assert.ok(bug !== undefined);
  assert.throws(() => plant(bug, "something else"), /adapt it/);
});

test("a plan hits every failpoint, and the same seed gives the same plan", () => {
  const names = (seed: number): string[] => {
    const plan = new KillPlan(seed);
    return Object.keys(POINTS).map(() => {
      const planned = plan.next({ random: 0, failpoints: 1 });
      assert.ok(planned.kind === "failpoint");
      const [least, most] = POINTS[planned.name] ?? [0, 0];
      assert.ok(planned.hit >= least && planned.hit <= most);
      plan.done(planned.name);
      return planned.name;
    });
  };
  assert.deepEqual(names(1).sort(), Object.keys(POINTS).sort());
  assert.deepEqual(names(7), names(7));
});
