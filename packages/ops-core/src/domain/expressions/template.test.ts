import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonValue, OpspawnError } from "@opspawn/contract";
import fc from "fast-check";
import { refusal, scope } from "./expression.suite.ts";
import { EXPRESSIONS_MAX, PATTERNS_MAX, RESULT_DEPTH_MAX } from "./limits.ts";
import { compileTemplate, resolveTemplate } from "./template.ts";

function resolved(value: JsonValue): JsonValue {
  return resolveTemplate(compileTemplate(value), scope);
}

test("a string that is one expression keeps its type; inside text it is rendered as text", () => {
  assert.equal(resolved("${{ input.n }}"), 5);
  assert.deepEqual(resolved({ a: ["${{ input.words }}", 1], b: "x" }), { a: [["a", "b", "c"], 1], b: "x" });
  assert.equal(resolved(" ${{ input.n }}"), " 5");
  assert.equal(resolved("${{ input.n }}${{ input.yes }}"), "5true");
  assert.equal(resolved("n=${{ input.n }}, ${{ input.url }}!"), "n=5, http://x/é😀!");
  assert.equal(
    resolved("<${{ input.nothing }}> <${{ input.map }}> <${{ input.words }}>"),
    '<null> <{"k":1,"odd key":2}> <["a","b","c"]>',
  );
  assert.equal(
    resolved("<${{ input.huge }}> <${{ 4.0 / 2 }}> <${{ input.half }}>"),
    "<12345678901234567890123> <2> <0.5>",
  );
});

test("an expression may hold braces and quotes of its own", () => {
  assert.deepEqual(resolved('${{ {"a": {"b": 1}} }}'), { a: { b: 1 } });
  assert.deepEqual(resolved('${{ {"a": {"b": 1}}}}'), { a: { b: 1 } });
  assert.equal(resolved("${{ '}}' + \"}}\" }}"), "}}}}");
  assert.equal(resolved('${{ "\\"}}" }} and ${{ """a"}}"b""" }}'), '"}} and a"}}"b');
  assert.equal(resolved("$${{ input.n }}"), "$5");
});

test("the opening characters themselves are written as an expression that yields them", () => {
  assert.equal(resolved('${{ "${{" }} not evaluated }}'), "${{ not evaluated }}");
});

test("what an expression yields is never evaluated again", () => {
  const hostile = "${{ session.id }}";
  const injected = { ...scope, input: { text: hostile } };
  const template = compileTemplate({ whole: "${{ input.text }}", inside: "<${{ input.text }}>" });
  assert.deepEqual(resolveTemplate(template, injected), { whole: hostile, inside: `<${hostile}>` });
});

test("a value without expressions is handed back as it is, uncopied", () => {
  const value = { a: [1, { b: "$ { { }}" }] };
  const template = compileTemplate(value);
  assert.equal(template.constant, true);
  assert.equal(resolveTemplate(template, scope), value);
});

test("parts without expressions are shared, not copied", () => {
  const constant = { deep: ["x"] };
  const result = resolved({ constant, n: "${{ input.n }}" }) as { constant: unknown };
  assert.equal(result.constant, constant);
});

test("the names a template reads are known before it runs, each with its place", () => {
  const template = compileTemplate({
    a: "${{ input.url }} ${{ steps.fetch.result.text }}",
    b: ['${{ steps["publish-ok"].status }}', "${{ session.id + string(trigger.agentId == null) }}"],
  });
  assert.equal(template.constant, false);
  assert.deepEqual(template.references, [
    { root: "input", loc: ["a"] },
    { root: "steps", stepId: "fetch", field: "result", loc: ["a"] },
    { root: "steps", stepId: "publish-ok", field: "status", loc: ["b", 0] },
    { root: "session", loc: ["b", 1] },
    { root: "trigger", loc: ["b", 1] },
  ]);
});

test("the scope is asked for what is named, once, and for nothing else", () => {
  const asked: string[] = [];
  const lazy = {
    get input(): JsonValue {
      asked.push("input");
      return [1, 2, 3];
    },
    steps: {
      get(stepId: string) {
        asked.push(stepId);
        return scope.steps.get(stepId);
      },
    },
    session: scope.session,
    trigger: scope.trigger,
  };
  const template = compileTemplate([
    "${{ input.map(n, steps.fetch.result.text) }}",
    "${{ steps.fetch.status }}",
    "${{ input }}",
  ]);
  assert.deepEqual(resolveTemplate(template, lazy), [["hello", "hello", "hello"], "completed", [1, 2, 3]]);
  assert.deepEqual(asked, ["input", "fetch"]);
});

test("every bad expression is reported, at its path", () => {
  let issues: unknown;
  try {
    compileTemplate({ a: "${{ }}", b: ["${{ x", "${{ y }}"], "k ${{ input }}": 1, c: "${{ 1 // one }}" });
  } catch (error) {
    issues = error instanceof OpspawnError ? error.issues : error;
  }
  assert.deepEqual(issues, [
    { loc: ["a"], type: "expression_invalid", msg: "nothing stands between ${{ and }}" },
    {
      loc: ["b", 0],
      type: "expression_invalid",
      msg: '"${{" is never closed by "}}"; for the characters themselves write ${{ "${{" }}',
    },
    { loc: ["b", 1], type: "expression_invalid", msg: 'unknown name "y" (in ${{ y }}, column 1)' },
    {
      loc: ["k ${{ input }}"],
      type: "expression_invalid",
      msg: "a key cannot hold an expression; only values are evaluated",
    },
    { loc: ["c"], type: "expression_invalid", msg: "comments are not allowed inside ${{ }}" },
  ]);
});

test("a failure names its path below the path of the template", () => {
  const template = compileTemplate({ a: [{ b: "x ${{ input.nope }}" }] });
  let caught: unknown;
  try {
    resolveTemplate(template, scope, ["parameters"]);
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof OpspawnError);
  assert.equal(caught.code, "expression_failed");
  assert.equal(caught.message, 'parameters.a[0].b: no such key: "nope" (in ${{ input.nope }})');
  assert.deepEqual(caught.issues, [
    { loc: ["parameters", "a", 0, "b"], msg: 'no such key: "nope" (in ${{ input.nope }})', type: "expression_failed" },
  ]);
});

test("one definition holds so many expressions and patterns, and no more", () => {
  const many = (source: string, count: number) => Array.from({ length: count }, () => source);
  assert.equal((resolved(many("${{ 1 }}", 20)) as unknown[]).length, 20);
  assert.match(
    refusal(() => compileTemplate(many("${{ 1 }}", EXPRESSIONS_MAX + 1)), "workflow_invalid"),
    /^\[5000\]: more than 5000 expressions in one definition/,
  );
  assert.match(
    refusal(() => compileTemplate(many('${{ re("", "a") }}', PATTERNS_MAX + 1)), "workflow_invalid"),
    /^\[100\]: more than 100 patterns in one definition/,
  );
});

test("values nested too deeply are refused, as written and as made", () => {
  let deep: JsonValue = "x";
  for (let level = 0; level < 10_000; level += 1) deep = [deep];
  assert.match(
    refusal(() => compileTemplate(deep), "workflow_invalid"),
    /nests deeper than 64 levels$/,
  );

  let place: JsonValue = "${{ input.list }}";
  for (let level = 0; level < RESULT_DEPTH_MAX - 1; level += 1) place = [place];
  const template = compileTemplate(place);
  assert.match(
    refusal(() => resolveTemplate(template, scope), "expression_failed"),
    /the value nests deeper than 64 levels/,
  );
});

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);

test("any JSON without expressions is unchanged, and any JSON that is read whole comes back the same", () => {
  fc.assert(
    fc.property(json, (value) => {
      fc.pre(!JSON.stringify(value).includes("${{"));
      assert.equal(resolveTemplate(compileTemplate(value), scope), value);
      const read = compileTemplate({ all: "${{ input }}", again: "${{ [input] }}", text: "${{ input }}!" });
      const result = resolveTemplate(read, { ...scope, input: value }) as {
        all: JsonValue;
        again: JsonValue[];
        text: string;
      };
      assert.equal(JSON.stringify(result.all), JSON.stringify(value));
      assert.equal(JSON.stringify(result.again), JSON.stringify([value]));
      if (typeof value === "object") assert.equal(result.text, `${JSON.stringify(value)}!`);
    }),
    { numRuns: 300 },
  );
});

test("a whole number beyond the exact ones of a double keeps its digits through an expression", () => {
  const input = JSON.parse("[24559879595151390, -9223372036854775000]") as JsonValue;
  const read = compileTemplate({ again: "${{ [input[0], input[1]] }}" });
  assert.equal(
    JSON.stringify(resolveTemplate(read, { ...scope, input })),
    '{"again":[24559879595151390,-9223372036854775000]}',
  );
});

const text = fc.string({ unit: fc.constantFrom("$", "{", "}", '"', "'", "\\", "/", "a", "😀", "\n", " ") });

test("any text can be written around expressions", () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(!before.includes("${{") && !after.includes("${{"));
      assert.equal(
        resolved(`${before}\${{ input.n }}${after}`),
        before === "" && after === "" ? 5 : `${before}5${after}`,
      );
    }),
    { numRuns: 300 },
  );
});
