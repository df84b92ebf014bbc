import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { document, issuesOf, planOf, refuseEach, warningsOf } from "./definition.suite.ts";
import type { WorkflowPlan } from "./plan.ts";

function steps(...tasks: (string | JsonObject)[]): JsonObject {
  return document(tasks.map((task): JsonValue => (typeof task === "string" ? { taskId: task } : task)));
}

function edges(plan: WorkflowPlan): string[] {
  const idOf = (at: number) => plan.steps[at]?.id;
  return plan.steps.map(({ id, dependsOn, dependents }) => {
    return `${dependsOn.map(idOf).join("+")}->${id}->${dependents.map(idOf).join("+")}`;
  });
}

function reserves(plan: WorkflowPlan): string[] {
  return plan.steps.flatMap((step) => {
    const { reserveOf } = step;
    return reserveOf === null ? [] : `${step.id}: ${reserveOf.role} of ${plan.steps[reserveOf.step]?.id}`;
  });
}

const ask = (fields: JsonObject): JsonObject => ({ message: "Go?", timeout: "1h", ...fields });

test("a step in reserve stands outside the order of a list", () => {
  const plan = planOf(
    steps({ taskId: "a", fallback: "cheap" }, "cheap", "b", { taskId: "c", fallback: { taskId: "d" } }, "d"),
  );
  assert.equal(plan.order, "list");
  assert.deepEqual(edges(plan), ["->a->b", "a->cheap->", "a->b->c", "b->c->", "c->d->"]);
  assert.deepEqual(reserves(plan), ["cheap: fallback of a", "d: fallback of c"]);
  assert.deepEqual(plan.steps[0]?.reserves, { fallback: 1, rejected: null, expired: null });
  assert.deepEqual(plan.steps[1]?.reserves, { fallback: null, rejected: null, expired: null });
});

test("in a chain it counts as reached, and the chain begins with the first step that is in no reserve", () => {
  const plan = planOf(
    steps(
      "cheap",
      { taskId: "a", nextTaskId: "b", fallback: "cheap" },
      { taskId: "b", approval: ask({ onReject: "no", onTimeout: { taskId: "late" } }) },
      "no",
      { taskId: "late", fallback: "later" },
      "later",
    ),
  );
  assert.equal(plan.order, "chain");
  assert.deepEqual(edges(plan), ["a->cheap->", "->a->b", "a->b->", "b->no->", "b->late->", "late->later->"]);
  assert.deepEqual(reserves(plan), [
    "cheap: fallback of a",
    "no: rejected of b",
    "late: expired of b",
    "later: fallback of late",
  ]);
});

test("what is kept for a step that a chain never reaches is not reached either", () => {
  const source = steps({ taskId: "a", nextTaskId: "c" }, { taskId: "lost", fallback: "kept" }, "kept", "c");
  const unreachable = [
    { loc: ["tasks", 1], type: "unreachable", msg: '"lost" never runs: no nextTaskId leads to it from "a"' },
    { loc: ["tasks", 2], type: "unreachable", msg: '"kept" never runs: neither does "lost"' },
  ];
  assert.deepEqual(issuesOf(source), unreachable);
  assert.deepEqual(warningsOf(source, "original"), unreachable);
  assert.deepEqual(edges(planOf(source, "original")), ["->a->c", "a->c->"]);
});

test("in a graph others may depend on a branch", () => {
  const plan = planOf(
    steps(
      { taskId: "a", wait: { signal: "paid", timeout: "1h", onTimeout: "remind" } },
      "remind",
      { taskId: "ship", dependsOn: ["a"] },
      { taskId: "close", dependsOn: ["remind"], parameters: { why: "${{ steps.a.error.code }}" } },
    ),
  );
  assert.deepEqual(edges(plan), ["->a->ship", "a->remind->close", "a->ship->", "remind->close->"]);
  assert.deepEqual(
    warningsOf(
      document([{ taskId: "x", dependsOn: [] }, { taskId: "y", fallback: "z", dependsOn: ["x"] }, { taskId: "z" }]),
    ),
    [],
  );
});

test("the word reject is no step, unless it is written as one", () => {
  const tasks = (onTimeout: JsonValue) => steps({ taskId: "a", approval: ask({ onTimeout }) }, "reject");
  assert.deepEqual(reserves(planOf(tasks("reject"))), []);
  assert.equal(planOf(tasks("reject")).steps[0]?.approval?.onTimeout, "reject");
  assert.deepEqual(reserves(planOf(tasks({ taskId: "reject" }))), ["reject: expired of a"]);
  assert.equal(planOf(tasks({ taskId: "reject" })).steps[0]?.approval?.onTimeout, "fail");
});

test("a step is in reserve for one role of one step, and has no other place in the order", () => {
  const approval = ask({ onReject: "b", onTimeout: "b" });
  refuseEach([
    [
      "nobody",
      steps({ taskId: "fetch", fallback: "chaep" }, "cheap"),
      ["tasks", 0, "fallback"],
      "unknown_step",
      'no task has the id "chaep"; did you mean "cheap"?',
    ],
    [
      "nobody, as an object",
      steps({ taskId: "fetch", fallback: { taskId: "x" } }, "cheap"),
      ["tasks", 0, "fallback", "taskId"],
      "unknown_step",
      'no task has the id "x"',
    ],
    [
      "no branch",
      steps({ taskId: "a", approval: ask({ onReject: "x" }) }),
      ["tasks", 0, "approval", "onReject"],
      "unknown_step",
      'no task has the id "x"',
    ],
    [
      "for two",
      steps({ taskId: "a", fallback: "c" }, { taskId: "b", fallback: "c" }, "c"),
      ["tasks", 1, "fallback"],
      "duplicate",
      '"c" is kept in reserve for "a" already',
    ],
    [
      "for both branches",
      steps({ taskId: "a", approval }, "b"),
      ["tasks", 0, "approval", "onTimeout"],
      "duplicate",
      '"b" is kept in reserve for "a" already',
    ],
    [
      "with dependsOn",
      steps({ taskId: "a", fallback: "b", dependsOn: [] }, { taskId: "b", dependsOn: [] }),
      ["tasks", 1, "dependsOn"],
      "conflict",
      '"b" is kept in reserve for "a", so it has no `dependsOn`',
    ],
    [
      "with nextTaskId",
      steps({ taskId: "a", fallback: "b", nextTaskId: "c" }, { taskId: "b", nextTaskId: "c" }, "c"),
      ["tasks", 1, "nextTaskId"],
      "conflict",
      '"b" is kept in reserve for "a", so it has no `nextTaskId`',
    ],
    [
      "next in a chain",
      steps({ taskId: "a", fallback: "b", nextTaskId: "b" }, "b"),
      ["tasks", 0, "nextTaskId"],
      "conflict",
      '"b" is kept in reserve for "a", so no nextTaskId may lead to it',
    ],
    [
      "depended on",
      steps({ taskId: "a", fallback: "b" }, "b", { taskId: "c", dependsOn: ["a", "b"] }),
      ["tasks", 2, "dependsOn", 1],
      "conflict",
      '"b" only stands in reserve for "a"; depend on "a", whose result is the same',
    ],
  ]);
});

test("a cycle through steps in reserve is named where it closes", () => {
  const graph = "the tasks wait for each other in a cycle: ";
  refuseEach([
    ["itself", steps({ taskId: "a", fallback: "a" }), ["tasks", 0, "fallback"], "cycle", `${graph}a -> a`],
    [
      "each other",
      steps({ taskId: "a", fallback: "b" }, { taskId: "b", fallback: { taskId: "a" } }),
      ["tasks", 1, "fallback", "taskId"],
      "cycle",
      `${graph}a -> b -> a`,
    ],
    [
      "behind its own branch",
      steps({ taskId: "start" }, { taskId: "a", approval: ask({ onReject: "no" }), dependsOn: ["start", "no"] }, "no"),
      ["tasks", 1, "dependsOn"],
      "cycle",
      `${graph}a -> no -> a`,
    ],
    [
      "beside a chain",
      steps({ taskId: "a", nextTaskId: "c", fallback: "b" }, "b", { taskId: "c", nextTaskId: "a" }),
      ["tasks", 2, "nextTaskId"],
      "cycle",
      "the tasks form a cycle: a -> c -> a",
    ],
  ]);
});

test("a step that waits for both ways behind an approval is warned about: one of them is always skipped", () => {
  const tasks = (dependsOn: string[]) =>
    steps({ taskId: "a", approval: ask({ onReject: "no" }) }, { taskId: "yes", dependsOn: ["a"] }, "no", {
      taskId: "end",
      dependsOn,
    });
  const never = "never runs: it waits for both ways behind `a`, and only one of them is taken";
  assert.deepEqual(warningsOf(tasks(["yes", "no"])), [
    { loc: ["tasks", 3, "dependsOn"], type: "never_runs", msg: never },
  ]);
  assert.deepEqual(warningsOf(tasks(["no"])), []);
  assert.deepEqual(warningsOf(tasks(["yes"])), []);
});
