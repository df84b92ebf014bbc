import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { DAY, HOUR, SECOND } from "../clock.ts";
import { document, planOf, refuseEach, warningsOf } from "./definition.suite.ts";
import { DEFAULT_RETRY } from "./retry-definition.ts";

const workflow = (onUncertain: JsonValue, rest: JsonObject = {}) => document([{ taskId: "a", onUncertain, ...rest }]);
const policyOf = (onUncertain: JsonValue, rest: JsonObject = {}) =>
  planOf(workflow(onUncertain, rest)).steps[0]?.onUncertain;
const at = (...names: (string | number)[]) => ["tasks", 0, "onUncertain", ...names];
const QUESTION = { message: null, timeout: DAY, remindEvery: null, approvers: null };

test("a step says what decides when nobody knows whether its effect happened", () => {
  assert.equal(planOf(document([{ taskId: "a" }])).steps[0]?.onUncertain, null);
  assert.deepEqual(policyOf("retryWithKey"), { kind: "retryWithKey" });
  assert.deepEqual(policyOf("fail"), { kind: "fail" });
  assert.deepEqual(policyOf("ask"), { kind: "ask", question: QUESTION });
  assert.deepEqual(policyOf({ ask: {} }), { kind: "ask", question: QUESTION });
  const ask = { message: "Was it paid?", timeout: "1h", remindEvery: "10m", approvers: ["ann"] };
  const question = { ...ask, timeout: HOUR, remindEvery: 600 * SECOND };
  assert.deepEqual(policyOf({ ask }), { kind: "ask", question });
  assert.deepEqual(policyOf("compensate", { compensate: { tool: "undo" } }), { kind: "compensate" });
  const check = { tool: "bank.find", parameters: {}, retry: DEFAULT_RETRY, timeout: null, otherwise: null };
  assert.deepEqual(policyOf({ verify: { tool: "bank.find", otherwise: "fail" } }), { kind: "verify", check });
  const verify = { tool: "bank.find", parameters: { x: "${{ input.x }}" }, timeout: "5s", otherwise: { ask } };
  assert.deepEqual(policyOf({ verify }), {
    kind: "verify",
    check: { ...check, parameters: verify.parameters, timeout: 5 * SECOND, otherwise: question },
  });
  const asked = policyOf({ verify: { tool: "bank.find", otherwise: "ask" } });
  assert.deepEqual(asked, { kind: "verify", check: { ...check, otherwise: QUESTION } });
});

test("who says what is done about effects counts on expressions, and on an undoing that nothing else asks for", () => {
  assert.equal(planOf(workflow("fail")).data, "expressions");
  assert.equal(planOf(workflow("retryWithKey")).data, "expressions");
  assert.deepEqual(warningsOf(workflow("compensate", { compensate: { tool: "undo" } })), []);
});

test("what is no policy is refused at its place", () => {
  const hint =
    'must be "retryWithKey", "fail", "ask", "compensate", { ask: { timeout: 24h } } or { verify: { tool: NAME } }';
  refuseEach([
    ["a wrong word", workflow("retry"), at(), "wrong_value", hint],
    ["a list", workflow(["ask"]), at(), "wrong_value", hint],
    ["nothing in it", workflow({}), at(), "missing", "must have one of ask, verify"],
    ["both", workflow({ ask: {}, verify: { tool: "x" } }), at(), "conflict", "must have one of ask, verify"],
    [
      "a question that is a text",
      workflow({ ask: "Paid?" }),
      at("ask"),
      "wrong_type",
      "must be an object such as { timeout: 24h }",
    ],
    ["an unknown field", workflow({ ask: { wait: "1h" } }), at("ask", "wait"), "unknown_field", 'unknown field "wait"'],
    [
      "an expression as the question",
      workflow({ ask: { message: "Was ${{ input.x }} paid?" } }),
      at("ask", "message"),
      "expression_invalid",
      "is asked as it stands; it cannot hold an expression",
    ],
    [
      "too short a time",
      workflow({ ask: { timeout: "1us" } }),
      at("ask", "timeout"),
      "wrong_duration",
      "must be from 1ms to 365d",
    ],
    [
      "nobody",
      workflow({ ask: { approvers: [] } }),
      at("ask", "approvers"),
      "empty",
      "must name at least one key; leave it out for any",
    ],
    ["no tool", workflow({ verify: {} }), at("verify", "tool"), "missing", "is required: the tool that finds out"],
    [
      "something else otherwise",
      workflow({ verify: { tool: "x", otherwise: "retryWithKey" } }),
      at("verify", "otherwise"),
      "wrong_value",
      'must be "fail" or "ask"',
    ],
    [
      "nobody asked otherwise",
      workflow({ verify: { tool: "x", otherwise: {} } }),
      at("verify", "otherwise"),
      "missing",
      'must be "fail", "ask" or { ask: ... }',
    ],
    [
      "a step that does not come before",
      document([
        { taskId: "a", onUncertain: { verify: { tool: "x", parameters: { y: "${{ steps.b.result }}" } } } },
        { taskId: "b" },
      ]),
      at("verify", "parameters", "y"),
      "not_an_ancestor",
      'reads "b", which runs later',
    ],
    [
      "nothing to undo with",
      workflow("compensate"),
      at(),
      "missing",
      "undoes the step by its `compensate`, which it does not have",
    ],
    [
      "a tool",
      document([{ taskId: "a", tool: "t", onUncertain: "fail" }]),
      at(),
      "conflict",
      "a tool step has no `onUncertain`",
    ],
    [
      "beside the tasks",
      document([{ taskId: "a" }], { onUncertain: "fail" }),
      ["onUncertain"],
      "unknown_field",
      '"onUncertain" belongs in a task',
    ],
  ]);
});
