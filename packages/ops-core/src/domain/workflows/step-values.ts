import {
  excerpt,
  type Issue,
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  OpspawnError,
  parseTime,
  stringifyJson,
} from "@opspawn/contract";
import type { ExpressionScope } from "../expressions/scope.ts";
import { resolveTemplate, type Template } from "../expressions/template.ts";
import { issueText, type Loc } from "../issues.ts";
import type { TaskLimits } from "../tasks/limits.ts";
import { ITEMS_MAX, LIMIT_KEY_LENGTH_MAX } from "./limits.ts";
import type { PlanStep } from "./plan.ts";
import { templatesOf } from "./step-templates.ts";
import { TIME_HINT } from "./wait-definition.ts";

/**
 * Whether a step is to run; true where it has no `when`.
 * @throws OpspawnError `expression_failed` at `when`
 */
export function stepCondition(step: PlanStep, scope: ExpressionScope): boolean {
  return condition(templatesOf(step).when, scope, ["when"]);
}

/**
 * Whether a step with `repeat` has run often enough; true for any other step.
 * @param scope with the `iteration` that has just ended, whose result is the step's own
 * @throws OpspawnError `expression_failed` at `repeat.until`
 */
export function isEnough(step: PlanStep, scope: ExpressionScope): boolean {
  return condition(templatesOf(step).until, scope, ["repeat", "until"]);
}

/**
 * The items of a step with `forEach`; none for any other step.
 * @throws OpspawnError `expression_failed` or `too_many_items` at `forEach`
 */
export function stepItems(step: PlanStep, scope: ExpressionScope): JsonValue[] {
  const loc = ["forEach"];
  const { items } = templatesOf(step);
  const value = items === null ? [] : resolveTemplate(items, scope, loc);
  if (!Array.isArray(value)) throw failed(loc, `must yield a list, not ${shown(value)}`);
  if (value.length <= ITEMS_MAX) return value;
  throw failed(loc, `yields ${value.length} items, at most ${ITEMS_MAX} are allowed`, "too_many_items");
}

/**
 * When a step that waits until a time is over, in microseconds; it may be past.
 * @throws OpspawnError `expression_failed` at `wait.until`
 */
export function waitUntil(step: PlanStep, scope: ExpressionScope): number {
  const value = resolveTemplate(templatesOf(step).parameters, scope, step.parametersAt);
  const time = typeof value === "string" ? parseTime(value) : null;
  if (time === null) throw failed(step.parametersAt, `must yield ${TIME_HINT}, not ${shown(value)}`);
  if (Number.isSafeInteger(time)) return time;
  throw failed(step.parametersAt, `${shown(value)} is too far away`);
}

/**
 * What the compensation of a completed step is given; an empty object where it has none.
 * @param scope with the step's own result, and `item` and `index` for one of its items
 * @throws OpspawnError `expression_failed` at `compensate.parameters`
 */
export function compensationParameters(step: PlanStep, scope: ExpressionScope): JsonObject {
  const { compensation } = templatesOf(step);
  return compensation === null ? {} : evaluatedObject(compensation, scope, ["compensate", "parameters"]);
}

/**
 * What the tool is given that finds out whether a step's effects happened; an empty object where there is none.
 * @param scope as the step's own parameters have it
 * @throws OpspawnError `expression_failed` at `onUncertain.verify.parameters`
 */
export function verificationParameters(step: PlanStep, scope: ExpressionScope): JsonObject {
  const { verification } = templatesOf(step);
  return verification === null ? {} : evaluatedObject(verification, scope, ["onUncertain", "verify", "parameters"]);
}

/**
 * What a step that is no task begins with: a workflow's input, the text of the time a wait is for, an approval's
 * `{ message, details? }`, whose message is a text.
 * @throws OpspawnError `expression_failed`; the paths begin with the step's `parametersAt`
 */
export function evaluatedValue(step: PlanStep, scope: ExpressionScope): JsonValue {
  const value = resolveTemplate(templatesOf(step).parameters, scope, step.parametersAt);
  if (step.kind !== "approval" || !isJsonObject(value)) return value;
  const { message } = value;
  const text = typeof message === "string" ? message : stringifyJson(message ?? null);
  if (text.trim() === "") throw failed([...step.parametersAt, "message"], "the message comes out empty");
  return { ...value, message: text };
}

/**
 * What limits a task of a step; null where nothing does.
 * @param scope with `item` and `index` for one of its items, with `iteration` for one of its runs
 * @throws OpspawnError `expression_failed` at the `key` that came to nothing
 */
export function taskLimits(step: PlanStep, scope: ExpressionScope): TaskLimits | null {
  if (step.limits === null) return null;
  const { concurrency, rate } = step.limits;
  const { concurrencyKey, rateKey } = templatesOf(step);
  return {
    concurrency:
      concurrency === null ? null : { ...concurrency, key: limitKey(concurrencyKey, scope, ["concurrency", "key"]) },
    rate: rate === null ? null : { ...rate, key: limitKey(rateKey, scope, ["rateLimit", "key"]) },
  };
}

/** Whom nobody names shares no key with all others that are not named either. */
function limitKey(template: Template | null, scope: ExpressionScope, loc: Loc): string {
  const value = template === null ? null : resolveTemplate(template, scope, loc);
  if (typeof value !== "string" && !isJsonNumber(value ?? undefined)) {
    throw failed(loc, `must yield a text or a number, not ${shown(value)}`);
  }
  const key = typeof value === "string" ? value : stringifyJson(value);
  if (key.trim() === "") throw failed(loc, "the key comes out empty");
  if (key.length <= LIMIT_KEY_LENGTH_MAX) return key;
  throw failed(loc, `the key has ${key.length} characters, at most ${LIMIT_KEY_LENGTH_MAX} are allowed`);
}

/**
 * The parameters a template comes to.
 * @throws OpspawnError `expression_failed`; the paths begin with `loc`
 */
export function evaluatedObject(template: Template, scope: ExpressionScope, loc: Loc): JsonObject {
  const value = resolveTemplate(template, scope, loc);
  if (isJsonObject(value)) return value;
  throw failed(loc, "the expression must yield an object");
}

function condition(template: Template | null, scope: ExpressionScope, loc: Loc): boolean {
  const value = template === null ? true : resolveTemplate(template, scope, loc);
  if (typeof value === "boolean") return value;
  throw failed(loc, `must yield true or false, not ${shown(value)}`);
}

/** Characters of a value that a message repeats. */
const SHOWN_MAX = 40;

function shown(value: JsonValue): string {
  if (isJsonObject(value)) return "an object";
  if (Array.isArray(value)) return "a list";
  return excerpt(stringifyJson(value), SHOWN_MAX);
}

function failed(
  loc: Loc,
  msg: string,
  code: "expression_failed" | "too_many_items" = "expression_failed",
): OpspawnError {
  const issue: Issue = { loc: [...loc], msg, type: code };
  return new OpspawnError(code, issueText(issue), { issues: [issue] });
}
