import assert from "node:assert/strict";
import { test } from "node:test";
import type { Issue, JsonObject, JsonValue } from "@opspawn/contract";
import * as expressions from "../expressions/limits.ts";
import { childRefusal } from "./child-depth.ts";
import { stepParameters } from "./data.ts";
import { document, issuesOf, planOf, refusal } from "./definition.suite.ts";
import { parseDefinition } from "./definition-text.ts";
import * as definitions from "./limits.ts";
import { validate } from "./schema-validation.ts";

const { STEPS_MAX, DEPENDENCIES_MAX, SCHEMA_PATTERNS_MAX, VALIDATION_NESTING_MAX } = definitions;
const { EXPRESSIONS_MAX, PATTERNS_MAX, RESULT_SIZE_MAX, STRING_LENGTH_MAX } = expressions;

const long = (max: number, letter = "x") => letter.repeat(max + 1);
const task = (fields: JsonObject): readonly Issue[] => issuesOf(document([{ taskId: "a", ...fields }]));
const header = (fields: JsonObject): readonly Issue[] => issuesOf(document([{ taskId: "a" }], fields));
const yaml = (text: string): readonly Issue[] => refusal(() => parseDefinition(text, "yaml")).issues ?? [];
const expression = (source: string): readonly Issue[] => task({ parameters: { p: `\${{ ${source} }}` } });
const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const nested = (levels: number): JsonValue => (levels === 0 ? 1 : [nested(levels - 1)]);

/** What a step's parameters come to, which must be an error. */
function evaluated(source: string, input: JsonValue = null): readonly Issue[] {
  const plan = planOf(document([{ taskId: "a", parameters: { p: `\${{ ${source} }}` } }]));
  const scope = { input, steps: new Map(), session: { id: "s", labels: {} }, trigger: { agentId: null } };
  const [step] = plan.steps;
  assert.ok(step);
  return refusal(() => stepParameters(plan, step, scope)).issues ?? [];
}

/** What a step that starts a child so deep fails with. */
function childIssues(depth: number): readonly Issue[] {
  const refusal = childRefusal(depth);
  return refusal === null ? [] : [{ loc: [], type: refusal.code, msg: refusal.message }];
}

const chain = Object.fromEntries(many(VALIDATION_NESTING_MAX, (at) => [`c${at}`, { $ref: `#/$defs/c${at + 1}` }]));
const deepReferences = { $ref: "#/$defs/c0", $defs: { ...chain, [`c${VALIDATION_NESTING_MAX}`]: {} } };
const P = ["tasks", 0, "parameters", "p"];
const at = (...names: (string | number)[]) => ["tasks", 0, ...names];

type Case = readonly [found: () => readonly Issue[], loc: Issue["loc"], type: string, msg: string | RegExp];

/** Beyond this one nothing is refused: an approval just is not asked again. See reminders.test.ts. */
type Silent = "REMINDERS_MAX";

/** For each limit something just beyond it. */
const BEYOND: Readonly<Record<Exclude<keyof typeof definitions | keyof typeof expressions, Silent>, Case>> = {
  DEFINITION_BYTES_MAX: [
    () => yaml(long(definitions.DEFINITION_BYTES_MAX)),
    [],
    "too_large",
    "the definition is larger than 262144 bytes",
  ],
  YAML_LEXEMES_MAX: [
    () => yaml(`tasks: [${many(90_000, () => "1").join(",")}]`),
    [],
    "yaml_invalid",
    /^line 1, column \d+: more than 150000 parts$/,
  ],
  YAML_ALIASES_MAX: [
    () => yaml(`id: &a w\ntasks: [${many(101, () => "*a").join(", ")}]`),
    [],
    "yaml_invalid",
    "line 2, column 409: more than 100 aliases",
  ],
  DOCUMENT_DEPTH_MAX: [
    () => task({ parameters: { p: nested(61) } }),
    [],
    "too_deep",
    "The JSON is nested more than 64 levels deep.",
  ],
  DOCUMENT_VALUES_MAX: [
    () => yaml(`x: &a [${many(2_000, () => "1").join(",")}]\ny: [${many(60, () => "*a").join(", ")}]`),
    [],
    "yaml_invalid",
    /^line 1, column \d+: more than 100000 values$/,
  ],
  DOCUMENT_SIZE_MAX: [
    () => task({ parameters: { p: many(5, () => "x".repeat(240_000)) } }),
    [],
    "too_large",
    "the definition is larger than 1048576 characters",
  ],
  STEPS_MAX: [
    () => issuesOf(document(many(STEPS_MAX + 1, (n) => ({ taskId: `t${n}` })))),
    ["tasks"],
    "too_large",
    "has 1001 tasks, at most 1000 are allowed",
  ],
  DEPENDENCIES_MAX: [
    () => {
      const width = Math.ceil(DEPENDENCIES_MAX / 100);
      const first = many(width, (n) => ({ taskId: `f${n}` }));
      const dependsOn = first.map(({ taskId }) => taskId);
      return issuesOf(document([...first, ...many(101, (n) => ({ taskId: `t${n}`, dependsOn }))]));
    },
    ["tasks"],
    "too_large",
    "more than 10000 names in all dependsOn lists together",
  ],
  WORKFLOW_ID_LENGTH_MAX: [() => header({ id: long(200) }), ["id"], "too_long", "must have at most 200 characters"],
  VERSION_LENGTH_MAX: [
    () => header({ version: long(100) }),
    ["version"],
    "too_long",
    "must have at most 100 characters",
  ],
  STEP_ID_LENGTH_MAX: [() => task({ taskId: long(200) }), at("taskId"), "too_long", "must have at most 200 characters"],
  NAME_LENGTH_MAX: [() => task({ name: long(1_000) }), at("name"), "too_long", "must have at most 1000 characters"],
  DESCRIPTION_LENGTH_MAX: [
    () => header({ description: long(10_000) }),
    ["description"],
    "too_long",
    "must have at most 10000 characters",
  ],
  TARGET_LENGTH_MAX: [
    () => task({ agentName: long(200) }),
    at("agentName"),
    "too_long",
    "must have at most 200 characters",
  ],
  ATTEMPTS_MAX: [
    () => task({ retry: { maxAttempts: 101 } }),
    at("retry", "maxAttempts"),
    "wrong_number",
    "must be a whole number from 1 to 100",
  ],
  TIMEOUT_MIN: [() => task({ timeout: "999us" }), at("timeout"), "wrong_duration", "must be from 1ms to 7d"],
  TIMEOUT_MAX: [() => task({ timeout: "169h" }), at("timeout"), "wrong_duration", "must be from 1ms to 7d"],
  SILENCE_TIMEOUT_MIN: [
    () => task({ silenceTimeout: "1999ms" }),
    at("silenceTimeout"),
    "wrong_duration",
    "must be from 2s to 7d",
  ],
  SILENCE_TIMEOUT_MAX: [
    () => task({ silenceTimeout: "169h" }),
    at("silenceTimeout"),
    "wrong_duration",
    "must be from 2s to 7d",
  ],
  DEADLINE_MIN: [() => header({ deadline: "999us" }), ["deadline"], "wrong_duration", "must be from 1ms to 365d"],
  DEADLINE_MAX: [() => task({ deadline: "366d" }), at("deadline"), "wrong_duration", "must be from 1ms to 365d"],
  DELAY_MAX: [
    () => task({ retry: { maxDelay: "25h" } }),
    at("retry", "maxDelay"),
    "wrong_duration",
    "must be from 0s to 1d",
  ],
  PRIORITY_MIN: [
    () => task({ priority: -1_001 }),
    at("priority"),
    "wrong_number",
    "must be a whole number from -1000 to 1000",
  ],
  PRIORITY_MAX: [
    () => task({ priority: 1_001 }),
    at("priority"),
    "wrong_number",
    "must be a whole number from -1000 to 1000",
  ],
  ITEMS_MAX: [
    () => task({ forEach: many(definitions.ITEMS_MAX + 1, (n) => n) }),
    at("forEach"),
    "too_large",
    "has 10001 items, at most 10000 are allowed",
  ],
  CONCURRENCY_MAX: [
    () => task({ forEach: [1], concurrency: 101 }),
    at("concurrency"),
    "wrong_number",
    "must be a whole number from 1 to 100",
  ],
  LIMIT_KEY_LENGTH_MAX: [
    () => task({ concurrency: { key: long(200), limit: 1 } }),
    at("concurrency", "key"),
    "too_long",
    "must have at most 200 characters",
  ],
  LIMIT_MAX: [
    () => header({ rateLimit: { key: "k", limit: 10_001, per: "1m" } }),
    ["rateLimit", "limit"],
    "wrong_number",
    "must be a whole number from 1 to 10000",
  ],
  RATE_PER_MIN: [
    () => task({ rateLimit: { key: "k", limit: 1, per: "999us" } }),
    at("rateLimit", "per"),
    "wrong_duration",
    "must be from 1ms to 1d",
  ],
  RATE_PER_MAX: [
    () => task({ rateLimit: { key: "k", limit: 1, per: "25h" } }),
    at("rateLimit", "per"),
    "wrong_duration",
    "must be from 1ms to 1d",
  ],
  ITERATIONS_MAX: [
    () => task({ repeat: { until: "iteration > 1", maxIterations: 1_001 } }),
    at("repeat", "maxIterations"),
    "wrong_number",
    "must be a whole number from 1 to 1000",
  ],
  CHILD_DEPTH_MAX: [
    () => childIssues(definitions.CHILD_DEPTH_MAX + 1),
    [],
    "nesting_too_deep",
    "A workflow may start others 10 levels deep, and this would be level 11.",
  ],
  SIGNAL_NAME_LENGTH_MAX: [
    () => task({ wait: { signal: long(200) } }),
    at("wait", "signal"),
    "too_long",
    "must have at most 200 characters",
  ],
  WAIT_MIN: [() => task({ wait: { for: "999us" } }), at("wait", "for"), "wrong_duration", "must be from 1ms to 365d"],
  WAIT_MAX: [
    () => task({ wait: { signal: "s", timeout: "366d" } }),
    at("wait", "timeout"),
    "wrong_duration",
    "must be from 1ms to 365d",
  ],
  APPROVAL_TIMEOUT_MIN: [
    () => task({ approval: { message: "m", timeout: "999us" } }),
    at("approval", "timeout"),
    "wrong_duration",
    "must be from 1ms to 365d",
  ],
  APPROVAL_TIMEOUT_MAX: [
    () => task({ approval: { message: "m", timeout: "366d" } }),
    at("approval", "timeout"),
    "wrong_duration",
    "must be from 1ms to 365d",
  ],
  REMIND_EVERY_MIN: [
    () => task({ approval: { message: "m", remindEvery: "59s" } }),
    at("approval", "remindEvery"),
    "wrong_duration",
    "must be from 1m to 365d",
  ],
  REMIND_EVERY_MAX: [
    () => task({ approval: { message: "m", remindEvery: "366d" } }),
    at("approval", "remindEvery"),
    "wrong_duration",
    "must be from 1m to 365d",
  ],
  QUESTION_LENGTH_MAX: [
    () => task({ onUncertain: { ask: { message: long(definitions.QUESTION_LENGTH_MAX) } } }),
    at("onUncertain", "ask", "message"),
    "too_long",
    "must have at most 1000 characters",
  ],
  APPROVERS_MAX: [
    () => task({ approval: { message: "m", approvers: many(definitions.APPROVERS_MAX + 1, (n) => `k${n}`) } }),
    at("approval", "approvers"),
    "too_long",
    "must have at most 100 names",
  ],
  APPROVER_LENGTH_MAX: [
    () => task({ approval: { message: "m", approvers: ["ann", long(definitions.APPROVER_LENGTH_MAX)] } }),
    at("approval", "approvers", 1),
    "too_long",
    "must have at most 100 characters",
  ],
  SCHEMA_SIZE_MAX: [
    () => task({ output: { schema: { title: long(65_536) } } }),
    at("output", "schema"),
    "too_large",
    "is larger than 65536 characters",
  ],
  SCHEMA_PATTERNS_MAX: [
    () => header({ input: { schema: { allOf: many(SCHEMA_PATTERNS_MAX + 1, () => ({ pattern: "a" })) } } }),
    ["input", "schema", "allOf", 50, "pattern"],
    "schema_invalid",
    "more than 50 patterns in the schemas of one definition",
  ],
  VALIDATION_STEPS_MAX: [
    () =>
      validate(
        { uniqueItems: true },
        many(2_000, (n) => n),
      ),
    [],
    "too_costly",
    "this value and its schema take too many steps to compare",
  ],
  VALIDATION_NESTING_MAX: [() => validate(deepReferences, 1), [], "too_costly", "the schema nests too deeply to apply"],
  EXPRESSION_LENGTH_MAX: [
    () => expression(`"${long(4_094)}"`),
    P,
    "expression_invalid",
    /^has more than 4096 characters \(in .*, column 1\)$/,
  ],
  EXPRESSION_NODES_MAX: [
    () => expression(many(600, () => "1").join("+")),
    P,
    "expression_invalid",
    /^has more than 1000 parts \(in .*\)$/,
  ],
  EXPRESSION_DEPTH_MAX: [
    () => expression(`${"(".repeat(65)}1${")".repeat(65)}`),
    P,
    "expression_invalid",
    /^nests deeper than 64 levels \(in .*, column 65\)$/,
  ],
  EXPRESSIONS_MAX: [
    () => task({ parameters: { p: many(EXPRESSIONS_MAX + 1, () => "${{ 1 }}") } }),
    [...P, 5_000],
    "expression_invalid",
    "more than 5000 expressions in one definition (in ${{ 1 }})",
  ],
  PATTERNS_MAX: [
    () => task({ parameters: { p: many(PATTERNS_MAX + 1, () => '${{ re("", "a") }}') } }),
    [...P, 100],
    "expression_invalid",
    'more than 100 patterns in one definition (in ${{ re("", "a") }}, column 1)',
  ],
  COST_MAX: [
    () =>
      evaluated(
        "input.map(a, input.map(b, input))",
        many(1_000, () => 1),
      ),
    ["parameters", "p"],
    "expression_failed",
    "takes more than 500000 steps; compute this in an agent instead (in ${{ input.map(a, input.map(b, input)) }})",
  ],
  STRING_LENGTH_MAX: [
    () => evaluated("input + input", "x".repeat(STRING_LENGTH_MAX / 2 + 1)),
    ["parameters", "p"],
    "expression_failed",
    "makes a string longer than 1048576 characters (in ${{ input + input }})",
  ],
  RESULT_SIZE_MAX: [
    () => evaluated("[input, input]", "x".repeat(RESULT_SIZE_MAX / 2)),
    ["parameters", "p"],
    "expression_failed",
    "the values are larger than 1048576 characters; pass large data by reference (in ${{ [input, input] }})",
  ],
  RESULT_DEPTH_MAX: [
    () => evaluated("input", nested(64)),
    ["parameters", "p"],
    "expression_failed",
    "the value nests deeper than 64 levels (in ${{ input }})",
  ],
  PATTERN_LENGTH_MAX: [
    () => expression(`re("", "${long(500)}")`),
    P,
    "expression_invalid",
    /^the pattern has more than 500 characters \(in .*\)$/,
  ],
  PATTERN_PROGRAM_MAX: [
    () => expression('re("", "(abcdefghij){300}")'),
    P,
    "expression_invalid",
    'the pattern compiles to 3602 instructions, at most 2000 are allowed (in ${{ re("", "(abcdefghij){300}") }})',
  ],
};

test("JSON has the same limit of values as YAML, counted in keys", () => {
  const p = Object.fromEntries(many(definitions.DOCUMENT_VALUES_MAX, (n) => [`k${n}`, 1]));
  assert.deepEqual(task({ parameters: { p } }), [
    { loc: [], type: "invalid_request", msg: "The JSON has more than 100000 keys." },
  ]);
});

for (const [name, [found, loc, type, msg]] of Object.entries(BEYOND)) {
  test(`beyond ${name} something is refused, with its place and the limit`, () => {
    const issues = found();
    assert.equal(issues.length, 1, JSON.stringify(issues));
    const [issue] = issues;
    assert.deepEqual([issue?.loc, issue?.type], [loc, type]);
    if (typeof msg === "string") assert.equal(issue?.msg, msg);
    else assert.match(issue?.msg ?? "", msg);
  });
}

test("at a limit nothing is refused", () => {
  assert.equal(childRefusal(definitions.CHILD_DEPTH_MAX), null);
  planOf(document([{ taskId: "a", forEach: many(definitions.ITEMS_MAX, (n) => n), concurrency: 100 }]));
  const approvers = many(definitions.APPROVERS_MAX, (n) => String(n).padStart(definitions.APPROVER_LENGTH_MAX, "x"));
  for (const remindEvery of ["1m", "365d"]) {
    planOf(document([{ taskId: "a", approval: { message: "m", approvers, remindEvery } }]));
  }
});
