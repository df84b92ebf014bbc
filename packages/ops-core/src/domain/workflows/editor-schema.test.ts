import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isJsonObject, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import fc from "fast-check";
import { Issues } from "../issues.ts";
import { document, editorIssues, issuesOf, planOf, warningsOf } from "./definition.suite.ts";
import { parseDefinition } from "./definition-text.ts";
import { editorSchema } from "./editor-schema.ts";
import { checkSchema, FORMS } from "./schema.ts";

const PUBLISHED = new URL(import.meta.resolve("@opspawn/contract/workflow.schema.json"));

test("the published schema is the one made from the reader's own fields and limits", () => {
  const published = JSON.parse(readFileSync(PUBLISHED, "utf8")) as JsonObject;
  const how = "write it anew: node --conditions=opspawn-source scripts/workflow-schema.ts";
  assert.deepEqual(published, editorSchema(), how);
});

test("the published schema is one that we would accept in a workflow, so we can judge by it too", () => {
  const issues = new Issues();
  checkSchema(editorSchema(), [], issues);
  assert.deepEqual(issues.list, []);
});

test("every field an editor may offer is explained", () => {
  const fields = [...offered(editorSchema())];
  assert.ok(fields.length > 80, `${fields.length} fields`);
  for (const [name, { description }] of fields) {
    assert.ok(typeof description === "string" && /^[A-Z`].{8,}[.!?}]$/s.test(description), `${name}: ${description}`);
  }
});

/** The fields of every object that may have no others. */
function* offered(schema: JsonValue): Generator<readonly [name: string, field: JsonObject]> {
  if (typeof schema !== "object" || schema === null) return;
  if (isJsonObject(schema) && schema.additionalProperties === false && isJsonObject(schema.properties)) {
    for (const [name, field] of Object.entries(schema.properties)) yield [name, field as JsonObject];
  }
  for (const inner of Object.values(schema)) yield* offered(inner as JsonValue);
}

test("an editor is told where a mistake is", () => {
  const task = { taskId: "a", retry: { maxAttempts: 0 }, agentName: "n", agentId: "i" };
  const source = document([task], { colour: 1, input: { schema: { items: { if: {} } } } });
  const marked = editorIssues(source).map(({ loc }) => loc.join("."));
  assert.deepEqual(marked.sort(), ["colour", "input.schema", "tasks.0", "tasks.0.retry.maxAttempts"]);
});

test("a definition in JSON may say where its editor finds the schema", () => {
  const source = document([{ taskId: "a" }], { $schema: "http://127.0.0.1:8000/v1/opscore/workflow-schema" });
  assert.equal(planOf(source).data, "original");
  assert.deepEqual(issuesOf({ ...source, $schema: 7 }), [
    { loc: ["$schema"], type: "wrong_type", msg: "must be a string" },
  ]);
});

const PAGE = readFileSync(new URL("../../../../../docs/workflows.md", import.meta.url), "utf8");
const EXAMPLES = [...PAGE.matchAll(/```yaml\n((?:id|tasks|onFailure):.*?)```/gs)].map(([, text]) => text ?? "");

test("the examples of the documentation are workflows, for the reader and for editors, without a warning", () => {
  assert.ok(EXAMPLES.length >= 10, `${EXAMPLES.length} examples`);
  for (const example of EXAMPLES) {
    const text = example.startsWith("id:") ? example : `id: example\n${example}`;
    const source = parseDefinition(text, "yaml");
    planOf(source);
    assert.deepEqual(warningsOf(source), [], text);
  }
});

test("the documentation shows every field of the language in an example", () => {
  const shown = EXAMPLES.join("\n");
  const names = [...offered(editorSchema())].map(([name]) => name).filter((name) => !FORMS.has(name));
  const missing = names.filter((name) => !new RegExp(`(^|[\\s{,])${name}:`).test(shown));
  assert.deepEqual(missing, []);
});

/** Values that some field accepts, and values that none does. */
const VALUES: readonly JsonValue[] = [
  null,
  true,
  0,
  1,
  -1_000,
  1.5,
  1e9,
  "",
  "x",
  "a",
  "2m",
  "0s",
  "12",
  "fail",
  "continue",
  "full",
  "exponential",
  "${{ input }}",
  "${{",
  "x".repeat(300),
  [],
  ["a"],
  ["a", "a"],
  [1],
  ["timeout"],
  {},
  { schema: {} },
  { schema: { type: "object", required: ["x"] } },
  { schema: { typ: "object" } },
  { schema: null },
  { agentId: "x" },
  { agentId: "x", agentName: "y" },
  { maxAttempts: 3, on: ["lost"] },
  { maxAttempts: 0 },
  "input.x",
  "true",
  "item",
  "[1]",
  "size(input)",
  "b",
  "collect",
  "compensate",
  [1, "${{ input.x }}"],
  { taskId: "b" },
  { taskId: "b", agentId: "x" },
  { taskId: null, agentId: "x" },
  { id: "child", version: "1", input: ["${{ input }}"] },
  { id: "child", version: 1 },
  { message: "Go?", details: 1 },
  { message: "Go?", timeout: "1h", onTimeout: "reject", onReject: "b" },
  { message: "Go?", onTimeout: { taskId: "b" } },
  { message: "" },
  { message: "Go?", remindEvery: "1h", approvers: ["ann", "bob"] },
  { message: "Go?", approvers: null, remindEvery: null },
  { message: "Go?", remindEvery: 1 },
  { message: "Go?", approvers: [] },
  { message: "Go?", approvers: ["ann", "ann"] },
  { message: "Go?", approvers: ["${{ input.boss }}"] },
  { message: "Go?", approvers: ["x".repeat(101)] },
  { for: "1s" },
  { for: "1s", timeout: "1s" },
  { for: null, until: "2026-01-31T09:00:00Z" },
  { until: "${{ input.at }}", signal: "s" },
  { until: "tomorrow" },
  { signal: "s" },
  { signal: "s", timeout: "1h", onTimeout: "b" },
  { signal: "s", onTimeout: "b" },
  { until: "iteration > 1", maxIterations: 3 },
  { until: true, maxIterations: 3, delay: "1s", onExhausted: "complete" },
  { until: "", maxIterations: 3 },
  { maxIterations: 3 },
  { tool: "t", parameters: "${{ steps.a.result }}", whenUnknown: "run" },
  { tool: "t", agentId: "x" },
  { parameters: [1] },
  { key: "k", limit: 1 },
  { key: "${{ input.tenant }}", limit: 10_000, per: "1m" },
  { key: "k", limit: 2, items: 3 },
  { key: "k", limit: 10_001 },
  { key: " ", limit: 1 },
  { key: "x".repeat(201), limit: 1, per: "1s" },
  { key: 1, limit: 1 },
  { limit: 1 },
];
const WORKFLOW_FIELDS =
  "id name description version input tasks output outputSchema onFailure deadline colour when concurrency rateLimit".split(
    " ",
  );
const STEP_FIELDS =
  "taskId name description agentId agentName agentCapability parameters input output dependsOn nextTaskId retry timeout silenceTimeout deadline fallback onFailure priority colour tool workflow approval wait when forEach concurrency rateLimit onItemError repeat compensate onTimeout".split(
    " ",
  );

const value = fc.constantFrom(...VALUES);
const some = (names: readonly string[]) => fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 });
const definition = fc.tuple(some(WORKFLOW_FIELDS), some(STEP_FIELDS), some(STEP_FIELDS)).map(([rest, first, second]) =>
  document(
    [
      { taskId: "a", ...first },
      { taskId: "b", ...second },
    ],
    rest,
  ),
);

test("what the reader accepts the schema accepts, and what one look shows to be wrong it refuses", () => {
  let accepted = 0;
  fc.assert(
    fc.property(definition, (source) => {
      // Both ask the schema as well; see there.
      if (isAccepted(source)) accepted += 1;
      else issuesOf(source);
    }),
    { numRuns: 2_000 },
  );
  // About one in forty is; hardly any would say that the fields above fit the language no more.
  assert.ok(accepted > 10, `${accepted} accepted`);
});

/** For each field of the language values of its own, so that more of them fit. */
const OWN: Readonly<Record<string, readonly JsonValue[]>> = {
  tool: ["t", "", null, 1, "${{ x }}"],
  workflow: [{ id: "c" }, { id: "c", input: 1 }, {}, { id: "" }, { id: "c", x: 1 }, null],
  approval: VALUES.filter((each) => isJsonObject(each) && ("message" in each || "timeout" in each)),
  wait: VALUES.filter((each) => isJsonObject(each) && ["for", "until", "signal"].some((name) => name in each)),
  when: ["input.x", "true", "", false, 1, "size(input)", "${{ input.x }}", null],
  forEach: [[1, "${{ input.x }}"], "input.x", "", {}, "size(input)", [], null],
  concurrency: [1, 100, 101, 0, null, "5", ...VALUES.filter((each) => isJsonObject(each) && "limit" in each)],
  rateLimit: [null, "x", ...VALUES.filter((each) => isJsonObject(each) && "limit" in each)],
  onItemError: ["collect", "fail", "x", null],
  repeat: VALUES.filter((each) => isJsonObject(each) && ("until" in each || "maxIterations" in each)),
  fallback: ["b", "", { taskId: "b" }, { agentId: "x" }, { taskId: "b", agentId: "x" }, {}, null],
  compensate: [
    {},
    { tool: "t" },
    { tool: "t", agentId: "x" },
    { parameters: [1] },
    { retry: { maxAttempts: 0 } },
    null,
  ],
  parameters: [{}, "${{ input }}", "x", null],
  retry: [{}, null],
  timeout: ["1s", null],
  silenceTimeout: ["5s", "1s", null],
  output: [{ schema: {} }, null],
};

const language = fc.record(
  Object.fromEntries(Object.entries(OWN).map(([name, values]) => [name, fc.constantFrom(...values)])),
);

test("the same of the fields that say what a step does, when it runs and how it is undone", () => {
  let accepted = 0;
  const sparse = fc.tuple(language, fc.subarray(Object.keys(OWN), { minLength: 1, maxLength: 3 }));
  fc.assert(
    fc.property(sparse, ([fields, names]) => {
      const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
      const source = document([{ taskId: "a", ...kept }, { taskId: "b" }]);
      if (isAccepted(source)) accepted += 1;
      else issuesOf(source);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(accepted > 200, `${accepted} accepted`);
});

function isAccepted(source: JsonObject): boolean {
  try {
    planOf(source);
    return true;
  } catch (error) {
    if (!(error instanceof OpspawnError)) throw error;
    return false;
  }
}

/** A value for each form of keyword, right and wrong for it. */
const KEYWORD_VALUES: readonly JsonValue[] = [
  0,
  -1,
  1.5,
  true,
  "x",
  "#",
  "#/$defs/a",
  "object",
  "(",
  null,
  [],
  ["a"],
  [1],
  ["object", "null"],
  [{}],
  {},
  { a: {} },
  { a: 1 },
  [true],
];

test("keywords of schemas are accepted and refused alike, with any value", () => {
  for (const keyword of [...FORMS.keys(), "if", "patternProperties"]) {
    for (const each of KEYWORD_VALUES) {
      const source = document([{ taskId: "a", output: { schema: { [keyword]: each, $defs: { a: {} } } } }]);
      if (!isAccepted(source)) issuesOf(source);
    }
  }
});
