import { isJsonNumber, isJsonObject } from "@opspawn/contract";
import { readTemplate, type Template } from "../expressions/template.ts";
import type { Fields } from "./fields.ts";
import { CONCURRENCY_MAX, LIMIT_KEY_LENGTH_MAX, LIMIT_MAX, RATE_PER_MAX, RATE_PER_MIN } from "./limits.ts";
import type { StepKind, StepLimits } from "./plan.ts";
import type { StepContext } from "./step-definition.ts";

/** Limits with their keys, compiled; null where none is said. */
export interface Limits {
  readonly concurrency: { readonly limit: NonNullable<StepLimits["concurrency"]>; readonly key: Template } | null;
  readonly rate: { readonly limit: NonNullable<StepLimits["rate"]>; readonly key: Template } | null;
}

export const NO_LIMITS: Limits = { concurrency: null, rate: null };

const CONCURRENCY_HINT = '{ key: "${{ input.tenant }}", limit: 5 }';
const RATE_HINT = '{ key: "${{ input.tenant }}", limit: 100, per: 1m }';

/** Reads what limits each task of a workflow's steps, unless a step says something else. */
export function readWorkflowLimits(fields: Fields, context: StepContext): Limits {
  return { concurrency: readConcurrency(fields, ["key", "limit"], context), rate: readRate(fields, context) };
}

/**
 * Reads what limits the tasks of a step.
 * @param inherited what the workflow says; a step's own limit takes the place of the one of its kind
 */
export function readStepLimits(step: Fields, kind: StepKind, inherited: Limits, context: StepContext): Limits {
  if (kind !== "agent" && kind !== "tool") {
    if (isJsonObject(step.value("concurrency"))) {
      step.refuse("concurrency", "conflict", `a ${kind} step has no limit: its own tasks are limited where they stand`);
    }
    return NO_LIMITS;
  }
  // A number says how many items are open at once, which is no limit of a key.
  const concurrency = isJsonObject(step.value("concurrency"))
    ? readConcurrency(step, ["key", "limit", "items"], context)
    : null;
  return { concurrency: concurrency ?? inherited.concurrency, rate: readRate(step, context) ?? inherited.rate };
}

/** How many items of `forEach` are open at once: `concurrency` as a number, or its `items`; undefined where nothing is said. */
export function readOpenItems(step: Fields): number | undefined {
  const value = step.value("concurrency");
  const range = { min: 1, max: CONCURRENCY_MAX };
  if (isJsonObject(value)) return step.inside("concurrency", CONCURRENCY_HINT)?.whole("items", range);
  if (value === undefined || isJsonNumber(value)) return step.whole("concurrency", range);
  return step.refuse(
    "concurrency",
    "wrong_type",
    `must be a whole number from 1 to ${CONCURRENCY_MAX}, or ${CONCURRENCY_HINT}`,
  );
}

function readConcurrency(fields: Fields, known: readonly string[], context: StepContext): Limits["concurrency"] {
  const concurrency = fields.inside("concurrency", CONCURRENCY_HINT);
  if (concurrency === undefined) return null;
  concurrency.closed(known);
  const key = readKey(concurrency, context);
  const limit = readLimit(concurrency, "how many of its tasks run at once");
  return key === undefined || limit === undefined ? null : { limit: { key: key.text, limit }, key: key.template };
}

function readRate(fields: Fields, context: StepContext): Limits["rate"] {
  const rate = fields.inside("rateLimit", RATE_HINT);
  if (rate === undefined) return null;
  rate.closed(["key", "limit", "per"]);
  const key = readKey(rate, context);
  const limit = readLimit(rate, "how many of its tasks begin within `per`");
  if (rate.value("per") === undefined)
    rate.refuse("per", "missing", "is required: the time that `limit` is for, such as 1m");
  const per = rate.duration("per", { min: RATE_PER_MIN, max: RATE_PER_MAX });
  if (key === undefined || limit === undefined || per === undefined) return null;
  return { limit: { key: key.text, limit, per }, key: key.template };
}

function readLimit(fields: Fields, what: string): number | undefined {
  if (fields.value("limit") === undefined) return fields.refuse("limit", "missing", `is required: ${what}`);
  return fields.whole("limit", { min: 1, max: LIMIT_MAX });
}

interface Key {
  readonly text: string;
  readonly template: Template;
}

/** A text that may hold expressions; how long it comes out shows when it is evaluated. */
function readKey(fields: Fields, { issues, allowance }: StepContext): Key | undefined {
  const value = fields.value("key");
  if (value === undefined)
    return fields.refuse("key", "missing", "is required: what is limited, such as a tenant's name");
  if (typeof value !== "string") return fields.refuse("key", "wrong_type", "must be a string");
  if (value.trim() === "") return fields.refuse("key", "empty", "must not be empty");
  const template = readTemplate(value, fields.at("key"), issues, allowance);
  if (template.constant && value.length > LIMIT_KEY_LENGTH_MAX) {
    return fields.refuse("key", "too_long", `must have at most ${LIMIT_KEY_LENGTH_MAX} characters`);
  }
  return { text: value, template };
}
