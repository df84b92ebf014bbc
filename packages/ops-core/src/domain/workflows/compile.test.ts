import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { document, issuesOf, planOf, refuseEach, warningsOf } from "./definition.suite.ts";
import { parseDefinition } from "./definition-text.ts";
import { DEFAULT_RETRY } from "./retry-definition.ts";

const task = (fields: JsonObject): JsonObject => document([{ taskId: "a", ...fields }]);

/** What a step of the originals' kind leaves unsaid. */
const PLAIN = {
  kind: "agent",
  reserveOf: null,
  reserves: { fallback: null, rejected: null, expired: null },
  when: null,
  forEach: null,
  repeat: null,
  limits: null,
  tool: null,
  workflow: null,
  approval: null,
  wait: null,
  compensation: null,
  onUncertain: null,
  parametersAt: ["parameters"],
};

test("a definition becomes a plan", () => {
  const source = parseDefinition(
    `
id: review-article
name: Review an article
description: Reads and scores
version: "2.1"
input: { schema: { type: object, required: [url] } }
tasks:
  - taskId: fetch
    name: Fetch the page
    description: Over HTTP
    agentCapability: web.fetch
    parameters: { url: "\${{ input.url }}" }
    input: { schema: { required: [url] } }
    output: { schema: { type: string } }
    retry: { maxAttempts: 2, backoff: fixed, initialDelay: 250ms, maxDelay: 1m, jitter: none, on: [lost, timeout] }
    timeout: 2m
    deadline: 1h
  - taskId: score
    dependsOn: [fetch]
    agentName: Scorer
    parameters: { text: "\${{ steps.fetch.result }}" }
    fallback: { agentCapability: text.score.cheap }
    onFailure: continue
    priority: 7
  - taskId: notify
    dependsOn: [score, fetch]
    agentId: agent-1
output: "\${{ steps.score.result }}"
outputSchema: { type: number }
onFailure: fail
deadline: 7d
`,
    "yaml",
  );
  const { byId, steps, ...plan } = planOf(source);
  assert.deepEqual(plan, {
    id: "review-article",
    name: "Review an article",
    version: "2.1",
    description: "Reads and scores",
    order: "graph",
    inputSchema: { type: "object", required: ["url"] },
    output: "${{ steps.score.result }}",
    outputSchema: { type: "number" },
    onFailure: "fail",
    deadline: 604_800_000_000,
    data: "expressions",
  });
  assert.deepEqual(
    [...byId],
    [
      ["fetch", 0],
      ["score", 1],
      ["notify", 2],
    ],
  );
  assert.deepEqual(steps, [
    {
      ...PLAIN,
      id: "fetch",
      index: 0,
      name: "Fetch the page",
      dependsOn: [],
      dependents: [1, 2],
      target: { kind: "capability", capability: "web.fetch" },
      fallback: null,
      parameters: { url: "${{ input.url }}" },
      inputSchema: { required: ["url"] },
      outputSchema: { type: "string" },
      reads: [],
      retry: {
        maxAttempts: 2,
        backoff: "fixed",
        initialDelay: 250_000,
        maxDelay: 60_000_000,
        jitter: "none",
        on: ["timeout", "lost"],
      },
      timeout: 120_000_000,
      silenceTimeout: null,
      deadline: 3_600_000_000,
      onFailure: null,
      priority: 0,
    },
    {
      ...PLAIN,
      id: "score",
      index: 1,
      name: "score",
      dependsOn: [0],
      dependents: [2],
      target: { kind: "agentName", agentName: "Scorer" },
      fallback: { kind: "capability", capability: "text.score.cheap" },
      parameters: { text: "${{ steps.fetch.result }}" },
      inputSchema: null,
      outputSchema: null,
      reads: ["fetch"],
      retry: DEFAULT_RETRY,
      timeout: null,
      silenceTimeout: null,
      deadline: null,
      onFailure: "continue",
      priority: 7,
    },
    {
      ...PLAIN,
      id: "notify",
      index: 2,
      name: "notify",
      dependsOn: [1, 0],
      dependents: [],
      target: { kind: "agent", agentId: "agent-1" },
      fallback: null,
      parameters: {},
      inputSchema: null,
      outputSchema: null,
      reads: [],
      retry: DEFAULT_RETRY,
      timeout: null,
      silenceTimeout: null,
      deadline: null,
      onFailure: null,
      priority: 0,
    },
  ]);
});

test("what is left out has a default", () => {
  const plan = planOf({ id: "w", tasks: [{ taskId: "a" }, { taskId: "b" }] });
  assert.equal(plan.name, "w");
  assert.equal(plan.version, "1.0");
  assert.equal(plan.description, null);
  assert.equal(plan.order, "list");
  assert.equal(plan.data, "original");
  assert.deepEqual([plan.inputSchema, plan.outputSchema], [null, null]);
  assert.equal(plan.output, undefined);
  assert.equal(plan.deadline, null);
  assert.deepEqual(
    plan.steps.map((step) => step.dependsOn),
    [[], [0]],
  );
  assert.deepEqual(plan.steps[0]?.retry, {
    maxAttempts: 4,
    backoff: "exponential",
    initialDelay: 1_000_000,
    maxDelay: 60_000_000,
    jitter: "full",
    on: ["timeout", "lost", "unavailable", "agent_error"],
  });
});

test("null is the same as absent", () => {
  const fields =
    "name agentId agentName agentCapability tool workflow approval wait parameters input output when forEach concurrency rateLimit onItemError repeat retry timeout deadline fallback compensate onFailure priority";
  const nulls = Object.fromEntries(fields.split(" ").map((name) => [name, null]));
  const header = "description version input output outputSchema onFailure deadline concurrency rateLimit";
  const rest = Object.fromEntries(header.split(" ").map((name) => [name, null]));
  assert.deepEqual(
    planOf(document([{ taskId: "a", ...nulls }], rest)).steps,
    planOf(document([{ taskId: "a" }])).steps,
  );
});

test("the originals' documents stay valid: unknown fields are ignored, and no task is no mistake", () => {
  const source = document([{ taskId: "s", agentCapability: "x", parameters: {}, nextTaskId: null, colour: "red" }], {
    extra: 1,
  });
  assert.deepEqual(
    planOf(source, "original").steps.map((step) => step.id),
    ["s"],
  );
  assert.deepEqual(warningsOf(source, "original"), []);
  assert.deepEqual(planOf(document([]), "original").steps, []);
  refuseEach([["no tasks", document([]), ["tasks"], "empty", "must have at least one task"]], ["strict"]);
});

test("an expression, an input block or neither decides how steps get their data", () => {
  assert.equal(planOf(document([{ taskId: "a", parameters: { x: "${{ 1 }}" } }])).data, "expressions");
  assert.equal(planOf(document([{ taskId: "a" }], { output: ["${{ 1 }}"] })).data, "expressions");
  assert.equal(planOf(document([{ taskId: "a" }], { input: {} })).data, "expressions");
  const limited = (key: string) => document([{ taskId: "a" }], { concurrency: { key, limit: 1 } });
  assert.equal(planOf(limited("${{ input.tenant }}")).data, "expressions");
  assert.equal(planOf(limited("tenant")).data, "original");
  const schemas = [{ taskId: "a", input: { schema: {} }, output: { schema: {} } }];
  assert.equal(planOf(document(schemas, { outputSchema: {} })).data, "original");
  assert.equal(
    planOf(document([{ taskId: "a", parameters: { x: ["$", { y: 1 }] } }], { output: "done" })).data,
    "original",
  );
  assert.equal(planOf(document([{ taskId: "a", parameters: "${{ input }}" }])).steps[0]?.parameters, "${{ input }}");
});

test("legal settings that cannot have their effect are warned about", () => {
  const shadowed = [
    { taskId: "a", parameters: { previous: 1 } },
    { taskId: "b", parameters: { previous: 1 } },
  ];
  assert.deepEqual(warningsOf(document(shadowed)), [
    {
      loc: ["tasks", 1, "parameters", "previous"],
      type: "replaced",
      msg: "is replaced by the result of the step before",
    },
  ]);
  assert.deepEqual(warningsOf(task({ timeout: "2m", deadline: "1m" })), [
    {
      loc: ["tasks", 0, "timeout"],
      type: "no_effect",
      msg: "is longer than the deadline, which ends the attempt first",
    },
  ]);
  assert.deepEqual(warningsOf(task({ timeout: "1m", deadline: "1m" })), []);
});

test("text no database holds, prototype keys, depth and size are refused before anything else", () => {
  const deep = (levels: number): JsonValue => (levels === 0 ? 1 : [deep(levels - 1)]);
  const own = JSON.parse('{"__proto__": {"polluted": true}}') as JsonObject;
  assert.deepEqual(issuesOf(task({ name: "a\0" }))[0]?.loc, ["tasks", 0, "name"]);
  assert.equal(issuesOf(task({ name: "\ud800" }))[0]?.type, "invalid_text");
  assert.deepEqual(issuesOf(task({ parameters: own }))[0]?.loc, ["tasks", 0, "parameters", "__proto__"]);
  assert.equal(issuesOf(task({ parameters: { x: deep(64) } }))[0]?.type, "too_deep");
  const texts = Array.from({ length: 8 }, () => "x".repeat(140_000));
  assert.deepEqual(issuesOf(task({ parameters: { texts } })), [
    { loc: [], type: "too_large", msg: "the definition is larger than 1048576 characters" },
  ]);
});
