import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { document, planOf, refuseEach, warningsOf } from "./definition.suite.ts";
import type { PlanStep } from "./plan.ts";

const task = (fields: JsonObject): JsonObject => document([{ taskId: "a", ...fields }]);
const at = (...names: (string | number)[]) => ["tasks", 0, ...names];

function stepOf(fields: JsonObject): PlanStep {
  const [step] = planOf(task(fields)).steps;
  assert.ok(step);
  return step;
}

test("a condition keeps its source, however it is written", () => {
  assert.equal(stepOf({ when: "input.go" }).when, "input.go");
  assert.equal(stepOf({ when: "${{ input.go }}" }).when, "input.go");
  assert.equal(stepOf({ when: false }).when, "false");
  assert.equal(stepOf({ when: null }).when, null);
});

test("forEach takes an expression or a list, with a bound on what runs at once", () => {
  assert.deepEqual(stepOf({ forEach: "${{ input.list }}" }).forEach, {
    items: "input.list",
    concurrency: 10,
    onItemError: "fail",
  });
  const list = [1, "${{ input }}", { x: null }];
  assert.deepEqual(stepOf({ forEach: list, concurrency: 3, onItemError: "collect" }).forEach, {
    items: list,
    concurrency: 3,
    onItemError: "collect",
  });
  assert.deepEqual(stepOf({ forEach: [] }).forEach?.items, []);
});

test("repeat says when it is enough, how often at most, and what it means when it never was", () => {
  assert.deepEqual(stepOf({ repeat: { until: "iteration > 1", maxIterations: 5 } }).repeat, {
    until: "iteration > 1",
    maxIterations: 5,
    delay: 0,
    onExhausted: "fail",
  });
  const all = { until: "${{ steps.a.result.done }}", maxIterations: 5, delay: "2s", onExhausted: "complete" };
  assert.deepEqual(stepOf({ repeat: all }).repeat, {
    until: "steps.a.result.done",
    maxIterations: 5,
    delay: 2_000_000,
    onExhausted: "complete",
  });
});

test("conditions, fan-out and loops have their types and sizes", () => {
  const MIXED = "must be one expression: write all of it inside one ${{ }}, or none of it";
  const repeat = (fields: JsonObject) => task({ repeat: { until: "iteration > 1", maxIterations: 2, ...fields } });
  refuseEach([
    ["when a number", task({ when: 1 }), at("when"), "wrong_type", "must be an expression that yields true or false"],
    ["when empty", task({ when: "" }), at("when"), "empty", "must not be empty"],
    ["when two", task({ when: "${{ input.a }} ${{ input.b }}" }), at("when"), "expression_invalid", MIXED],
    [
      "when no expression",
      task({ when: "input.go =" }),
      at("when"),
      "expression_invalid",
      "Unexpected character: = (in ${{ input.go = }}, column 10)",
    ],
    [
      "when no condition",
      task({ when: "size(input)" }),
      at("when"),
      "expression_invalid",
      "must yield true or false, not int (in ${{ size(input) }})",
    ],
    [
      "forEach an object",
      task({ forEach: {} }),
      at("forEach"),
      "wrong_type",
      "must be a list, or an expression that yields one",
    ],
    ["forEach empty", task({ forEach: "" }), at("forEach"), "empty", "must not be empty"],
    [
      "forEach no list",
      task({ forEach: "${{ input.n > 1 }}" }),
      at("forEach"),
      "expression_invalid",
      "must yield a list, not bool (in ${{ input.n > 1 }})",
    ],
    [
      "an item",
      task({ forEach: ["a", { x: "${{ }}" }] }),
      at("forEach", 1, "x"),
      "expression_invalid",
      "nothing stands between ${{ and }}",
    ],
    [
      "concurrency",
      task({ forEach: [1], concurrency: 0 }),
      at("concurrency"),
      "wrong_number",
      "must be a whole number from 1 to 100",
    ],
    [
      "onItemError",
      task({ forEach: [1], onItemError: "skip" }),
      at("onItemError"),
      "wrong_value",
      'must be "fail" or "collect"',
    ],
    [
      "concurrency alone",
      task({ concurrency: 2 }),
      at("concurrency"),
      "conflict",
      "belongs to `forEach`, which is missing",
    ],
    [
      "onItemError alone",
      task({ onItemError: "fail" }),
      at("onItemError"),
      "conflict",
      "belongs to `forEach`, which is missing",
    ],
    [
      "both",
      task({ forEach: [1], repeat: { until: "true", maxIterations: 1 } }),
      at("repeat"),
      "conflict",
      "cannot stand together with `forEach`",
    ],
    [
      "repeat a number",
      task({ repeat: 3 }),
      at("repeat"),
      "wrong_type",
      'must be an object such as { until: "steps.check.result.done", maxIterations: 10 }',
    ],
    ["no until", repeat({ until: null }), at("repeat", "until"), "missing", "is required: when it is enough"],
    [
      "no bound",
      repeat({ maxIterations: null }),
      at("repeat", "maxIterations"),
      "missing",
      "is required: how often it may run",
    ],
    [
      "until a list",
      repeat({ until: [] }),
      at("repeat", "until"),
      "wrong_type",
      "must be an expression that yields true or false",
    ],
    [
      "until no condition",
      repeat({ until: "string(iteration)" }),
      at("repeat", "until"),
      "expression_invalid",
      "must yield true or false, not string (in ${{ string(iteration) }})",
    ],
    [
      "too often",
      repeat({ maxIterations: 1_001 }),
      at("repeat", "maxIterations"),
      "wrong_number",
      "must be a whole number from 1 to 1000",
    ],
    ["delay", repeat({ delay: "25h" }), at("repeat", "delay"), "wrong_duration", "must be from 0s to 1d"],
    [
      "exhausted",
      repeat({ onExhausted: "stop" }),
      at("repeat", "onExhausted"),
      "wrong_value",
      'must be "fail" or "complete"',
    ],
    [
      "unknown",
      repeat({ maxIteration: 3 }),
      at("repeat", "maxIteration"),
      "unknown_field",
      'unknown field "maxIteration"; did you mean "maxIterations"?',
    ],
  ]);
});

test("a condition that reads nothing is warned about: it comes out the same each time", () => {
  const constant = (...names: string[]) => ({
    loc: ["tasks", 0, ...names],
    type: "constant",
    msg: "reads nothing, so it comes out the same each time",
  });
  assert.deepEqual(warningsOf(task({ when: false })), [constant("when")]);
  assert.deepEqual(warningsOf(task({ when: "size([1]) == 1" })), [constant("when")]);
  assert.deepEqual(warningsOf(task({ repeat: { until: "1 > 2", maxIterations: 3 } })), [constant("repeat", "until")]);
  assert.deepEqual(warningsOf(task({ when: "trigger.agentId != null" })), []);
  assert.deepEqual(warningsOf(task({ repeat: { until: "iteration > 1", maxIterations: 3 } })), []);
});

test("a workflow that starts itself each time is warned about", () => {
  const itself = (fields: JsonObject) => warningsOf(document([{ taskId: "a", ...fields }], { version: "2" }));
  const warning = {
    loc: ["tasks", 0, "workflow", "id"],
    type: "endless",
    msg: "starts this same workflow each time it runs, so it ends only by the limit of depth; give it a `when`",
  };
  assert.deepEqual(itself({ workflow: { id: "w" } }), [warning]);
  assert.deepEqual(itself({ workflow: { id: "w", version: "2" } }), [warning]);
  assert.deepEqual(itself({ workflow: { id: "w", version: "1" } }), []);
  assert.deepEqual(itself({ workflow: { id: "w" }, when: "input.more" }), []);
  assert.deepEqual(itself({ workflow: { id: "w" }, forEach: "input.parts" }), []);
});
