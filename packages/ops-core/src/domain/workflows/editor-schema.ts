import type { JsonObject } from "@opspawn/contract";
import { schemaOfSchemas } from "./editor-schema-keywords.ts";
import { failureFields, fallbackRules, limitFields, runFields, runRules, targets } from "./editor-schema-settings.ts";
import { choice, closed, duration, id, needed, oneAtMost, parameters, text, whole } from "./editor-schema-values.ts";
import { kindRules, workFields } from "./editor-schema-work.ts";
import {
  DESCRIPTION_LENGTH_MAX,
  NAME_LENGTH_MAX,
  PRIORITY_MAX,
  PRIORITY_MIN,
  STEP_ID_LENGTH_MAX,
  STEPS_MAX,
  VERSION_LENGTH_MAX,
  WORKFLOW_ID_LENGTH_MAX,
} from "./limits.ts";
import { TARGET_FIELDS } from "./target-definition.ts";

/**
 * The JSON Schema of a definition, for editors: it completes fields, explains them, and marks what the reader would
 * refuse. What the reader accepts it accepts; what takes more than a look at one place (order, references, expressions,
 * the range of a duration) only the reader knows. Draft 7, because that is what editors understand.
 *
 * An empty place in YAML is null, and null is absent: hence a `null` in every type.
 */
export function editorSchema(): JsonObject {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Opspawn workflow",
    description: "A workflow definition: its steps, what they receive, when they run, and what becomes of failures.",
    type: "object",
    required: ["id", "tasks"],
    properties: workflowFields(),
    additionalProperties: false,
    definitions: { schema: schemaOfSchemas() },
  };
}

function workflowFields(): JsonObject {
  return {
    $schema: text("Where an editor finds this schema, in a definition written as JSON.", NAME_LENGTH_MAX),
    id: needed("The workflow's id. Sessions are started by it.", WORKFLOW_ID_LENGTH_MAX),
    name: text("What people call it. Default: the id.", NAME_LENGTH_MAX),
    description: text("What it is for.", DESCRIPTION_LENGTH_MAX),
    version: id(
      'Text, so write it in quotes. A version never changes once it is saved. Default: "1.0".',
      VERSION_LENGTH_MAX,
    ),
    input: holder("What a session may be started with. With it, `input` is what expressions read."),
    tasks: {
      description:
        "The steps. `dependsOn` anywhere makes them a graph; else `nextTaskId` a chain; else they run in order.",
      type: "array",
      minItems: 1,
      maxItems: STEPS_MAX,
      items: stepSchema(),
    },
    output: {
      description:
        "The session's result: any value, with expressions, such as \"${{ steps.score.result }}\". Default: the last step's result; in a graph the results of the steps nothing depends on, by id.",
    },
    outputSchema: schema("What the session's result must fit, or the session fails with `output_invalid`."),
    onFailure: onFailure(
      "What a failed step means: `fail` ends the session, `continue` lets its dependents see null, `compensate` ends it and undoes what was completed.",
    ),
    deadline: duration("Bounds the whole session. Up to 365d."),
    ...limitFields(),
  };
}

function stepSchema(): JsonObject {
  return {
    description: "A step: a task for an agent or a tool, another workflow, a decision, or something to wait for.",
    type: "object",
    required: ["taskId"],
    properties: stepFields(),
    additionalProperties: false,
    allOf: [...oneAtMost(TARGET_FIELDS), ...kindRules(), ...runRules(), ...fallbackRules()],
  };
}

function stepFields(): JsonObject {
  return {
    taskId: needed("The step's id, by which others refer to it.", STEP_ID_LENGTH_MAX),
    name: text("What people and the agent are told. Default: the id.", NAME_LENGTH_MAX),
    description: text("What the step is for.", DESCRIPTION_LENGTH_MAX),
    ...targets(),
    ...workFields(),
    parameters: parameters(
      'What the agent or the tool receives: an object with `${{ }}` in its strings, or one expression that yields an object. Example: { url: "${{ input.url }}" }',
    ),
    input: holder("What the evaluated parameters must fit, or the step fails with `input_invalid`, for good."),
    output: holder("What the agent's result must fit, or the attempt fails with `output_invalid` and is tried again."),
    dependsOn: {
      description: "Ids of the steps that must have ended first. Empty: the step begins at once.",
      type: ["array", "null"],
      items: { type: "string" },
      uniqueItems: true,
    },
    nextTaskId: id(
      "The step after this one. Makes the definition a chain; not together with `dependsOn`.",
      STEP_ID_LENGTH_MAX,
    ),
    ...runFields(),
    ...failureFields(),
    timeout: duration("Bounds one attempt, from 1ms to 7d. Default: the agent's own, else 2m."),
    deadline: duration("Bounds all attempts together, from 1ms to 365d. Default: 24h."),
    onFailure: onFailure("As on the workflow, for this step alone."),
    priority: whole("Higher is sooner, by a minute per point. Default: 0.", PRIORITY_MIN, PRIORITY_MAX),
  };
}

function onFailure(description: string): JsonObject {
  return choice(description, ["fail", "continue", "compensate"]);
}

function schema(description: string): JsonObject {
  return { description, anyOf: [{ type: "null" }, { type: "object", allOf: [{ $ref: "#/definitions/schema" }] }] };
}

function holder(description: string): JsonObject {
  return closed(description, { schema: schema("JSON Schema 2020-12, without the keywords that are not listed here.") });
}
