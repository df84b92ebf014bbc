import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { document, planOf, refusal, refuseEach } from "./definition.suite.ts";
import { parseDefinition } from "./definition-text.ts";
import {
  DESCRIPTION_LENGTH_MAX,
  NAME_LENGTH_MAX,
  STEPS_MAX,
  VERSION_LENGTH_MAX,
  WORKFLOW_ID_LENGTH_MAX,
} from "./limits.ts";

const DURATION = 'must be a whole number and a unit, such as "250ms", "30s", "2m", "24h" or "7d"';
const task = (fields: JsonObject): JsonObject => document([{ taskId: "a", ...fields }]);

test("unknown fields are refused with the nearest known name", () => {
  refuseEach(
    [
      [
        "of a workflow",
        document([{ taskId: "a" }], { vresion: "1" }),
        ["vresion"],
        "unknown_field",
        'unknown field "vresion"; did you mean "version"?',
      ],
      [
        "of a task",
        task({ priorty: 1 }),
        ["tasks", 0, "priorty"],
        "unknown_field",
        'unknown field "priorty"; did you mean "priority"?',
      ],
      [
        "like nothing known",
        task({ zzzzzzzz: 1 }),
        ["tasks", 0, "zzzzzzzz"],
        "unknown_field",
        'unknown field "zzzzzzzz"',
      ],
    ],
    ["strict"],
  );
  refuseEach([
    [
      "of retry",
      task({ retry: { maxAtempts: 1 } }),
      ["tasks", 0, "retry", "maxAtempts"],
      "unknown_field",
      'unknown field "maxAtempts"; did you mean "maxAttempts"?',
    ],
    [
      "of input",
      document([{ taskId: "a" }], { input: { shema: {} } }),
      ["input", "shema"],
      "unknown_field",
      'unknown field "shema"; did you mean "schema"?',
    ],
    [
      "of fallback",
      task({ fallback: { agentId: "x", agent: "y" } }),
      ["tasks", 0, "fallback", "agent"],
      "unknown_field",
      'unknown field "agent"; did you mean "agentId"?',
    ],
  ]);
});

test("the header's fields have their types and sizes", () => {
  const one = [{ taskId: "a" }];
  const long = (length: number) => "x".repeat(length + 1);
  refuseEach([
    ["no id", { name: "W", tasks: one }, ["id"], "missing", "is required"],
    ["empty id", document(one, { id: "" }), ["id"], "empty", "must not be empty"],
    ["id no string", document(one, { id: 5 }), ["id"], "wrong_type", "must be a string"],
    [
      "long id",
      document(one, { id: long(WORKFLOW_ID_LENGTH_MAX) }),
      ["id"],
      "too_long",
      "must have at most 200 characters",
    ],
    ["name no string", document(one, { name: ["x"] }), ["name"], "wrong_type", "must be a string"],
    [
      "long name",
      document(one, { name: long(NAME_LENGTH_MAX) }),
      ["name"],
      "too_long",
      "must have at most 1000 characters",
    ],
    [
      "long description",
      document(one, { description: long(DESCRIPTION_LENGTH_MAX) }),
      ["description"],
      "too_long",
      "must have at most 10000 characters",
    ],
    [
      "version a number",
      document(one, { version: 2 }),
      ["version"],
      "wrong_type",
      'must be a string; write it in quotes: version: "2"',
    ],
    [
      "version a fraction",
      parseDefinition('{"id":"w","name":"W","version":1.0,"tasks":[{"taskId":"a"}]}', "json"),
      ["version"],
      "wrong_type",
      'must be a string; write it in quotes: version: "1.0"',
    ],
    [
      "long version",
      document(one, { version: long(VERSION_LENGTH_MAX) }),
      ["version"],
      "too_long",
      "must have at most 100 characters",
    ],
    ["no tasks", { id: "w", name: "W" }, ["tasks"], "missing", "is required: the list of tasks to run"],
    ["tasks no list", document({}), ["tasks"], "wrong_type", "must be a list of tasks"],
    [
      "too many tasks",
      document(Array.from({ length: STEPS_MAX + 1 }, (_, at) => ({ taskId: `t${at}` }))),
      ["tasks"],
      "too_large",
      "has 1001 tasks, at most 1000 are allowed",
    ],
    [
      "onFailure",
      document(one, { onFailure: "retry" }),
      ["onFailure"],
      "wrong_value",
      'must be "fail", "continue" or "compensate"',
    ],
    [
      "deadline a number",
      document(one, { deadline: 60 }),
      ["deadline"],
      "wrong_duration",
      `${DURATION}; a number alone has no unit: "60s"?`,
    ],
    [
      "deadline too long",
      document(one, { deadline: "366d" }),
      ["deadline"],
      "wrong_duration",
      "must be from 1ms to 365d",
    ],
    [
      "input no object",
      document(one, { input: [] }),
      ["input"],
      "wrong_type",
      "must be an object such as { schema: { type: object } }",
    ],
    [
      "schema no object",
      document(one, { input: { schema: true } }),
      ["input", "schema"],
      "wrong_type",
      "must be a JSON Schema object",
    ],
    [
      "bad schema",
      document(one, { input: { schema: { type: "text" } } }),
      ["input", "schema", "type"],
      "schema_invalid",
      "must be one of object, array, string, number, integer, boolean, null, or a list of them",
    ],
    [
      "bad output",
      document(one, { output: { x: "${{ y }}" } }),
      ["output", "x"],
      "expression_invalid",
      'unknown name "y" (in ${{ y }}, column 1)',
    ],
  ]);
  refuseEach([["no name", { id: "w", tasks: one }, ["name"], "missing", "is required"]], ["original"]);
});

test("all issues are named at once, in one line for people and in a list for programs", () => {
  const source = document([{ taskId: "a", timeout: 1, priority: "x" }, { taskId: "a" }, 7], { name: 1, deadline: 2 });
  const error = refusal(() => planOf(source));
  assert.deepEqual(
    error.issues?.map((issue) => issue.loc),
    [["name"], ["deadline"], ["tasks", 0, "timeout"], ["tasks", 0, "priority"], ["tasks", 2], ["tasks", 1, "taskId"]],
  );
  assert.equal(
    error.message,
    `name: must be a string; deadline: ${DURATION}; a number alone has no unit: "2s"?; ` +
      `tasks[0].timeout: ${DURATION}; a number alone has no unit: "1s"?; and 3 more`,
  );
});

test("a document of mistakes makes a report of bounded size, in bounded time", () => {
  const tasks = Array.from({ length: STEPS_MAX }, (_, at) => ({
    taskId: `task-${at}`,
    dependsOn: [`tusk-${at}`, `tosk-${at}`],
    nmae: 1,
  }));
  const error = refusal(() => planOf(document(tasks)));
  assert.equal(error.issues?.length, 100);
  assert.match(error.message, /; and 2997 more$/);
});
