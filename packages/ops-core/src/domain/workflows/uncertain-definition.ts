import { isJsonObject } from "@opspawn/contract";
import { DAY } from "../clock.ts";
import { hasExpression } from "../expressions/segments.ts";
import type { Template } from "../expressions/template.ts";
import { readApprovers } from "./approval-definition.ts";
import { Fields } from "./fields.ts";
import {
  APPROVAL_TIMEOUT_MAX,
  APPROVAL_TIMEOUT_MIN,
  QUESTION_LENGTH_MAX,
  REMIND_EVERY_MAX,
  REMIND_EVERY_MIN,
  TARGET_LENGTH_MAX,
  TIMEOUT_MAX,
  TIMEOUT_MIN,
} from "./limits.ts";
import { readParameters } from "./parameters-definition.ts";
import type { OnUncertain, Question } from "./plan.ts";
import { readRetry } from "./retry-definition.ts";
import type { StepContext } from "./step-definition.ts";

/** What `onUncertain` may be when it is a word. */
export const UNCERTAIN_WORDS = ["retryWithKey", "fail", "ask", "compensate"] as const;
/** What it may hold when it says more. */
export const UNCERTAIN_FIELDS = ["ask", "verify"] as const;
const QUESTION_FIELDS = ["message", "timeout", "remindEvery", "approvers"] as const;
const VERIFICATION_FIELDS = ["tool", "parameters", "retry", "timeout", "otherwise"] as const;

/** How long a person may take to say whether an effect happened, where that is not said. */
const QUESTION_TIMEOUT = DAY;
const HINT =
  'must be "retryWithKey", "fail", "ask", "compensate", { ask: { timeout: 24h } } or { verify: { tool: NAME } }';

export interface ReadUncertain {
  readonly onUncertain: OnUncertain | null;
  readonly template: Template | null;
}

const NOTHING: ReadUncertain = { onUncertain: null, template: null };

/** Reads `onUncertain`: what decides when an attempt died after it had announced an effect. */
export function readUncertain(step: Fields, context: StepContext): ReadUncertain {
  const value = step.value("onUncertain");
  if (value === undefined) return NOTHING;
  if (isJsonObject(value)) return readPolicy(new Fields(value, step.at("onUncertain"), step.issues), step, context);
  const word = UNCERTAIN_WORDS.find((each) => each === value);
  switch (word) {
    case undefined:
      step.refuse("onUncertain", "wrong_value", HINT);
      return NOTHING;
    case "ask":
      return { onUncertain: { kind: "ask", question: DEFAULT_QUESTION }, template: null };
    case "compensate":
      if (step.value("compensate") === undefined) {
        step.refuse("onUncertain", "missing", "undoes the step by its `compensate`, which it does not have");
      }
      return { onUncertain: { kind: "compensate" }, template: null };
    default:
      return { onUncertain: { kind: word }, template: null };
  }
}

const DEFAULT_QUESTION: Question = { message: null, timeout: QUESTION_TIMEOUT, remindEvery: null, approvers: null };

function readPolicy(fields: Fields, step: Fields, context: StepContext): ReadUncertain {
  fields.closed(UNCERTAIN_FIELDS);
  const given = UNCERTAIN_FIELDS.filter((name) => fields.value(name) !== undefined);
  if (given.length !== 1) {
    step.refuse("onUncertain", given.length === 0 ? "missing" : "conflict", "must have one of ask, verify");
    return NOTHING;
  }
  if (given[0] === "ask") {
    const question = readQuestion(fields, "ask");
    return question === null ? NOTHING : { onUncertain: { kind: "ask", question }, template: null };
  }
  return readVerification(fields, context);
}

/** Null: it is not one. */
function readQuestion(holder: Fields, name: string): Question | null {
  const fields = holder.inside(name, "{ timeout: 24h }");
  if (fields === undefined) return null;
  fields.closed(QUESTION_FIELDS);
  const message = fields.id("message", QUESTION_LENGTH_MAX) ?? null;
  if (message !== null && hasExpression(message)) {
    fields.refuse("message", "expression_invalid", "is asked as it stands; it cannot hold an expression");
  }
  return {
    message,
    timeout: fields.duration("timeout", { min: APPROVAL_TIMEOUT_MIN, max: APPROVAL_TIMEOUT_MAX }) ?? QUESTION_TIMEOUT,
    remindEvery: fields.duration("remindEvery", { min: REMIND_EVERY_MIN, max: REMIND_EVERY_MAX }) ?? null,
    approvers: readApprovers(fields),
  };
}

function readVerification(holder: Fields, context: StepContext): ReadUncertain {
  const fields = holder.inside("verify", "{ tool: payments.find }");
  if (fields === undefined) return NOTHING;
  fields.closed(VERIFICATION_FIELDS);
  if (fields.value("tool") === undefined) fields.refuse("tool", "missing", "is required: the tool that finds out");
  const tool = fields.literal("tool", TARGET_LENGTH_MAX) ?? "";
  const { parameters, template } = readParameters(fields, context);
  const check = {
    tool,
    parameters,
    retry: readRetry(fields),
    timeout: fields.duration("timeout", { min: TIMEOUT_MIN, max: TIMEOUT_MAX }) ?? null,
    otherwise: readOtherwise(fields),
  };
  return { onUncertain: { kind: "verify", check }, template };
}

/** Who is asked when the tool cannot tell; null = nobody. */
function readOtherwise(fields: Fields): Question | null {
  const value = fields.value("otherwise");
  if (!isJsonObject(value)) return fields.choice("otherwise", ["fail", "ask"]) === "ask" ? DEFAULT_QUESTION : null;
  const inner = new Fields(value, fields.at("otherwise"), fields.issues);
  inner.closed(["ask"]);
  if (inner.value("ask") === undefined) fields.refuse("otherwise", "missing", 'must be "fail", "ask" or { ask: ... }');
  return readQuestion(inner, "ask");
}
