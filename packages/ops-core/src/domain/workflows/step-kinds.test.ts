import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { document, planOf, refuseEach } from "./definition.suite.ts";
import type { PlanStep } from "./plan.ts";
import { REFUSED_FIELDS } from "./step-kinds.ts";

const task = (fields: JsonObject): JsonObject => document([{ taskId: "a", ...fields }, { taskId: "b" }]);
const at = (...names: (string | number)[]) => ["tasks", 0, ...names];

function stepOf(fields: JsonObject): PlanStep {
  const [step] = planOf(task(fields)).steps;
  assert.ok(step);
  return step;
}

test("a step is a task for an agent unless it says otherwise", () => {
  const { kind, tool, workflow, approval, wait, parametersAt } = stepOf({ agentName: "n" });
  assert.deepEqual(
    { kind, tool, workflow, approval, wait, parametersAt },
    { kind: "agent", tool: null, workflow: null, approval: null, wait: null, parametersAt: ["parameters"] },
  );
});

test("a tool step has parameters, a workflow step its input, an approval its message and details", () => {
  const tool = stepOf({ tool: "slack.post", parameters: { text: "${{ input }}" }, retry: { maxAttempts: 2 } });
  assert.deepEqual([tool.kind, tool.tool, tool.target, tool.retry.maxAttempts], ["tool", "slack.post", null, 2]);
  assert.deepEqual([tool.parameters, tool.parametersAt], [{ text: "${{ input }}" }, ["parameters"]]);
  const child = stepOf({ workflow: { id: "archive", version: "2", input: "${{ input }}" }, deadline: "1h" });
  assert.deepEqual([child.kind, child.workflow], ["workflow", { id: "archive", version: "2" }]);
  assert.deepEqual([child.parameters, child.parametersAt], ["${{ input }}", ["workflow", "input"]]);
  assert.equal(child.deadline, 3_600_000_000);
  const latest = stepOf({ workflow: { id: "archive" } });
  assert.deepEqual([latest.workflow, latest.parameters], [{ id: "archive", version: null }, null]);
  const approval = stepOf({
    approval: { message: "Publish ${{ input }}?", details: ["${{ input }}"], timeout: "24h" },
  });
  assert.deepEqual(
    [approval.kind, approval.approval],
    ["approval", { timeout: 86_400_000_000, onTimeout: "fail", remindEvery: null, approvers: null }],
  );
  assert.deepEqual(approval.parameters, { message: "Publish ${{ input }}?", details: ["${{ input }}"] });
  assert.deepEqual(approval.parametersAt, ["approval"]);
  assert.deepEqual(stepOf({ approval: { message: "Go?", details: null } }).parameters, { message: "Go?" });
  const strict = { timeout: "1h", onTimeout: "reject", remindEvery: "10m", approvers: ["ann", "Bob Smith"] };
  assert.deepEqual(stepOf({ approval: { message: "Go?", ...strict } }).approval, {
    timeout: 3_600_000_000,
    onTimeout: "reject",
    remindEvery: 600_000_000,
    approvers: ["ann", "Bob Smith"],
  });
});

test("a wait is for some time, until a time, or for a signal", () => {
  const waits = (wait: JsonValue) => {
    const step = stepOf({ wait });
    return [step.kind, step.wait, step.parameters, step.parametersAt];
  };
  assert.deepEqual(waits({ for: "10m" }), ["wait", { kind: "for", duration: 600_000_000 }, null, []]);
  assert.deepEqual(waits({ until: "${{ input.at }}" }), [
    "wait",
    { kind: "until" },
    "${{ input.at }}",
    ["wait", "until"],
  ]);
  const time = "2026-01-31T09:00:00.5+02:00";
  assert.deepEqual(waits({ until: time })[2], time);
  assert.deepEqual(waits({ signal: "paid" })[1], { kind: "signal", signal: "paid", timeout: null });
  assert.deepEqual(waits({ signal: "paid", timeout: "1h" })[1], {
    kind: "signal",
    signal: "paid",
    timeout: 3_600_000_000,
  });
});

test("any of the language beyond the originals' makes the data that of expressions", () => {
  const cases: JsonObject[] = [
    { tool: "t" },
    { workflow: { id: "c" } },
    { approval: { message: "m" } },
    { wait: { for: "1s" } },
    { when: "true" },
    { forEach: [1] },
    { repeat: { until: "true", maxIterations: 1 } },
    { fallback: "b" },
    { compensate: { tool: "undo" } },
  ];
  for (const each of cases) assert.equal(planOf(task(each)).data, "expressions", JSON.stringify(each));
  assert.equal(planOf(task({ fallback: { agentName: "n" }, onFailure: "compensate" })).data, "original");
});

const KINDS: Readonly<Record<string, JsonValue>> = {
  tool: "t",
  workflow: { id: "child" },
  approval: { message: "Publish?" },
  wait: { for: "1s" },
};
const SETTINGS: Readonly<Record<string, JsonValue>> = {
  agentId: "x",
  agentName: "x",
  agentCapability: "x",
  parameters: {},
  retry: {},
  timeout: "1s",
  silenceTimeout: "5s",
  deadline: "1s",
  priority: 1,
  input: { schema: {} },
  output: { schema: {} },
  fallback: "b",
  forEach: [1],
  concurrency: 2,
  rateLimit: { key: "k", limit: 1, per: "1m" },
  onItemError: "fail",
  repeat: { until: "true", maxIterations: 1 },
  compensate: {},
  onUncertain: "fail",
};

test("what a kind of step cannot have is refused with the names of both", () => {
  const refused = Object.entries(REFUSED_FIELDS).filter(([kind]) => kind !== "agent");
  const article = (kind: string) => (kind === "approval" ? "an" : "a");
  refuseEach(
    refused.flatMap(([kind, fields]) =>
      fields.map((name) => {
        const source = task({ [kind]: KINDS[kind] ?? null, [name]: SETTINGS[name] ?? null });
        return [
          `${kind} ${name}`,
          source,
          at(name),
          "conflict",
          `${article(kind)} ${kind} step has no \`${name}\``,
        ] as const;
      }),
    ),
  );
});

test("what remains for each kind is accepted", () => {
  const plain: JsonObject = { name: "n", description: "d", when: "input.go", onFailure: "continue" };
  for (const [kind, value] of Object.entries(KINDS)) {
    const refused = REFUSED_FIELDS[kind as PlanStep["kind"]];
    for (const [name, setting] of Object.entries(SETTINGS)) {
      if (refused.includes(name) || ["concurrency", "onItemError"].includes(name)) continue;
      assert.equal(stepOf({ ...plain, [kind]: value, [name]: setting }).kind, kind, `${kind} ${name}`);
    }
  }
});

test("the fields of each kind have their types and sizes", () => {
  const DURATION = 'must be a whole number and a unit, such as "250ms", "30s", "2m", "24h" or "7d"';
  const TIME = "must be a time with its offset, such as 2026-01-31T09:00:00Z";
  const NAME = "is a name as it stands; it cannot hold an expression";
  const approval = (fields: JsonObject) => task({ approval: { message: "Go?", ...fields } });
  refuseEach([
    [
      "two kinds",
      task({ tool: "t", wait: { for: "1s" } }),
      at("wait"),
      "conflict",
      "only one of tool, workflow, approval, wait may be given, and tool is",
    ],
    ["tool", task({ tool: {} }), at("tool"), "wrong_type", "must be a string"],
    ["no tool", task({ tool: "" }), at("tool"), "empty", "must not be empty"],
    ["computed tool", task({ tool: "${{ input.tool }}" }), at("tool"), "expression_invalid", NAME],
    [
      "workflow a name",
      task({ workflow: "archive" }),
      at("workflow"),
      "wrong_type",
      'must be an object such as { id: archive, input: { url: "${{ input.url }}" } }',
    ],
    ["no id", task({ workflow: {} }), at("workflow", "id"), "missing", "is required: the workflow to start"],
    ["computed id", task({ workflow: { id: "${{ input }}" } }), at("workflow", "id"), "expression_invalid", NAME],
    [
      "version a number",
      task({ workflow: { id: "c", version: 2 } }),
      at("workflow", "version"),
      "wrong_type",
      "must be a string",
    ],
    [
      "child's field",
      task({ workflow: { id: "c", inputs: 1 } }),
      at("workflow", "inputs"),
      "unknown_field",
      'unknown field "inputs"; did you mean "input"?',
    ],
    [
      "child's expression",
      task({ workflow: { id: "c", input: { x: ["${{ 1 + }}"] } } }),
      at("workflow", "input", "x", 0),
      "expression_invalid",
      "the expression ends too early (in ${{ 1 + }}, column 5)",
    ],
    [
      "approval a text",
      task({ approval: "Publish?" }),
      at("approval"),
      "wrong_type",
      'must be an object such as { message: "Publish?" }',
    ],
    ["no message", task({ approval: {} }), at("approval", "message"), "missing", "is required: what is to be approved"],
    ["empty message", approval({ message: "" }), at("approval", "message"), "empty", "must not be empty"],
    ["message no text", approval({ message: 1 }), at("approval", "message"), "wrong_type", "must be a string"],
    [
      "message's expression",
      approval({ message: "${{ }}" }),
      at("approval", "message"),
      "expression_invalid",
      "nothing stands between ${{ and }}",
    ],
    [
      "approval's field",
      approval({ mesage: "x" }),
      at("approval", "mesage"),
      "unknown_field",
      'unknown field "mesage"; did you mean "message"?',
    ],
    [
      "approval's time",
      approval({ timeout: 5 }),
      at("approval", "timeout"),
      "wrong_duration",
      `${DURATION}; a number alone has no unit: "5s"?`,
    ],
    [
      "branch without time",
      approval({ onTimeout: "b" }),
      at("approval", "onTimeout"),
      "conflict",
      "needs a `timeout`; without one it never happens",
    ],
    [
      "branch a list",
      approval({ onReject: ["b"] }),
      at("approval", "onReject"),
      "wrong_type",
      "must be an object such as { taskId: notify }",
    ],
    [
      "branch of nothing",
      approval({ onReject: {} }),
      at("approval", "onReject", "taskId"),
      "missing",
      "is required: the id of a task",
    ],
    [
      "reminders without a unit",
      approval({ remindEvery: "often" }),
      at("approval", "remindEvery"),
      "wrong_duration",
      DURATION,
    ],
    [
      "one approver",
      approval({ approvers: "ann" }),
      at("approval", "approvers"),
      "wrong_type",
      "must be a list of strings",
    ],
    [
      "an approver that is no text",
      approval({ approvers: ["ann", 1] }),
      at("approval", "approvers"),
      "wrong_type",
      "must be a list of strings",
    ],
    [
      "no approvers",
      approval({ approvers: [] }),
      at("approval", "approvers"),
      "empty",
      "must name at least one key; leave it out for any",
    ],
    [
      "an approver twice",
      approval({ approvers: ["ann", "bob", "ann"] }),
      at("approval", "approvers"),
      "duplicate",
      "names something twice",
    ],
    [
      "a nameless approver",
      approval({ approvers: ["ann", ""] }),
      at("approval", "approvers", 1),
      "empty",
      "must not be empty",
    ],
    [
      "an approver from the input",
      approval({ approvers: ["${{ input.boss }}"] }),
      at("approval", "approvers", 0),
      "expression_invalid",
      NAME,
    ],
    ["wait a text", task({ wait: "10m" }), at("wait"), "wrong_type", "must be an object such as { for: 10m }"],
    ["wait for nothing", task({ wait: {} }), at("wait"), "missing", "must have one of for, until, signal"],
    [
      "wait for two",
      task({ wait: { for: "1s", signal: "s" } }),
      at("wait", "signal"),
      "conflict",
      "only one of for, until, signal may be given, and for is",
    ],
    ["wait no time", task({ wait: { for: "0s" } }), at("wait", "for"), "wrong_duration", "must be from 1ms to 365d"],
    ["wait for long", task({ wait: { for: "366d" } }), at("wait", "for"), "wrong_duration", "must be from 1ms to 365d"],
    ["until a date", task({ wait: { until: "2026-01-31" } }), at("wait", "until"), "wrong_time", TIME],
    ["until a number", task({ wait: { until: 5 } }), at("wait", "until"), "wrong_type", "must be a string"],
    [
      "timer with a timeout",
      task({ wait: { for: "1s", timeout: "1s" } }),
      at("wait", "timeout"),
      "conflict",
      "belongs to a signal; waiting `for` always ends",
    ],
    [
      "timer with a branch",
      task({ wait: { until: "2026-01-31T09:00:00Z", onTimeout: "b" } }),
      at("wait", "onTimeout"),
      "conflict",
      "belongs to a signal; waiting `until` always ends",
    ],
    [
      "signal's branch without time",
      task({ wait: { signal: "s", onTimeout: "b" } }),
      at("wait", "onTimeout"),
      "conflict",
      "needs a `timeout`; without one it never happens",
    ],
    ["computed signal", task({ wait: { signal: "${{ input }}" } }), at("wait", "signal"), "expression_invalid", NAME],
    [
      "fallback of a tool",
      task({ tool: "t", fallback: { agentName: "n" } }),
      at("fallback"),
      "conflict",
      "a tool step can only fall back to a step: { taskId: other }",
    ],
    [
      "fallback of a workflow",
      task({ workflow: { id: "c" }, fallback: { taskId: "b", agentName: "n" } }),
      at("fallback"),
      "conflict",
      "a workflow step can only fall back to a step: { taskId: other }",
    ],
    [
      "fallback to both",
      task({ fallback: { taskId: "b", agentName: "n" } }),
      at("fallback", "agentName"),
      "conflict",
      "only one of taskId, agentId, agentName, agentCapability may be given, and taskId is",
    ],
  ]);
});

test("a field of the language in the wrong place is refused, in the originals' documents too", () => {
  const step = { taskId: "a" };
  refuseEach([
    ["on the workflow", document([step], { when: "true" }), ["when"], "unknown_field", '"when" belongs in a task'],
    [
      "fan-out",
      document([step], { onItemError: "fail" }),
      ["onItemError"],
      "unknown_field",
      '"onItemError" belongs in a task',
    ],
    [
      "a branch",
      document([step], { onReject: "b" }),
      ["onReject"],
      "unknown_field",
      '"onReject" belongs inside `approval` or `wait`',
    ],
    [
      "beside it",
      task({ onTimeout: "b" }),
      at("onTimeout"),
      "unknown_field",
      '"onTimeout" belongs inside `approval` or `wait`',
    ],
  ]);
});
