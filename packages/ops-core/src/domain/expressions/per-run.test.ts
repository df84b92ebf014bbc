import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonValue } from "@opspawn/contract";
import { Issues } from "../issues.ts";
import { evaluated, failed, refused, scope, table } from "./expression.suite.ts";
import type { ExpressionScope, StepView } from "./scope.ts";
import { compileSource, compileTemplate, readExpression, resolveTemplate } from "./template.ts";

const perItem: ExpressionScope = { ...scope, item: { name: "x", tags: [1] }, index: 2, iteration: 7 };
const scored: StepView = {
  status: "completed",
  result: null,
  error: null,
  results: [5, null],
  errors: [null, { code: "agent_error", message: "boom" }],
};

function within(source: string, given: ExpressionScope = perItem): string {
  return JSON.stringify(resolveTemplate(compileTemplate(`\${{ ${source} }}`), given));
}

test("the item, its index and the iteration are read by their names, as whole numbers", () => {
  table(
    [
      ["item.name", '"x"'],
      ["item.tags[0] + index", "3"],
      ["iteration > 3", "true"],
      ["[index, iteration]", "[2,7]"],
      ["item.tags.map(tag, tag + index)", "[3]"],
    ],
    within,
  );
  assert.equal(within("item", { ...scope, item: null }), "null");
});

test("where there is no item, index or iteration they are null", () => {
  table(
    [
      ["item", "null"],
      ["index", "null"],
      ["iteration", "null"],
    ],
    evaluated,
  );
  assert.equal(failed("index + 1"), '"+" is not defined for null and int');
});

test("a macro's variable may be called iteration, as it could be before that was a name", () => {
  assert.equal(within("input.words.map(iteration, iteration)"), '["a","b","c"]');
  assert.equal(refused("input.words.map(index, index)"), '"index" has a meaning already; choose another name');
});

test("a step with forEach has results and errors, and its result is the results", () => {
  const given: ExpressionScope = { ...scope, steps: new Map([["score", scored]]) };
  table(
    [
      ["steps.score.results", "[5,null]"],
      ["steps.score.result", "[5,null]"],
      ["steps.score.errors[1].message", '"boom"'],
      ["steps.score.results.filter(each, each != null)", "[5]"],
      ["steps.other.results", "null"],
    ],
    (source) => within(source, given),
  );
  const failing = { ...given, steps: new Map([["score", { ...scored, status: "failed" }]]) };
  assert.equal(within("steps.score.result", failing), "null");
  assert.equal(within("size(steps.score.errors)", failing), "2");
});

test("lists of results are asked for only when they are named, and once in a resolution", () => {
  const asked: string[] = [];
  const step: StepView = {
    status: "completed",
    result: null,
    error: null,
    get results(): JsonValue[] {
      asked.push("results");
      return [1];
    },
    get errors(): JsonValue[] {
      asked.push("errors");
      return [null];
    },
  };
  const given: ExpressionScope = {
    ...scope,
    steps: new Map([["score", step]]),
    get item(): JsonValue {
      asked.push("item");
      return 1;
    },
  };
  assert.equal(within("steps.score.status", given), '"completed"');
  assert.deepEqual(asked, []);
  const source = { a: "${{ steps.score.results }} ${{ steps.score.results[0] }}", b: ["${{ item }}", "${{ item }}"] };
  assert.deepEqual(resolveTemplate(compileTemplate(source), given), { a: "[1] 1", b: [1, 1] });
  assert.deepEqual(asked, ["results", "item"]);
});

function read(text: string, wanted?: { type: "bool" | "list"; what: string }): string {
  const issues = new Issues();
  const found = readExpression(text, ["when"], issues, wanted === undefined ? {} : { wanted });
  return found?.source ?? issues.summary;
}

test("a whole expression is written bare or inside one ${{ }}, and keeps its source", () => {
  const mixed = "when: must be one expression: write all of it inside one ${{ }}, or none of it";
  table(
    [
      ["input.n > 1", "input.n > 1"],
      ["  input.n > 1\n", "input.n > 1"],
      ["${{ input.n > 1 }}", "input.n > 1"],
      ['input.url == "${{"', 'input.url == "${{"'],
      ["${{ input.a }} && ${{ input.b }}", mixed],
      ["${{ input.a }} ", "input.a"],
      ["${{ input.a }} text", mixed],
      ["input.a == ${{ input.b }}", mixed],
      ["  ", "when: no expression stands here"],
      ["${{ }}", "when: nothing stands between ${{ and }}"],
      ["input.n >", "when: the expression ends too early (in ${{ input.n > }}, column 10)"],
      ["${{ nope }}", 'when: unknown name "nope" (in ${{ nope }}, column 1)'],
    ],
    read,
  );
  assert.equal(resolveTemplate(compileSource("input.n > 1"), scope), true);
  assert.throws(() => compileSource("input.n >"), /ends too early/);
});

test("an expression that is sure to yield something else than is wanted is refused before it runs", () => {
  const condition = { type: "bool", what: "true or false" } as const;
  const list = { type: "list", what: "a list" } as const;
  table(
    [
      ["size(input.list)", "when: must yield true or false, not int (in ${{ size(input.list) }})"],
      ["'a' + input.url", "when: must yield true or false, not string (in ${{ 'a' + input.url }})"],
      ["[input.yes]", "when: must yield true or false, not list (in ${{ [input.yes] }})"],
      ["input.yes", "input.yes"],
      ["input.a && true", "input.a && true"],
      ['re(input.url, "^h")', 're(input.url, "^h")'],
      ["input.list.exists(v, v == 1)", "input.list.exists(v, v == 1)"],
    ],
    (source) => read(source, condition),
  );
  table(
    [
      ["input.n > 1", "when: must yield a list, not bool (in ${{ input.n > 1 }})"],
      ["{'a': 1}", "when: must yield a list, not map (in ${{ {'a': 1} }})"],
      ["input.list", "input.list"],
      ["[1, 2]", "[1, 2]"],
      ["input.list.map(v, v)", "input.list.map(v, v)"],
      ['input.url.split("/")', 'input.url.split("/")'],
    ],
    (source) => read(source, list),
  );
});
