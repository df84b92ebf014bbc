import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import type { ExpressionScope, StepView } from "../expressions/scope.ts";
import { checkInput, checkResult, outputReads, parameterReads, sessionOutput, stepParameters } from "./data.ts";
import { document, planOf, refusal } from "./definition.suite.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";

function scopeOf(input: JsonValue, results: Record<string, JsonValue | StepView> = {}): ExpressionScope {
  const steps = Object.entries(results).map(([id, result]): [string, StepView] => {
    const view = typeof result === "object" && result !== null && "status" in result;
    return [id, view ? (result as StepView) : { status: "completed", result: result as JsonValue, error: null }];
  });
  return {
    input,
    steps: new Map(steps),
    session: { id: "s", labels: { env: "test" } },
    trigger: { agentId: "agent-1" },
  };
}

function step(plan: WorkflowPlan, id: string): PlanStep {
  const found = plan.steps[plan.byId.get(id) ?? -1];
  assert.ok(found);
  return found;
}

const failed: StepView = {
  status: "failed",
  result: { left: "over" },
  error: { code: "agent_error", message: "boom" },
};
const list = planOf(
  document([{ taskId: "a", parameters: { x: 1 } }, { taskId: "b", parameters: { y: 2 } }, { taskId: "c" }]),
);

test("original data: a non-empty payload replaces the first task's parameters", () => {
  const first = step(list, "a");
  assert.deepEqual(stepParameters(list, first, scopeOf({ p: 1 })), { p: 1 });
  assert.equal(stepParameters(list, first, scopeOf({})), first.parameters);
  assert.equal(stepParameters(list, first, scopeOf(null)), first.parameters);
  assert.deepEqual(parameterReads(list, first), []);
});

test("original data: each later task gets its parameters and the result before it", () => {
  assert.deepEqual(stepParameters(list, step(list, "b"), scopeOf({ p: 1 }, { a: [5] })), { y: 2, previous: [5] });
  assert.deepEqual(stepParameters(list, step(list, "c"), scopeOf(null, { b: failed })), { previous: null });
  assert.deepEqual(stepParameters(list, step(list, "c"), scopeOf(null)), { previous: null });
  assert.deepEqual(parameterReads(list, step(list, "c")), ["b"]);
});

test("original data: a task that waits for several gets their results by id", () => {
  const graph = planOf(
    document([{ taskId: "a" }, { taskId: "b", dependsOn: [] }, { taskId: "c", dependsOn: ["b", "a"] }]),
  );
  assert.deepEqual(stepParameters(graph, step(graph, "c"), scopeOf(null, { a: 1, b: failed })), {
    previous: { a: 1, b: null },
  });
  assert.deepEqual(stepParameters(graph, step(graph, "b"), scopeOf({ p: 1 })), {});
  assert.deepEqual(parameterReads(graph, step(graph, "c")), ["b", "a"]);
});

test("original data: the first listed task takes the payload even when it runs later", () => {
  const graph = planOf(
    document([
      { taskId: "a", dependsOn: ["b"] },
      { taskId: "b", dependsOn: [] },
    ]),
  );
  assert.deepEqual(stepParameters(graph, step(graph, "a"), scopeOf({ p: 1 }, { b: 2 })), { p: 1, previous: 2 });
});

const reading = planOf(
  document([
    { taskId: "fetch", parameters: { url: "${{ input.url }}" } },
    { taskId: "score", parameters: { text: "${{ steps.fetch.result.text }}", how: "fast" } },
    { taskId: "all", parameters: '${{ {"status": steps.fetch.status, "error": steps.score.error} }}' },
  ]),
);

test("expressions: nothing is replaced or merged, every expression gets its value", () => {
  const scope = scopeOf({ url: "http://x/" }, { fetch: { text: "hello" }, score: failed });
  assert.deepEqual(stepParameters(reading, step(reading, "fetch"), scope), { url: "http://x/" });
  assert.deepEqual(stepParameters(reading, step(reading, "score"), scope), { text: "hello", how: "fast" });
  assert.deepEqual(stepParameters(reading, step(reading, "all"), scope), { status: "completed", error: failed.error });
  assert.deepEqual(parameterReads(reading, step(reading, "all")), ["fetch", "score"]);
});

test("expressions: a failure names the place inside the parameters", () => {
  const error = refusal(() => stepParameters(reading, step(reading, "score"), scopeOf({}, { fetch: failed })));
  assert.equal(error.code, "expression_failed");
  assert.equal(error.message, 'parameters.text: cannot read "text" of null (in ${{ steps.fetch.result.text }})');
  assert.deepEqual(error.issues?.[0]?.loc, ["parameters", "text"]);
});

test("expressions: parameters that come out as no object are a failure", () => {
  const plan = planOf(document([{ taskId: "a", parameters: "${{ input }}" }]));
  assert.deepEqual(stepParameters(plan, step(plan, "a"), scopeOf({ x: 1 })), { x: 1 });
  const error = refusal(() => stepParameters(plan, step(plan, "a"), scopeOf([1])));
  assert.equal(error.message, "parameters: the expression must yield an object");
});

test("the output is what the definition says", () => {
  const plan = planOf(
    document([{ taskId: "a" }, { taskId: "b" }], {
      output: { n: "${{ steps.a.result + 1 }}", by: "${{ trigger.agentId }}" },
    }),
  );
  assert.deepEqual(sessionOutput(plan, scopeOf(null, { a: 1 })), { n: 2, by: "agent-1" });
  assert.deepEqual(outputReads(plan), ["a"]);
  const error = refusal(() => sessionOutput(plan, scopeOf(null, { a: "x" })));
  assert.deepEqual(error.issues?.[0]?.loc, ["output", "n"]);
  const constant = planOf(document([{ taskId: "a" }], { output: { fixed: true } }));
  assert.deepEqual(sessionOutput(constant, scopeOf(null)), { fixed: true });
  assert.deepEqual(outputReads(constant), []);
});

test("without one, it is the last completed step's result, by order of running", () => {
  const chain = planOf(document([{ taskId: "a", nextTaskId: "c" }, { taskId: "b" }, { taskId: "c", nextTaskId: "b" }]));
  assert.deepEqual(outputReads(chain), ["b", "c", "a"]);
  assert.equal(sessionOutput(chain, scopeOf(null, { a: 1, c: 2, b: 3 })), 3);
  assert.equal(sessionOutput(chain, scopeOf(null, { a: 1, c: 2, b: failed })), 2);
  assert.equal(sessionOutput(chain, scopeOf(null, { a: failed })), null);
});

test("in a graph it is the results of the steps that nobody waits for, by id", () => {
  const graph = planOf(
    document([{ taskId: "a" }, { taskId: "b", dependsOn: ["a"] }, { taskId: "c", dependsOn: ["a"] }]),
  );
  assert.deepEqual(outputReads(graph), ["b", "c"]);
  assert.deepEqual(sessionOutput(graph, scopeOf(null, { a: 1, b: [2], c: failed })), { b: [2], c: null });
});

test("a workflow without tasks answers as the originals did", () => {
  const empty = planOf(document([]), "original");
  assert.deepEqual(sessionOutput(empty, scopeOf(null)), { message: "Workflow has no tasks" });
  assert.deepEqual(outputReads(empty), []);
});

test("a plan that was copied works as the one that was compiled", () => {
  const steps = reading.steps.map((each): PlanStep => ({ ...each }));
  const copy: WorkflowPlan = { ...reading, steps, output: "${{ steps.score.status }}" };
  const scope = scopeOf({ url: "u" }, { fetch: { text: "t" }, score: failed });
  for (let time = 0; time < 2; time += 1) {
    assert.deepEqual(stepParameters(copy, step(copy, "score"), scope), { text: "t", how: "fast" });
    assert.equal(sessionOutput(copy, scope), "failed");
  }
});

test("the input is checked against the schema, or against what it will replace", () => {
  const task = [{ taskId: "a" }];
  const schema: JsonObject = { type: "object", required: ["url"] };
  const strict = planOf(document(task, { input: { schema } }));
  assert.deepEqual(checkInput(strict, { url: 1 }), []);
  assert.deepEqual(checkInput(strict, {}), [{ loc: ["url"], msg: "is required", type: "missing" }]);
  assert.deepEqual(checkInput(planOf(document(task, { input: {} })), [1]), []);
  assert.deepEqual(checkInput(list, null), []);
  assert.deepEqual(checkInput(list, {}), []);
  const msg = "must be an object: this workflow reads no `input`, so it takes the place of the first task's parameters";
  assert.deepEqual(checkInput(list, [1]), [{ loc: [], msg, type: "wrong_type" }]);
});

test("what a step receives must fit its input schema, in either way of passing data", () => {
  const schema = { required: ["url"], properties: { url: { type: "string" }, n: { maximum: 3 } } };
  const expressions = planOf(
    document([{ taskId: "a", parameters: { url: "${{ input.url }}", n: "${{ input.n }}" }, input: { schema } }]),
  );
  const given = { url: "x", n: 3 };
  assert.deepEqual(stepParameters(expressions, step(expressions, "a"), scopeOf(given)), given);
  const error = refusal(() => stepParameters(expressions, step(expressions, "a"), scopeOf({ url: 1, n: 4 })));
  assert.equal(error.code, "input_invalid");
  assert.equal(
    error.message,
    "The parameters do not fit the step's input schema: parameters.url: must be string; parameters.n: must be at most 3",
  );
  assert.deepEqual(error.issues, [
    { loc: ["parameters", "url"], type: "wrong_type", msg: "must be string" },
    { loc: ["parameters", "n"], type: "out_of_range", msg: "must be at most 3" },
  ]);
  const original = planOf(document([{ taskId: "a", parameters: { url: "x" }, input: { schema } }]));
  assert.deepEqual(stepParameters(original, step(original, "a"), scopeOf(null)), { url: "x" });
  assert.deepEqual(refusal(() => stepParameters(original, step(original, "a"), scopeOf({ n: 1 }))).issues, [
    { loc: ["parameters", "url"], type: "missing", msg: "is required" },
  ]);
});

test("a result must fit its step's output schema; without one, anything is a result", () => {
  const plan = planOf(document([{ taskId: "a", output: { schema: { items: { type: "integer" } } } }, { taskId: "b" }]));
  checkResult(step(plan, "a"), [1, 2]);
  checkResult(step(plan, "b"), { any: "thing" });
  const error = refusal(() => checkResult(step(plan, "a"), [1, "2"]));
  assert.equal(error.code, "output_invalid");
  assert.equal(error.message, "The result does not fit the step's output schema: result[1]: must be integer");
  assert.deepEqual(error.issues, [{ loc: ["result", 1], type: "wrong_type", msg: "must be integer" }]);
});

test("a session's output must fit the workflow's output schema, wherever it comes from", () => {
  const rest = { outputSchema: { type: "integer" } };
  const written = planOf(document([{ taskId: "a" }], { ...rest, output: "${{ steps.a.result }}" }));
  const implied = planOf(document([{ taskId: "a" }], rest));
  for (const plan of [written, implied]) {
    assert.equal(sessionOutput(plan, scopeOf(null, { a: 5 })), 5);
    const error = refusal(() => sessionOutput(plan, scopeOf(null, { a: "5" })));
    assert.equal(error.code, "output_invalid");
    assert.equal(error.message, "The output does not fit the workflow's output schema: output: must be integer");
    assert.deepEqual(error.issues, [{ loc: ["output"], type: "wrong_type", msg: "must be integer" }]);
  }
});

test("a message about a value names the first wrong places and stays short, whatever the keys", () => {
  const plan = planOf(
    document([
      { taskId: "many", output: { schema: { items: { type: "integer" } } } },
      { taskId: "closed", output: { schema: { additionalProperties: false } } },
      { taskId: "costly", output: { schema: { uniqueItems: true } } },
    ]),
  );
  const many = refusal(() =>
    checkResult(
      step(plan, "many"),
      Array.from({ length: 14 }, () => "x"),
    ),
  );
  assert.match(many.message, /result\[9\]: must be integer; and 4 more$/);
  const closed = refusal(() =>
    checkResult(step(plan, "closed"), { [`${"k".repeat(930)}${"\u{1f600}".repeat(100)}`]: 1 }),
  );
  assert.equal(closed.message.length, 1_003);
  assert.ok(closed.message.isWellFormed());
  const numbers = Array.from({ length: 5_000 }, (_, at) => at);
  assert.equal(
    refusal(() => checkResult(step(plan, "costly"), numbers)).message,
    "The result does not fit the step's output schema: result: this value and its schema take too many steps to compare",
  );
});
