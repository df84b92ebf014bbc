import type { JsonObject } from "@opspawn/contract";
import { retrySchema } from "./editor-schema-settings.ts";
import { closed, duration, given, needed, oneAtMost, parameters } from "./editor-schema-values.ts";
import { approversSchema } from "./editor-schema-work.ts";
import { QUESTION_LENGTH_MAX, TARGET_LENGTH_MAX } from "./limits.ts";
import { UNCERTAIN_FIELDS, UNCERTAIN_WORDS } from "./uncertain-definition.ts";

/** What decides when an attempt died after it had announced an effect. */
export function uncertainSchema(): JsonObject {
  const policy = closed(
    "Somebody is asked, or a tool finds out.",
    { ask: question("A person says whether it happened."), verify: verification() },
    { anyOf: [{ type: "null" }, ...UNCERTAIN_FIELDS.map((name) => given(name))], allOf: oneAtMost(UNCERTAIN_FIELDS) },
  );
  return {
    description:
      "What is done when an attempt died after it had announced an effect, and nobody knows whether that happened: `retryWithKey` does it again under the same key, `fail` ends the step as uncertain, `ask` asks a person, `compensate` undoes the step, `verify` asks a tool. Default: retryWithKey.",
    anyOf: [{ enum: [...UNCERTAIN_WORDS, null] }, policy],
  };
}

/** To undo a step takes something that undoes it. */
export function uncertainRules(): JsonObject[] {
  return [{ anyOf: [{ properties: { onUncertain: { not: { enum: ["compensate"] } } } }, given("compensate")] }];
}

function question(description: string): JsonObject {
  return closed(description, {
    message: {
      description: "What is asked, as it stands. Default: a question that names the effects.",
      type: ["string", "null"],
      minLength: 1,
      maxLength: QUESTION_LENGTH_MAX,
      not: { pattern: "\\$\\{\\{" },
    },
    timeout: duration("How long the answer may take, from 1ms to 365d; then the step is uncertain. Default: 24h."),
    remindEvery: duration("How often it is asked again, from 1m to 365d. Default: never."),
    approvers: approversSchema(),
  });
}

function verification(): JsonObject {
  const asked = closed(
    "A person is asked.",
    { ask: question("A person says whether it happened.") },
    {
      anyOf: [{ type: "null" }, given("ask")],
    },
  );
  return closed(
    "A tool that changes nothing finds out, and answers { happened: true or false, result? }.",
    {
      tool: needed("The registered tool that finds out.", TARGET_LENGTH_MAX),
      parameters: parameters("What it receives, besides `effects`: what was announced and has no receipt."),
      retry: retrySchema(),
      timeout: duration("Bounds one attempt, from 1ms to 7d. Default: the tool's own, else 2m."),
      otherwise: {
        description:
          "What is done when the tool cannot tell: `fail` ends the step as uncertain, `ask` asks a person. Default: fail.",
        anyOf: [{ enum: ["fail", "ask", null] }, asked],
      },
    },
    { required: ["tool"] },
  );
}
