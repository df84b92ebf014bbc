import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf, sketch } from "./test-plans.ts";
import { begin, NO } from "./test-session.ts";

test("what is undone is undone in the planned order, one after the other, and what could not be is counted", () => {
  const session = begin(
    planOf(
      [sketch({ compensated: true }), sketch({ compensated: true, dependsOn: [0] }), sketch({ dependsOn: [1] })],
      "compensate",
    ),
  );
  session.give({ type: "step_completed", step: 0, part: 0 });
  session.give({ type: "step_completed", step: 1, part: 0 });
  const failing = session.give({ type: "step_failed", step: 2, part: 0, error: NO });
  assert.deepEqual(failing.effects, [{ type: "plan_undoing" }]);
  assert.deepEqual(session.give({ type: "undoing_planned", total: 2, uncertain: [] }).effects, [
    { type: "undo", n: 0 },
  ]);
  const one = session.give({ type: "undone", n: 0, step: 1, failed: true, restored: false });
  assert.deepEqual([one.effects, one.steps], [[{ type: "undo", n: 1 }], []]);
  const two = session.give({ type: "undone", n: 1, step: 0, failed: false, restored: true });
  assert.deepEqual(two.effects, [{ type: "finish", status: "failed", error: NO }]);
  assert.deepEqual([session.undoing, session.state(0).status], [{ total: 2, failed: 1 }, "compensated"]);
});

test("nothing to undo: the session fails at once, with everything undone that there was", () => {
  const session = begin(planOf([sketch()], "compensate"));
  session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  session.give({ type: "undoing_planned", total: 0, uncertain: [] });
  assert.deepEqual([session.finished, session.undoing], [["failed"], { total: 0, failed: 0 }]);
});

test("a list keeps what is known of it when its step is undone", () => {
  const session = begin(
    planOf(
      [sketch({ forEach: { concurrency: 2, onItemError: "collect" }, compensated: true }), sketch({ dependsOn: [0] })],
      "compensate",
    ),
  );
  session.give({ type: "items_listed", step: 0, total: 2 });
  for (const part of [0, 1]) session.give({ type: "step_completed", step: 0, part });
  session.give({ type: "step_failed", step: 1, part: 0, error: NO });
  session.give({ type: "undoing_planned", total: 2, uncertain: [] });
  session.give({ type: "undone", n: 0, step: 0, failed: false, restored: false });
  session.give({ type: "undone", n: 1, step: 0, failed: false, restored: true });
  assert.deepEqual(session.state(0), {
    status: "compensated",
    remaining: 0,
    items: { total: 2, next: 2, open: 0, failed: 0, failure: null },
  });
});

test("a session whose result cannot be told fails, and is undone where that is wished", () => {
  for (const [onFailure, effect] of [
    ["compensate", { type: "plan_undoing" }],
    ["continue", { type: "finish", status: "failed", error: NO }],
  ] as const) {
    const session = begin(planOf([sketch()], onFailure));
    session.give({ type: "step_completed", step: 0, part: 0 });
    // It did not end after all.
    session.finished.length = 0;
    session.status = "running";
    session.owed.push({ type: "wait", step: 0 });
    assert.deepEqual(session.give({ type: "output_failed", error: NO }).effects, [effect]);
  }
});

test("a stand-in that is skipped fails the step it stands in for, through the whole chain", () => {
  const chain = [
    sketch(),
    sketch({ reserveOf: { step: 0, role: "fallback" }, dependsOn: [0] }),
    sketch({ reserveOf: { step: 1, role: "fallback" }, dependsOn: [1], when: true }),
  ];
  const session = begin(planOf(chain));
  session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  session.give({ type: "step_failed", step: 1, part: 0, error: NO });
  session.give({ type: "step_skipped", step: 2 });
  assert.deepEqual([session.finished, session.failedSteps], [["failed"], ["s0"]]);
  assert.match(session.failure?.error.message ?? "", /`s2`, which stands in for it, was skipped/);
});

test("a failure cancels a decision that stands in for a step, and that step with it", () => {
  const steps = [
    sketch(),
    sketch({ kind: "approval", reserveOf: { step: 0, role: "fallback" }, dependsOn: [0] }),
    sketch(),
  ];
  const session = begin(planOf(steps));
  session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  session.give({ type: "step_failed", step: 2, part: 0, error: NO });
  assert.deepEqual([session.finished, session.in("cancelled")], [["failed"], [0, 1]]);
});

test("a stand-in that is refused and has a branch leads its step there", () => {
  const steps = [
    sketch(),
    sketch({ kind: "approval", reserveOf: { step: 0, role: "fallback" }, dependsOn: [0] }),
    sketch({ reserveOf: { step: 1, role: "rejected" }, dependsOn: [1] }),
    sketch({ dependsOn: [0] }),
  ];
  const session = begin(planOf(steps));
  session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  session.give({ type: "step_refused", step: 1, role: "rejected", error: NO });
  assert.deepEqual([session.in("failed"), session.in("running"), session.in("skipped")], [[0, 1], [2], [3]]);
  session.give({ type: "step_completed", step: 2, part: 0 });
  assert.deepEqual([session.finished, session.failedSteps], [["completed"], []]);
});

test("a step whose condition holds too late does not run: its session has failed meanwhile", () => {
  const session = begin(planOf([sketch(), sketch({ when: true })]));
  session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  assert.deepEqual(session.give({ type: "step_admitted", step: 1 }).effects, [
    { type: "finish", status: "failed", error: NO },
  ]);
  assert.deepEqual([session.begun, session.in("cancelled")], [["0/0"], [1]]);
});

test("a session that ends while it waits does not go on first", () => {
  const session = begin(planOf([sketch({ kind: "wait" })]));
  assert.equal(session.status, "waiting");
  assert.equal(session.give({ type: "cancel", reason: "enough" }).status, "waiting");
  assert.deepEqual(session.finished, ["cancelled"]);
});
