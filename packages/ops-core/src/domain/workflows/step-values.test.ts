import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import type { ExpressionScope, StepView } from "../expressions/scope.ts";
import { checkResult, evaluatedParameters, outputReads, sessionOutput, stepParameters } from "./data.ts";
import { document, planOf, refusal } from "./definition.suite.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";
import { compensationParameters, isEnough, stepCondition, stepItems, waitUntil } from "./step-values.ts";

const completed = (result: JsonValue): StepView => ({ status: "completed", result, error: null });
const scored: StepView = {
  status: "completed",
  result: null,
  error: null,
  results: [5, null],
  errors: [null, { code: "agent_error", message: "boom" }],
};

function scopeOf(input: JsonValue, rest: Partial<ExpressionScope> = {}): ExpressionScope {
  return { input, steps: new Map(), session: { id: "s", labels: {} }, trigger: { agentId: null }, ...rest };
}

function compiled(fields: JsonObject): { plan: WorkflowPlan; step: PlanStep } {
  const plan = planOf(document([{ taskId: "a", ...fields }], { onFailure: "compensate" }));
  const [step] = plan.steps;
  assert.ok(step);
  return { plan, step };
}

const stepOf = (fields: JsonObject): PlanStep => compiled(fields).step;

/** The code, the path and the text of what an evaluation ends in. */
function failure(run: () => unknown): unknown[] {
  const { code, message, issues } = refusal(run);
  const [issue] = issues ?? [];
  assert.deepEqual([issues?.length, issue?.type], [1, code]);
  return [code, issue?.loc, message];
}

test("a condition decides with true or false, and without one a step runs", () => {
  const step = stepOf({ when: "input.go" });
  assert.equal(stepCondition(step, scopeOf({ go: true })), true);
  assert.equal(stepCondition(step, scopeOf({ go: false })), false);
  assert.equal(stepCondition(stepOf({}), scopeOf(null)), true);
  assert.equal(stepCondition(stepOf({ when: false }), scopeOf(null)), false);
});

test("a condition that fails, or yields something else, names its path", () => {
  const cases: [value: JsonValue, text: string][] = [
    [1, "1"],
    ["yes", '"yes"'],
    [null, "null"],
    [[true], "a list"],
    [{ go: true }, "an object"],
    ["x".repeat(60), `"${"x".repeat(39)}...`],
  ];
  for (const [go, text] of cases) {
    const expected = ["expression_failed", ["when"], `when: must yield true or false, not ${text}`];
    assert.deepEqual(
      failure(() => stepCondition(stepOf({ when: "input.go" }), scopeOf({ go }))),
      expected,
    );
  }
  assert.deepEqual(
    failure(() => stepCondition(stepOf({ when: "input.go" }), scopeOf({}))),
    ["expression_failed", ["when"], 'when: no such key: "go" (in ${{ input.go }})'],
  );
});

test("items are what the expression yields, or the list with its expressions evaluated", () => {
  assert.deepEqual(stepItems(stepOf({ forEach: "input.list" }), scopeOf({ list: [1, { x: null }] })), [1, { x: null }]);
  assert.deepEqual(stepItems(stepOf({ forEach: ["a", "${{ input.n }}", ["${{ input.n + 1 }}"]] }), scopeOf({ n: 1 })), [
    "a",
    1,
    [2],
  ]);
  assert.deepEqual(stepItems(stepOf({ forEach: [1, 2] }), scopeOf(null)), [1, 2]);
  assert.deepEqual(stepItems(stepOf({ forEach: [] }), scopeOf(null)), []);
  assert.deepEqual(stepItems(stepOf({}), scopeOf(null)), []);
});

test("items that are no list, fail, or are too many name their path", () => {
  const items = (input: JsonValue) => failure(() => stepItems(stepOf({ forEach: "input" }), scopeOf(input)));
  assert.deepEqual(items({ a: 1 }), ["expression_failed", ["forEach"], "forEach: must yield a list, not an object"]);
  assert.deepEqual(items(null), ["expression_failed", ["forEach"], "forEach: must yield a list, not null"]);
  assert.deepEqual(items(Array.from({ length: 10_001 }, () => 1)), [
    "too_many_items",
    ["forEach"],
    "forEach: yields 10001 items, at most 10000 are allowed",
  ]);
  const [code, loc] = failure(() => stepItems(stepOf({ forEach: [1, { x: "${{ input.y }}" }] }), scopeOf({})));
  assert.deepEqual([code, loc], ["expression_failed", ["forEach", 1, "x"]]);
});

test("each item is given its own parameters, with its index", () => {
  const schema = { properties: { x: { type: "integer" } } };
  const parameters = { x: "${{ item }}", at: "${{ index }}" };
  const { plan, step } = compiled({ forEach: "input", parameters, input: { schema } });
  assert.deepEqual(stepParameters(plan, step, scopeOf([], { item: 7, index: 2 })), { x: 7, at: 2 });
  const error = refusal(() => stepParameters(plan, step, scopeOf([], { item: "7", index: 0 })));
  assert.deepEqual([error.code, error.issues?.[0]?.loc], ["input_invalid", ["parameters", "x"]]);
});

test("a loop is enough when its expression says so; it reads the run that has just ended", () => {
  const step = stepOf({ repeat: { until: "iteration >= 2 || steps.a.result.done", maxIterations: 9 } });
  const after = (iteration: number, result: JsonValue) =>
    isEnough(step, scopeOf(null, { iteration, steps: new Map([["a", completed(result)]]) }));
  assert.deepEqual([after(0, { done: false }), after(0, { done: true }), after(2, {})], [false, true, true]);
  assert.equal(isEnough(stepOf({}), scopeOf(null)), true);
  assert.deepEqual(
    failure(() => after(0, {})),
    [
      "expression_failed",
      ["repeat", "until"],
      'repeat.until: no such key: "done" (in ${{ iteration >= 2 || steps.a.result.done }})',
    ],
  );
  const other = stepOf({ repeat: { until: "input", maxIterations: 9 } });
  assert.deepEqual(
    failure(() => isEnough(other, scopeOf(0))),
    ["expression_failed", ["repeat", "until"], "repeat.until: must yield true or false, not 0"],
  );
});

test("the first run of a loop reads null of itself, and later ones the result before", () => {
  const parameters = { last: "${{ steps.a.result }}", n: "${{ iteration }}" };
  const { plan, step } = compiled({ repeat: { until: "iteration > 1", maxIterations: 3 }, parameters });
  assert.deepEqual(stepParameters(plan, step, scopeOf(null, { iteration: 0 })), { last: null, n: 0 });
  const steps = new Map([["a", completed("draft")]]);
  assert.deepEqual(stepParameters(plan, step, scopeOf(null, { iteration: 1, steps })), { last: "draft", n: 1 });
});

test("the time to wait for is read from text with an offset", () => {
  const { plan, step } = compiled({ wait: { until: "${{ input }}" } });
  assert.equal(waitUntil(step, scopeOf("1970-01-01T00:00:01Z")), 1_000_000);
  assert.equal(waitUntil(step, scopeOf("1970-01-01T02:00:01.000002+02:00")), 1_000_002);
  assert.equal(waitUntil(stepOf({ wait: { until: "1970-01-01T00:00:03Z" } }), scopeOf(null)), 3_000_000);
  assert.equal(waitUntil(stepOf({ wait: { until: "${{ input }}T00:00:03Z" } }), scopeOf("1970-01-01")), 3_000_000);
  assert.equal(evaluatedParameters(plan, step, scopeOf("1970-01-01T00:00:01Z")), "1970-01-01T00:00:01Z");
});

test("what is no time is refused with what it must be", () => {
  const step = stepOf({ wait: { until: "${{ input }}" } });
  const hint = "wait.until: must yield a time with its offset, such as 2026-01-31T09:00:00Z, not";
  const cases: [JsonValue, string][] = [
    ["2026-01-31", `${hint} "2026-01-31"`],
    [1_000, `${hint} 1000`],
    [null, `${hint} null`],
    ["9999-01-01T00:00:00Z", 'wait.until: "9999-01-01T00:00:00Z" is too far away'],
  ];
  for (const [input, message] of cases) {
    assert.deepEqual(
      failure(() => waitUntil(step, scopeOf(input))),
      ["expression_failed", ["wait", "until"], message],
    );
  }
});

test("an approval asks with a text, whatever its expression yields", () => {
  const { plan, step } = compiled({ approval: { message: "${{ input.m }}", details: { x: "${{ input.x }}" } } });
  const asked = (input: JsonObject) => evaluatedParameters(plan, step, scopeOf(input));
  assert.deepEqual(asked({ m: "Go?", x: [1] }), { message: "Go?", details: { x: [1] } });
  assert.deepEqual(asked({ m: { a: 1 }, x: null }), { message: '{"a":1}', details: { x: null } });
  assert.deepEqual(asked({ m: 5, x: null }), { message: "5", details: { x: null } });
  const plain = compiled({ approval: { message: "Publish ${{ input }}?" } });
  assert.deepEqual(evaluatedParameters(plain.plan, plain.step, scopeOf([1])), { message: "Publish [1]?" });
  const empty = "approval.message: the message comes out empty";
  assert.deepEqual(
    failure(() => asked({ m: " ", x: 1 })),
    ["expression_failed", ["approval", "message"], empty],
  );
  const missing = 'approval.details.x: no such key: "x" (in ${{ input.x }})';
  assert.deepEqual(
    failure(() => asked({ m: "m" })),
    ["expression_failed", ["approval", "details", "x"], missing],
  );
});

test("a workflow's input may be any value", () => {
  const { plan, step } = compiled({ workflow: { id: "c", input: "${{ input.list }}" } });
  assert.deepEqual(evaluatedParameters(plan, step, scopeOf({ list: [1] })), [1]);
  const [, loc] = failure(() => evaluatedParameters(plan, step, scopeOf({})));
  assert.deepEqual(loc, ["workflow", "input"]);
  const none = compiled({ workflow: { id: "c" } });
  assert.equal(evaluatedParameters(none.plan, none.step, scopeOf({})), null);
});

test("an agent or a tool begins with its parameters", () => {
  const { plan, step } = compiled({ tool: "t", parameters: { x: "${{ input }}" } });
  assert.deepEqual(evaluatedParameters(plan, step, scopeOf(1)), { x: 1 });
  assert.deepEqual(stepParameters(plan, step, scopeOf(1)), { x: 1 });
});

test("undoing reads the step's own result, and its item", () => {
  const step = stepOf({
    forEach: "input",
    compensate: { tool: "undo", parameters: { id: "${{ steps.a.results[index] }}", of: "${{ item }}" } },
  });
  const steps = new Map([["a", scored]]);
  assert.deepEqual(compensationParameters(step, scopeOf([], { steps, item: "x", index: 0 })), { id: 5, of: "x" });
  assert.deepEqual(compensationParameters(stepOf({}), scopeOf(null)), {});
  assert.deepEqual(compensationParameters(stepOf({ compensate: {} }), scopeOf(null)), {});
  const [code, loc] = failure(() => compensationParameters(step, scopeOf([], { steps, item: "x", index: 9 })));
  assert.deepEqual([code, loc], ["expression_failed", ["compensate", "parameters", "id"]]);
  const whole = stepOf({ compensate: { parameters: "${{ steps.a.result }}" } });
  assert.deepEqual(
    failure(() => compensationParameters(whole, scopeOf(null, { steps: new Map([["a", completed(1)]]) }))),
    ["expression_failed", ["compensate", "parameters"], "compensate.parameters: the expression must yield an object"],
  );
});

test("the result of a tool or a workflow is held against its schema; of a step with forEach, each item's", () => {
  const output = { schema: { type: "integer" } };
  for (const fields of [{ tool: "t" }, { workflow: { id: "c" } }, { forEach: [1] }]) {
    const step = stepOf({ ...fields, output });
    checkResult(step, 1);
    assert.equal(refusal(() => checkResult(step, [1])).code, "output_invalid");
  }
  checkResult(stepOf({ approval: { message: "m" } }), { any: "thing" });
});

const list = document([
  { taskId: "a", fallback: "spare" },
  { taskId: "spare" },
  { taskId: "ask", approval: { message: "m", timeout: "1h", onReject: "no", onTimeout: "late" } },
  { taskId: "no" },
  { taskId: "late", fallback: "later" },
  { taskId: "later" },
  { taskId: "z", forEach: [1] },
]);

test("without an output, a branch that was taken gives the result of a list", () => {
  const plan = planOf(list);
  assert.deepEqual(outputReads(plan), ["no", "late", "z", "ask", "a"]);
  const ended = (results: Record<string, JsonValue>) =>
    sessionOutput(
      plan,
      scopeOf(null, { steps: new Map(Object.entries(results).map(([id, result]) => [id, completed(result)])) }),
    );
  assert.equal(ended({ a: 1, no: 2 }), 2);
  assert.equal(ended({ a: 1, late: 3, later: 4 }), 3);
  assert.equal(ended({ a: 1, spare: 5 }), 1);
  assert.deepEqual(sessionOutput(plan, scopeOf(null, { steps: new Map([["z", scored]]) })), [5, null]);
});

test("in a graph a step that stands in for another is no result of its own", () => {
  const plan = planOf(
    document([
      { taskId: "a", fallback: "spare", dependsOn: [] },
      { taskId: "spare" },
      { taskId: "ask", dependsOn: [], approval: { message: "m", onReject: "no" } },
      { taskId: "no" },
      { taskId: "z", dependsOn: ["ask"], forEach: [1] },
    ]),
  );
  assert.deepEqual(outputReads(plan), ["a", "no", "z"]);
  const steps = new Map([
    ["a", completed(1)],
    ["z", scored],
  ]);
  assert.deepEqual(sessionOutput(plan, scopeOf(null, { steps })), { a: 1, no: null, z: [5, null] });
});

test("a plan that was copied works as the one that was compiled", () => {
  const copy = (fields: JsonObject): PlanStep => ({ ...stepOf(fields) });
  assert.equal(stepCondition(copy({ when: "input.go" }), scopeOf({ go: false })), false);
  assert.deepEqual(stepItems(copy({ forEach: "input" }), scopeOf([1])), [1]);
  assert.deepEqual(stepItems(copy({ forEach: ["${{ input }}"] }), scopeOf(1)), [1]);
  assert.deepEqual(stepItems(copy({}), scopeOf(1)), []);
  assert.equal(
    isEnough(copy({ repeat: { until: "iteration > 0", maxIterations: 2 } }), scopeOf(1, { iteration: 0 })),
    false,
  );
  assert.equal(waitUntil(copy({ wait: { until: "1970-01-01T00:00:01Z" } }), scopeOf(null)), 1_000_000);
  const undone = copy({ compensate: { parameters: { x: "${{ input }}" } } });
  assert.deepEqual(compensationParameters(undone, scopeOf(1)), { x: 1 });
});
