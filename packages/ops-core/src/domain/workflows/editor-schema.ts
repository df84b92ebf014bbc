import type { JsonObject, JsonValue } from "@opspawn/contract";
import { schemaOfSchemas } from "./editor-schema-keywords.ts";
import {
  ATTEMPTS_MAX,
  DESCRIPTION_LENGTH_MAX,
  NAME_LENGTH_MAX,
  PRIORITY_MAX,
  PRIORITY_MIN,
  STEP_ID_LENGTH_MAX,
  STEPS_MAX,
  TARGET_LENGTH_MAX,
  VERSION_LENGTH_MAX,
  WORKFLOW_ID_LENGTH_MAX,
} from "./limits.ts";

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
    description:
      "A workflow definition: the steps that agents work on, what they receive, and what becomes of failures.",
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
    onFailure: onFailure("What a failed step means: `fail` ends the session, `continue` lets its dependents see null."),
    deadline: duration("Bounds the whole session. Up to 365d."),
  };
}

function stepSchema(): JsonObject {
  return {
    description: "A step: one task for one agent.",
    type: "object",
    required: ["taskId"],
    properties: stepFields(),
    additionalProperties: false,
    allOf: twoTargets(),
  };
}

function stepFields(): JsonObject {
  return {
    taskId: needed("The step's id, by which others refer to it.", STEP_ID_LENGTH_MAX),
    name: text("What people and the agent are told. Default: the id.", NAME_LENGTH_MAX),
    description: text("What the step is for.", DESCRIPTION_LENGTH_MAX),
    ...targets(),
    parameters: {
      description:
        'What the agent receives: an object with `${{ }}` in its strings, or one expression that yields an object. Example: { url: "${{ input.url }}" }',
      anyOf: [{ type: ["object", "null"] }, { type: "string", pattern: "^\\$\\{\\{[\\s\\S]*\\}\\}$" }],
    },
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
    retry: retrySchema(),
    timeout: duration("Bounds one attempt, from 1ms to 7d. Default: the agent's own, else 2m."),
    deadline: duration("Bounds all attempts together, from 1ms to 365d. Default: 24h."),
    fallback: fallbackSchema(),
    onFailure: onFailure("As on the workflow, for this step alone."),
    priority: whole("Higher is sooner, by a minute per point. Default: 0.", PRIORITY_MIN, PRIORITY_MAX),
  };
}

function targets(): JsonObject {
  return {
    agentId: id(
      "The agent that does it. One of `agentId`, `agentName` and `agentCapability` at most.",
      TARGET_LENGTH_MAX,
    ),
    agentName: id("The agent that does it, by name.", TARGET_LENGTH_MAX),
    agentCapability: id(
      "What an agent must be able to do; any such agent may do it. Without a target: the agent named at the start.",
      TARGET_LENGTH_MAX,
    ),
  };
}

const TARGETS = ["agentId", "agentName", "agentCapability"] as const;

/** An object in which these fields are there and not null. */
function given(...names: readonly string[]): JsonObject {
  const properties = Object.fromEntries(names.map((name) => [name, { not: { type: "null" } }]));
  return { type: "object", required: [...names], properties };
}

function twoTargets(): JsonObject[] {
  const [agentId, agentName, capability] = TARGETS;
  const pairs = [
    [agentId, agentName],
    [agentId, capability],
    [agentName, capability],
  ];
  return pairs.map((pair) => ({ not: given(...pair) }));
}

function fallbackSchema(): JsonObject {
  return {
    description: "Who takes over once the attempts are used up, with as many of its own.",
    type: ["object", "null"],
    properties: targets(),
    additionalProperties: false,
    anyOf: [{ type: "null" }, ...TARGETS.map((name) => given(name))],
    allOf: twoTargets(),
  };
}

function retrySchema(): JsonObject {
  return {
    description: "What is tried again, how often, and after which wait. Default: four attempts.",
    type: ["object", "null"],
    properties: {
      maxAttempts: whole("Attempts in all, the first included. Default: 4.", 1, ATTEMPTS_MAX),
      backoff: choice("How the wait grows. Default: exponential.", ["exponential", "fixed"]),
      initialDelay: duration("The first wait, up to 24h. Default: 1s."),
      maxDelay: duration("The longest wait, up to 24h. Default: 60s."),
      jitter: choice("`full` draws each wait between zero and the computed one. Default: full.", ["full", "none"]),
      on: {
        description:
          "Which failures are tried again; a result that its schema refuses is an `agent_error`. Default: all four.",
        type: ["array", "null"],
        items: { enum: ["timeout", "lost", "unavailable", "agent_error"] },
        minItems: 1,
        uniqueItems: true,
      },
    },
    additionalProperties: false,
  };
}

function text(description: string, maxLength: number): JsonObject {
  return { description, type: ["string", "null"], maxLength };
}

function id(description: string, maxLength: number): JsonObject {
  return { description, type: ["string", "null"], minLength: 1, maxLength };
}

/** An id that must be there. */
function needed(description: string, maxLength: number): JsonObject {
  return { description, type: "string", minLength: 1, maxLength };
}

function whole(description: string, minimum: number, maximum: number): JsonObject {
  return { description, type: ["integer", "null"], minimum, maximum };
}

function choice(description: string, choices: readonly string[]): JsonObject {
  return { description, enum: [...choices, null] };
}

function onFailure(description: string): JsonObject {
  return choice(description, ["fail", "continue"]);
}

function duration(description: string): JsonObject {
  const written = `${description} Written as a whole number and a unit: 250ms, 30s, 2m, 24h, 7d.`;
  return { description: written, type: ["string", "null"], pattern: "^[0-9]{1,15}(us|ms|s|m|h|d)$" };
}

function schema(description: string): JsonObject {
  return { description, anyOf: [{ type: "null" }, { type: "object", allOf: [{ $ref: "#/definitions/schema" }] }] };
}

function holder(description: string): JsonObject {
  const properties: Record<string, JsonValue> = {
    schema: schema("JSON Schema 2020-12, without the keywords that are not listed here."),
  };
  return { description, type: ["object", "null"], properties, additionalProperties: false };
}
