import type { JsonObject } from "@opspawn/contract";
import {
  absent,
  choice,
  closed,
  condition,
  duration,
  given,
  id,
  needed,
  needs,
  oneAtMost,
  parameters,
  whole,
} from "./editor-schema-values.ts";
import {
  ATTEMPTS_MAX,
  CONCURRENCY_MAX,
  ITEMS_MAX,
  ITERATIONS_MAX,
  LIMIT_KEY_LENGTH_MAX,
  LIMIT_MAX,
  STEP_ID_LENGTH_MAX,
  TARGET_LENGTH_MAX,
} from "./limits.ts";
import { TARGET_FIELDS } from "./target-definition.ts";

export function targets(): JsonObject {
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

/** Whether a step runs, and how often. */
export function runFields(): JsonObject {
  return {
    when: condition(
      "An expression that yields true or false; false skips the step. Example: { when: 'size(steps.fetch.result.text) > 100' }",
    ),
    forEach: {
      description:
        "Runs the step once per item: a list, or an expression that yields one. `item` and `index` are read in what each run is given.",
      anyOf: [
        { type: "array", maxItems: ITEMS_MAX },
        { type: ["string", "null"], minLength: 1 },
      ],
    },
    concurrency: concurrencySchema(),
    rateLimit: rateLimit("How many tasks of a key begin within some time, in all workflows together."),
    onItemError: choice(
      "`fail`: a failed item fails the step. `collect`: it leaves null in `results` and its error in `errors`. Default: fail.",
      ["fail", "collect"],
    ),
    repeat: repeatSchema(),
  };
}

export function runRules(): JsonObject[] {
  const itemsOnly = {
    properties: { concurrency: { anyOf: [{ type: "null" }, { type: "object", ...absent("items") }] } },
  };
  const limited = { properties: { concurrency: { type: ["integer", "null"] } } };
  return [
    ...oneAtMost(["forEach", "repeat"]),
    needs("forEach", ["onItemError"]),
    { anyOf: [given("forEach"), itemsOnly] },
    { anyOf: [absent("workflow"), limited] },
  ];
}

/** The limits that the workflow sets for each of its tasks. */
export function limitFields(): JsonObject {
  return {
    concurrency: closed(
      "How many tasks of a key run at once, in all workflows together; for each step that does not say so itself.",
      limitProperties("Tasks of the key that run at once."),
      { required: ["key", "limit"] },
    ),
    rateLimit: rateLimit(
      "How many tasks of a key begin within some time, in all workflows together; for each step that does not say so itself.",
    ),
  };
}

function concurrencySchema(): JsonObject {
  const items = whole("Items of `forEach` under way at once. Default: 10.", 1, CONCURRENCY_MAX);
  return {
    description:
      "Items of `forEach` under way at once (default: 10), or how many tasks of a key run at once, in all workflows together.",
    type: ["integer", "object", "null"],
    minimum: 1,
    maximum: CONCURRENCY_MAX,
    properties: { ...limitProperties("Tasks of the key that run at once."), items },
    required: ["key", "limit"],
    additionalProperties: false,
  };
}

function rateLimit(description: string): JsonObject {
  const properties = {
    ...limitProperties("Tasks of the key that begin within `per`."),
    per: { ...duration("The time that `limit` is for, from 1ms to 1d."), type: "string" },
  };
  return closed(description, properties, { required: ["key", "limit", "per"] });
}

function limitProperties(limit: string): JsonObject {
  return {
    key: {
      ...needed('What is limited; a text that may hold expressions. Example: { key: "${{ input.tenant }}" }'),
      pattern: "\\S",
      anyOf: [{ maxLength: LIMIT_KEY_LENGTH_MAX }, { pattern: "\\$\\{\\{" }],
    },
    limit: { ...whole(limit, 1, LIMIT_MAX), type: "integer" },
  };
}

function repeatSchema(): JsonObject {
  return closed(
    "Runs the step again until it is enough. `iteration` counts the runs from 0.",
    {
      until: {
        ...condition("When it is enough, looked at after each run; it reads the step's own result."),
        type: ["string", "boolean"],
      },
      maxIterations: { ...whole("Runs in all.", 1, ITERATIONS_MAX), type: "integer" },
      delay: duration("Between the end of one run and the next, up to 1d. Default: 0s."),
      onExhausted: choice(
        "What it means when the last run was not enough: `fail`, or `complete` with its result. Default: fail.",
        ["fail", "complete"],
      ),
    },
    { required: ["until", "maxIterations"] },
  );
}

/** What becomes of failures. */
export function failureFields(): JsonObject {
  return {
    retry: retrySchema(),
    fallback: fallbackSchema(),
    compensate: compensationSchema(),
  };
}

const FALLBACKS = ["taskId", ...TARGET_FIELDS];

export function fallbackRules(): JsonObject[] {
  const toStep = { anyOf: [{ type: ["string", "null"] }, given("taskId")] };
  return [{ anyOf: [absent("tool", "workflow"), { properties: { fallback: toStep } }] }];
}

function fallbackSchema(): JsonObject {
  return {
    description:
      "What takes over once the attempts are used up: another agent, with as many of its own; or a step, by its id, which runs in this one's place.",
    type: ["string", "object", "null"],
    minLength: 1,
    maxLength: STEP_ID_LENGTH_MAX,
    properties: { taskId: id("A step that runs in this one's place.", STEP_ID_LENGTH_MAX), ...targets() },
    additionalProperties: false,
    anyOf: [{ type: ["string", "null"] }, ...FALLBACKS.map((name) => given(name))],
    allOf: oneAtMost(FALLBACKS),
  };
}

function compensationSchema(): JsonObject {
  return closed(
    "How the step is undone when `onFailure` is `compensate`, after it was completed.",
    {
      tool: id("The registered tool that undoes it.", TARGET_LENGTH_MAX),
      ...targets(),
      parameters: parameters("What it receives; besides what the step may read, the step's own result."),
      retry: retrySchema(),
      timeout: duration("Bounds one attempt, from 1ms to 7d. Default: the agent's own, else 2m."),
      deadline: duration("Bounds all attempts together, from 1ms to 365d. Default: 24h."),
      whenUnknown: choice(
        "What is done about a step of which nobody knows whether it was done: `run` the compensation, or `report` it. Default: report.",
        ["run", "report"],
      ),
    },
    { allOf: oneAtMost(["tool", ...TARGET_FIELDS]) },
  );
}

function retrySchema(): JsonObject {
  return closed("What is tried again, how often, and after which wait. Default: four attempts.", {
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
  });
}
