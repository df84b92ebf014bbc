import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { document, issuesOf, planOf, refuseEach } from "./definition.suite.ts";
import { SCHEMA_PATTERNS_MAX, SCHEMA_SIZE_MAX } from "./limits.ts";
import { compileStored } from "./plans.ts";

const task = (fields: JsonObject): JsonObject => document([{ taskId: "a", ...fields }]);
const header = (fields: JsonObject): JsonObject => document([{ taskId: "a" }], fields);
const NO_SCHEMA = "must be an object such as { schema: { type: object } }";

test("what is wrong with a schema is named with its path in the definition", () => {
  const places: readonly (readonly [place: readonly (string | number)[], (schema: JsonValue) => JsonObject])[] = [
    [["input", "schema"], (schema) => header({ input: { schema } })],
    [["outputSchema"], (schema) => header({ outputSchema: schema })],
    [["tasks", 0, "input", "schema"], (schema) => task({ input: { schema } })],
    [["tasks", 0, "output", "schema"], (schema) => task({ output: { schema } })],
  ];
  for (const [place, holding] of places) {
    refuseEach([
      [
        "a keyword that would be ignored",
        holding({ properties: { n: { exclusiveMin: 1 } } }),
        [...place, "properties", "n", "exclusiveMin"],
        "unsupported_keyword",
        'the keyword "exclusiveMin" is not supported in schemas; did you mean "exclusiveMinimum"?',
      ],
      [
        "another document",
        holding({ $ref: "https://example.com/s.json" }),
        [...place, "$ref"],
        "schema_invalid",
        'must point into this schema, as in "#/$defs/address"; other documents are never fetched',
      ],
      [
        "a pattern that is not of RE2",
        holding({ pattern: "(a)\\1" }),
        [...place, "pattern"],
        "schema_invalid",
        "not a pattern of RE2: error parsing regexp: invalid escape sequence: `\\1`",
      ],
      [
        "too large",
        holding({ description: "x".repeat(SCHEMA_SIZE_MAX) }),
        place,
        "too_large",
        "is larger than 65536 characters",
      ],
    ]);
    assert.deepEqual(issuesOf(holding("x")), [{ loc: place, type: "wrong_type", msg: "must be a JSON Schema object" }]);
  }
});

test("`input` and `output` of a step hold a schema and nothing else", () => {
  for (const name of ["input", "output"]) {
    const at = ["tasks", 0, name];
    const strange = 'unknown field "shema"; did you mean "schema"?';
    refuseEach(
      [
        [
          "a schema right there",
          task({ [name]: { type: "object" } }),
          [...at, "type"],
          "unknown_field",
          'unknown field "type"',
        ],
        ["a text", task({ [name]: "${{ 1 }}" }), at, "wrong_type", NO_SCHEMA],
        ["misspelt", task({ [name]: { shema: {} } }), [...at, "shema"], "unknown_field", strange],
      ],
      ["strict"],
    );
    const step = planOf(task({ [name]: {} })).steps[0];
    assert.deepEqual([step?.inputSchema, step?.outputSchema], [null, null]);
  }
  refuseEach([["input of the workflow", header({ input: 1 }), ["input"], "wrong_type", NO_SCHEMA]]);
});

test("the originals' documents may hold anything in these places, as long as it is no schema", () => {
  for (const value of ["text", 5, [1], {}, { schema: "none" }, { type: "object" }]) {
    const [step] = planOf(task({ input: value, output: value }), "original").steps;
    assert.deepEqual([step?.inputSchema, step?.outputSchema], [null, null], JSON.stringify(value));
  }
  const [step] = planOf(task({ output: { schema: { type: "null" } } }), "original").steps;
  assert.deepEqual(step?.outputSchema, { type: "null" });
});

test("the output keeps every form it had: an object with any keys is the output, not a holder of a schema", () => {
  const output = { value: "${{ input }}", schema: { type: "${{ 1 }}" } };
  const plan = planOf(header({ output, outputSchema: { type: "object" } }));
  assert.deepEqual([plan.output, plan.outputSchema], [output, { type: "object" }]);
});

test("the patterns of all schemas of a definition count together", () => {
  const patterns = (count: number) => ({ allOf: Array.from({ length: count }, () => ({ pattern: "a" })) });
  const tasks = (...counts: number[]) =>
    document(counts.map((count, at) => ({ taskId: `t${at}`, output: { schema: patterns(count) } })));
  planOf(tasks(SCHEMA_PATTERNS_MAX - 1, 1));
  assert.deepEqual(issuesOf(tasks(SCHEMA_PATTERNS_MAX, 1)), [
    {
      loc: ["tasks", 1, "output", "schema", "allOf", 0, "pattern"],
      type: "schema_invalid",
      msg: "more than 50 patterns in the schemas of one definition",
    },
  ]);
});

test("a definition that was stored before there were such schemas still compiles, and is held to none", () => {
  const stored = task({ output: { schema: { colour: "red" } }, parameters: { x: 1 } });
  const plan = compileStored(JSON.stringify({ ...stored, outputSchema: "none", extra: 1 }));
  assert.deepEqual([plan.outputSchema, plan.steps[0]?.outputSchema], [null, null]);
  assert.deepEqual(plan.steps[0]?.parameters, { x: 1 });
  const kept = compileStored(JSON.stringify(task({ output: { schema: { type: "null" } } })));
  assert.deepEqual(kept.steps[0]?.outputSchema, { type: "null" });
});
