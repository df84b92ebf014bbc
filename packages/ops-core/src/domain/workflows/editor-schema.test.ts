import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { isJsonObject, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import fc from "fast-check";
import { Issues } from "../issues.ts";
import { document, editorIssues, issuesOf, planOf } from "./definition.suite.ts";
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

test("the example of the documentation is a workflow, for the reader and for editors", () => {
  const page = readFileSync(new URL("../../../../../docs/workflows.md", import.meta.url), "utf8");
  const [, example] = /```yaml\n(id: .*?)```/s.exec(page) ?? [];
  const plan = planOf(parseDefinition(example ?? "", "yaml"));
  assert.equal(plan.steps.length, 2);
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
];
const WORKFLOW_FIELDS =
  "id name description version input tasks output outputSchema onFailure deadline colour when".split(" ");
const STEP_FIELDS =
  "taskId name description agentId agentName agentCapability parameters input output dependsOn nextTaskId retry timeout deadline fallback onFailure priority forEach colour".split(
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
    { numRuns: 1_000 },
  );
  assert.ok(accepted > 20, `${accepted} accepted`);
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
