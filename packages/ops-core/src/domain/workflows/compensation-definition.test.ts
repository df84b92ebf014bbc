import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { document, planOf, refuseEach, warningsOf } from "./definition.suite.ts";
import { DEFAULT_RETRY } from "./retry-definition.ts";

const workflow = (fields: JsonObject, rest: JsonObject = { onFailure: "compensate" }) =>
  document([{ taskId: "a", ...fields }], rest);
const at = (...names: string[]) => ["tasks", 0, "compensate", ...names];

test("a step says who undoes it, with what, and how often that is tried", () => {
  const compensate = {
    tool: "slack.delete",
    parameters: { id: "${{ steps.a.result.id }}" },
    retry: { maxAttempts: 9 },
    timeout: "5s",
    deadline: "1h",
    whenUnknown: "run",
  };
  assert.deepEqual(planOf(workflow({ tool: "slack.post", compensate })).steps[0]?.compensation, {
    kind: "tool",
    target: null,
    tool: "slack.delete",
    parameters: compensate.parameters,
    retry: { ...DEFAULT_RETRY, maxAttempts: 9 },
    timeout: 5_000_000,
    deadline: 3_600_000_000,
    whenUnknown: "run",
  });
  assert.deepEqual(planOf(workflow({ compensate: { agentCapability: "undo" } })).steps[0]?.compensation, {
    kind: "agent",
    target: { kind: "capability", capability: "undo" },
    tool: null,
    parameters: {},
    retry: DEFAULT_RETRY,
    timeout: null,
    deadline: null,
    whenUnknown: "report",
  });
  const plan = planOf(document([{ taskId: "a", onFailure: "compensate", compensate: {} }]));
  assert.deepEqual([plan.onFailure, plan.steps[0]?.onFailure], ["fail", "compensate"]);
  assert.equal(plan.steps[0]?.compensation?.target, null);
});

test("its fields have their types and sizes", () => {
  const undo = (fields: JsonObject) => workflow({ compensate: { tool: "undo", ...fields } });
  refuseEach([
    [
      "a text",
      workflow({ compensate: "undo" }),
      at(),
      "wrong_type",
      "must be an object such as { tool: slack.delete }",
    ],
    [
      "two who undo",
      undo({ agentId: "x" }),
      at("agentId"),
      "conflict",
      "only one of tool, agentId, agentName, agentCapability may be given, and tool is",
    ],
    [
      "a computed tool",
      undo({ tool: "${{ input }}" }),
      at("tool"),
      "expression_invalid",
      "is a name as it stands; it cannot hold an expression",
    ],
    [
      "parameters",
      undo({ parameters: [] }),
      at("parameters"),
      "wrong_type",
      "must be an object, or one ${{ expression }} that yields an object",
    ],
    [
      "an expression",
      undo({ parameters: { x: "${{ }}" } }),
      at("parameters", "x"),
      "expression_invalid",
      "nothing stands between ${{ and }}",
    ],
    [
      "retry",
      undo({ retry: { maxAttempts: 0 } }),
      at("retry", "maxAttempts"),
      "wrong_number",
      "must be a whole number from 1 to 100",
    ],
    ["timeout", undo({ timeout: "8d" }), at("timeout"), "wrong_duration", "must be from 1ms to 7d"],
    ["deadline", undo({ deadline: "0s" }), at("deadline"), "wrong_duration", "must be from 1ms to 365d"],
    ["whenUnknown", undo({ whenUnknown: "skip" }), at("whenUnknown"), "wrong_value", 'must be "run" or "report"'],
    ["unknown", undo({ fallback: "b" }), at("fallback"), "unknown_field", 'unknown field "fallback"'],
  ]);
});

test("an undoing that is never asked for, or asks for nothing, is warned about", () => {
  const never = {
    loc: at(),
    type: "no_effect",
    msg: "nothing is ever undone: say `onFailure: compensate` on the workflow or a task",
  };
  assert.deepEqual(warningsOf(workflow({ compensate: { tool: "t" } }, {})), [never]);
  assert.deepEqual(warningsOf(workflow({ compensate: { tool: "t" } })), []);
  assert.deepEqual(warningsOf(workflow({ compensate: { tool: "t" }, onFailure: "compensate" }, {})), []);
  const nothing = { type: "no_effect", msg: "nothing can be undone: no task has `compensate`" };
  assert.deepEqual(warningsOf(workflow({})), [{ loc: ["onFailure"], ...nothing }]);
  assert.deepEqual(warningsOf(workflow({ onFailure: "compensate" }, {})), [
    { loc: ["tasks", 0, "onFailure"], ...nothing },
  ]);
  assert.deepEqual(warningsOf(workflow({ compensate: { timeout: "2m", deadline: "1m" } })), [
    { loc: at("timeout"), type: "no_effect", msg: "is longer than the deadline, which ends the attempt first" },
  ]);
});
