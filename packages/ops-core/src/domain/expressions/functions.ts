import type { JsonValue } from "@opspawn/contract";
import type { Budget } from "./budget.ts";
import { ExpressionFailure } from "./failure.ts";
import type { FunctionSpec } from "./function-spec.ts";
import { spendText } from "./operators.ts";
import { charactersOf, textMethods } from "./text-methods.ts";
import { INT_MAX, INT_MIN, isList, isMap, numberOf, typeName, type Value } from "./values.ts";

/** Functions called as `name(...)`. */
export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map<string, FunctionSpec>([
  ["size", { arity: [1], run: ([value = null], budget) => size(value, budget) }],
  ["string", { arity: [1], run: ([value = null]) => toText(value) }],
  ["int", { arity: [1], run: ([value = null]) => toInt(value) }],
  ["double", { arity: [1], run: ([value = null]) => toDouble(value) }],
  ["bool", { arity: [1], run: ([value = null]) => toBool(value) }],
  ["dyn", { arity: [1], run: ([value = null]) => value }],
]);

/** Functions called as `value.name(...)`. */
export const METHODS: ReadonlyMap<string, FunctionSpec> = new Map<string, FunctionSpec>([
  ...textMethods,
  ["size", { arity: [0], run: ([value = null], budget) => size(value, budget) }],
  ["join", { arity: [0, 1], run: ([list = null, separator = ""], budget) => join(list, separator, budget) }],
]);

function size(value: Value, budget: Budget): bigint {
  if (isList(value)) return BigInt(value.length);
  if (isMap(value)) {
    const keys = Object.keys(value).length;
    budget.spend(keys);
    return BigInt(keys);
  }
  if (typeof value !== "string") throw new ExpressionFailure(`size() is not defined for ${typeName(value)}`);
  spendText(budget, value.length);
  return BigInt(charactersOf(value));
}

function join(list: Value, separator: Value, budget: Budget): string {
  if (!isList(list) || !isText(list)) throw new ExpressionFailure("join() needs a list of strings");
  if (typeof separator !== "string") throw new ExpressionFailure("join() needs a string between the elements");
  let length = separator.length * list.length;
  for (const text of list) length += text.length;
  budget.spend(list.length);
  spendText(budget, length);
  return list.join(separator);
}

function isText(list: readonly JsonValue[]): list is string[] {
  return list.every((member) => typeof member === "string");
}

/** Text of a scalar, as `string()` gives it and as `${{ }}` inside text renders it. */
export function toText(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "bigint" || typeof value === "number") return String(value);
  if (value !== null && !isList(value) && !isMap(value)) return value.rawJSON as string;
  throw new ExpressionFailure(`string() is not defined for ${typeName(value)}`);
}

function toInt(value: Value): bigint {
  const number = typeof value === "string" && /^[+-]?\d{1,19}$/.test(value) ? BigInt(value) : numberOf(value);
  if (number === undefined) throw new ExpressionFailure(`int() cannot read ${quoted(value)}`);
  if (typeof number === "number" && !Number.isFinite(number))
    throw new ExpressionFailure("int() needs a finite number");
  const whole = typeof number === "bigint" ? number : BigInt(Math.trunc(number));
  if (whole >= INT_MIN && whole <= INT_MAX) return whole;
  throw new ExpressionFailure("int(): the number does not fit 64 bits");
}

function toDouble(value: Value): number {
  if (typeof value === "string" && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) return Number(value);
  const number = numberOf(value);
  if (number === undefined) throw new ExpressionFailure(`double() cannot read ${quoted(value)}`);
  return Number(number);
}

function toBool(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "1" || value === "t" || value === "TRUE" || value === "True") return true;
  if (value === "false" || value === "0" || value === "f" || value === "FALSE" || value === "False") return false;
  throw new ExpressionFailure(`bool() cannot read ${quoted(value)}`);
}

/** A value in a message: short text as it is, anything else by its type. */
function quoted(value: Value): string {
  return typeof value === "string" && value.length <= 40 ? JSON.stringify(value) : typeName(value);
}
