import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { document, planOf, refuseEach } from "./definition.suite.ts";
import { STEP_ID_LENGTH_MAX, TARGET_LENGTH_MAX } from "./limits.ts";

const DURATION = 'must be a whole number and a unit, such as "250ms", "30s", "2m", "24h" or "7d"';
const task = (fields: JsonObject): JsonObject => document([{ taskId: "a", ...fields }]);

test("a task's fields have their types and sizes", () => {
  const long = (length: number) => "x".repeat(length + 1);
  const at = (...names: (string | number)[]) => ["tasks", 0, ...names];
  const PARAMETERS = "must be an object, or one ${{ expression }} that yields an object";
  refuseEach([
    ["no object", document(["a"]), at(), "wrong_type", "must be an object with at least a `taskId`"],
    ["empty id", document([{ taskId: "" }]), at("taskId"), "empty", "must not be empty"],
    ["id a number", document([{ taskId: 1 }]), at("taskId"), "wrong_type", "must be a string"],
    [
      "long id",
      document([{ taskId: long(STEP_ID_LENGTH_MAX) }]),
      at("taskId"),
      "too_long",
      "must have at most 200 characters",
    ],
    ["name", task({ name: 4 }), at("name"), "wrong_type", "must be a string"],
    ["description", task({ description: {} }), at("description"), "wrong_type", "must be a string"],
    ["agent", task({ agentId: "" }), at("agentId"), "empty", "must not be empty"],
    [
      "capability",
      task({ agentCapability: long(TARGET_LENGTH_MAX) }),
      at("agentCapability"),
      "too_long",
      "must have at most 200 characters",
    ],
    [
      "two targets",
      task({ agentName: "n", agentCapability: "c" }),
      at("agentCapability"),
      "conflict",
      "only one of agentId, agentName, agentCapability may be given, and agentName is",
    ],
    ["parameters a list", task({ parameters: [1] }), at("parameters"), "wrong_type", PARAMETERS],
    ["parameters a text", task({ parameters: "x" }), at("parameters"), "wrong_type", PARAMETERS],
    [
      "parameters text with expressions",
      task({ parameters: "${{ input }} ${{ input }}" }),
      at("parameters"),
      "wrong_type",
      PARAMETERS,
    ],
    [
      "an expression",
      task({ parameters: { p: ["${{ 1 + }}"] } }),
      at("parameters", "p", 0),
      "expression_invalid",
      "the expression ends too early (in ${{ 1 + }}, column 5)",
    ],
    [
      "timeout a number",
      task({ timeout: 30 }),
      at("timeout"),
      "wrong_duration",
      `${DURATION}; a number alone has no unit: "30s"?`,
    ],
    ["timeout no duration", task({ timeout: "soon" }), at("timeout"), "wrong_duration", DURATION],
    ["timeout zero", task({ timeout: "0s" }), at("timeout"), "wrong_duration", "must be from 1ms to 7d"],
    ["timeout too long", task({ timeout: "8d" }), at("timeout"), "wrong_duration", "must be from 1ms to 7d"],
    ["deadline", task({ deadline: true }), at("deadline"), "wrong_duration", DURATION],
    [
      "onFailure",
      task({ onFailure: "stop" }),
      at("onFailure"),
      "wrong_value",
      'must be "fail", "continue" or "compensate"',
    ],
    [
      "priority a text",
      task({ priority: "high" }),
      at("priority"),
      "wrong_number",
      "must be a whole number from -1000 to 1000",
    ],
    [
      "priority a fraction",
      task({ priority: 1.5 }),
      at("priority"),
      "wrong_number",
      "must be a whole number from -1000 to 1000",
    ],
    [
      "priority too high",
      task({ priority: 1001 }),
      at("priority"),
      "wrong_number",
      "must be a whole number from -1000 to 1000",
    ],
    ["retry a number", task({ retry: 3 }), at("retry"), "wrong_type", "must be an object such as { maxAttempts: 4 }"],
    [
      "no attempt",
      task({ retry: { maxAttempts: 0 } }),
      at("retry", "maxAttempts"),
      "wrong_number",
      "must be a whole number from 1 to 100",
    ],
    [
      "too many attempts",
      task({ retry: { maxAttempts: 101 } }),
      at("retry", "maxAttempts"),
      "wrong_number",
      "must be a whole number from 1 to 100",
    ],
    [
      "backoff",
      task({ retry: { backoff: "linear" } }),
      at("retry", "backoff"),
      "wrong_value",
      'must be "exponential" or "fixed"',
    ],
    ["jitter", task({ retry: { jitter: "some" } }), at("retry", "jitter"), "wrong_value", 'must be "full" or "none"'],
    [
      "delay too long",
      task({ retry: { maxDelay: "25h" } }),
      at("retry", "maxDelay"),
      "wrong_duration",
      "must be from 0s to 1d",
    ],
    [
      "delays out of order",
      task({ retry: { initialDelay: "2m" } }),
      at("retry", "initialDelay"),
      "out_of_order",
      "2m is longer than maxDelay, 1m",
    ],
    ["reasons no list", task({ retry: { on: "lost" } }), at("retry", "on"), "wrong_type", "must be a list of strings"],
    [
      "no reason",
      task({ retry: { on: [] } }),
      at("retry", "on"),
      "wrong_value",
      "must name some of timeout, lost, unavailable, agent_error; for no retry say maxAttempts: 1",
    ],
    [
      "unknown reason",
      task({ retry: { on: ["lost", "bad"] } }),
      at("retry", "on"),
      "wrong_value",
      "must name some of timeout, lost, unavailable, agent_error; for no retry say maxAttempts: 1",
    ],
    [
      "reason twice",
      task({ retry: { on: ["lost", "lost"] } }),
      at("retry", "on"),
      "duplicate",
      "names something twice",
    ],
    [
      "fallback a number",
      task({ fallback: 1 }),
      at("fallback"),
      "wrong_type",
      'must be an object such as { agentCapability: "text.score" }',
    ],
    [
      "fallback empty",
      task({ fallback: {} }),
      at("fallback"),
      "missing",
      "must name one of taskId, agentId, agentName, agentCapability",
    ],
    [
      "fallback to two",
      task({ fallback: { agentId: "a", agentName: "b" } }),
      at("fallback", "agentName"),
      "conflict",
      "only one of taskId, agentId, agentName, agentCapability may be given, and agentId is",
    ],
    ["dependsOn a text", task({ dependsOn: "b" }), at("dependsOn"), "wrong_type", "must be a list of strings"],
    ["dependsOn numbers", task({ dependsOn: [1] }), at("dependsOn"), "wrong_type", "must be a list of strings"],
    ["nextTaskId a number", task({ nextTaskId: 2 }), at("nextTaskId"), "wrong_type", "must be a string"],
  ]);
});

test("what the originals called invalid task data is called so, on their route only", () => {
  const first = (fields: JsonObject) => document([fields, { taskId: "z", parameters: null }]);
  refuseEach(
    [
      [
        "no id",
        first({ name: "x" }),
        ["tasks", 0, "taskId"],
        "missing",
        "Invalid task data: is required: every task needs an id",
      ],
      [
        "null parameters",
        first({ taskId: "a", parameters: null }),
        ["tasks", 0, "parameters"],
        "wrong_type",
        "Invalid task data: must be an object, not null",
      ],
    ],
    ["original"],
  );
  refuseEach(
    [["no id", first({ name: "x" }), ["tasks", 0, "taskId"], "missing", "is required: every task needs an id"]],
    ["strict"],
  );
  assert.deepEqual(planOf(first({ taskId: "a", parameters: null })).steps[0]?.parameters, {});
});
