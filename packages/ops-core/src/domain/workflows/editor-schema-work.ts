import type { JsonObject } from "@opspawn/contract";
import { absent, closed, duration, given, id, needed, needs, oneAtMost, step } from "./editor-schema-values.ts";
import {
  APPROVER_LENGTH_MAX,
  APPROVERS_MAX,
  SIGNAL_NAME_LENGTH_MAX,
  STEP_ID_LENGTH_MAX,
  TARGET_LENGTH_MAX,
  VERSION_LENGTH_MAX,
  WORKFLOW_ID_LENGTH_MAX,
} from "./limits.ts";
import { KIND_FIELDS, REFUSED_FIELDS } from "./step-kinds.ts";

/** The fields that say what a step does, when it is no task for an agent. */
export function workFields(): JsonObject {
  return {
    tool: id("The registered tool that does it, instead of an agent.", TARGET_LENGTH_MAX),
    workflow: closed(
      "The workflow that is started as a session of its own; its result is the step's.",
      {
        id: needed("The workflow's id.", WORKFLOW_ID_LENGTH_MAX),
        version: id("The version. Default: the one most recently applied when the step begins.", VERSION_LENGTH_MAX),
        input: { description: "What it is started with: any value, with expressions." },
      },
      { required: ["id"] },
    ),
    approval: approval(),
    wait: wait(),
  };
}

/** Which fields a step of each kind cannot have. */
export function kindRules(): JsonObject[] {
  const refused = KIND_FIELDS.map((kind) => ({ anyOf: [absent(kind), absent(...REFUSED_FIELDS[kind])] }));
  return [...oneAtMost(KIND_FIELDS), ...refused];
}

function approval(): JsonObject {
  return closed(
    "A decision that somebody has to make. The step fails with `rejected` or `expired`, or is completed.",
    {
      message: needed("What is to be approved; a text that may hold expressions."),
      details: { description: "What the decision rests on: any value, with expressions." },
      timeout: duration("How long it may take, from 1ms to 365d. Default: as long as the session lasts."),
      onTimeout: step(
        "The word reject, or a step that runs instead of what comes after. Default: the step fails.",
        STEP_ID_LENGTH_MAX,
      ),
      onReject: step("A step that runs instead of what comes after. Default: the step fails.", STEP_ID_LENGTH_MAX),
      remindEvery: duration("How often it is asked again, from 1m to 365d. Default: never."),
      approvers: approversSchema(),
    },
    { required: ["message"], allOf: [needs("timeout", ["onTimeout"])] },
  );
}

export function approversSchema(): JsonObject {
  return {
    description: "Names of the keys that may decide, as they stand. Default: every key that may approve.",
    type: ["array", "null"],
    minItems: 1,
    maxItems: APPROVERS_MAX,
    uniqueItems: true,
    items: { type: "string", minLength: 1, maxLength: APPROVER_LENGTH_MAX, not: { pattern: "\\$\\{\\{" } },
  };
}

const TIME = "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$";

function wait(): JsonObject {
  const kinds = ["for", "until", "signal"];
  return closed(
    "Something to wait for: some time, a time, or a signal. Exactly one of `for`, `until` and `signal`.",
    {
      for: duration("How long, from 1ms to 365d."),
      until: {
        description: "A time such as 2026-01-31T09:00:00Z, or an expression that yields one.",
        type: ["string", "null"],
        anyOf: [{ type: "null" }, { pattern: TIME }, { pattern: "\\$\\{\\{" }],
      },
      signal: id("The name of a signal; what is sent with it becomes the result.", SIGNAL_NAME_LENGTH_MAX),
      timeout: duration("How long the signal may take, from 1ms to 365d. Default: as long as the session lasts."),
      onTimeout: step("A step that runs instead of what comes after. Default: the step fails.", STEP_ID_LENGTH_MAX),
    },
    {
      anyOf: [{ type: "null" }, ...kinds.map((kind) => given(kind))],
      allOf: [...oneAtMost(kinds), needs("signal", ["timeout", "onTimeout"]), needs("timeout", ["onTimeout"])],
    },
  );
}
