import type { JsonObject } from "@opspawn/contract";
import type { Budget } from "./budget.ts";
import { ExpressionFailure } from "./failure.ts";
import { STRING_LENGTH_MAX } from "./limits.ts";
import { fromJson, INT_MAX, INT_MIN, isList, isMap, numberOf, typeName, type Value } from "./values.ts";

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";
export type ComparisonOperator = "<" | "<=" | ">" | ">=";

/** Characters of text that cost one step to read or write. */
const CHARACTERS_PER_STEP = 64;

export function spendText(budget: Budget, length: number): void {
  budget.spend(Math.ceil(length / CHARACTERS_PER_STEP));
}

/** Refuses a string longer than any that may be stored. */
export function checkLength(length: number): void {
  if (length <= STRING_LENGTH_MAX) return;
  throw new ExpressionFailure(`makes a string longer than ${STRING_LENGTH_MAX} characters`, { limit: true });
}

function noOverload(operator: string, left: Value, right: Value): ExpressionFailure {
  return new ExpressionFailure(`"${operator}" is not defined for ${typeName(left)} and ${typeName(right)}`);
}

/**
 * `+ - * / %`. An int and a double together make a double: JSON does not tell 100 from 100.0, so refusing the mixture,
 * as plain CEL does, would make `price * 1.1` fail on round prices.
 */
export function arithmetic(operator: ArithmeticOperator, left: Value, right: Value, budget: Budget): Value {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a !== undefined && b !== undefined) {
    if (typeof a === "bigint" && typeof b === "bigint") return intArithmetic(operator, a, b);
    if (operator !== "%") return doubleArithmetic(operator, Number(a), Number(b));
  }
  if (operator === "+" && typeof left === "string" && typeof right === "string") {
    checkLength(left.length + right.length);
    spendText(budget, left.length + right.length);
    return left + right;
  }
  if (operator === "+" && isList(left) && isList(right)) {
    budget.spend(left.length + right.length);
    return [...left, ...right];
  }
  throw noOverload(operator, left, right);
}

function intArithmetic(operator: ArithmeticOperator, a: bigint, b: bigint): bigint {
  if (b === 0n && operator === "/") throw new ExpressionFailure("division by zero");
  if (b === 0n && operator === "%") throw new ExpressionFailure("modulo by zero");
  return checkInt(compute(operator, a, b));
}

function compute(operator: ArithmeticOperator, a: bigint, b: bigint): bigint {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
  }
}

function doubleArithmetic(operator: "+" | "-" | "*" | "/", a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
  }
}

/** Ints are 64 bits wide. */
function checkInt(value: bigint): bigint {
  if (value >= INT_MIN && value <= INT_MAX) return value;
  throw new ExpressionFailure("integer overflow: the result does not fit 64 bits");
}

export function negate(value: Value): Value {
  const number = numberOf(value);
  if (number === undefined) throw new ExpressionFailure(`"-" is not defined for ${typeName(value)}`);
  return typeof number === "bigint" ? checkInt(-number) : -number;
}

export function compare(operator: ComparisonOperator, left: Value, right: Value, budget: Budget): boolean {
  const a = numberOf(left) ?? left;
  const b = numberOf(right) ?? right;
  if (typeof a === "string" && typeof b === "string") {
    spendText(budget, Math.min(a.length, b.length));
    return ordered(operator, a, b);
  }
  if (isOrdered(a) && isOrdered(b)) return ordered(operator, a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return ordered(operator, Number(a), Number(b));
  throw noOverload(operator, left, right);
}

function isOrdered(value: Value): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

function ordered<T extends string | number | bigint>(operator: ComparisonOperator, a: T, b: T): boolean {
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

/** Deep equality. Numbers are equal by value whatever their type; values of different types are unequal, not an error. */
export function equal(left: Value, right: Value, budget: Budget): boolean {
  budget.spend(1);
  const a = numberOf(left);
  const b = numberOf(right);
  // `<=` and `>=` together compare a bigint with a number exactly, and are false for NaN.
  if (a !== undefined && b !== undefined) return a <= b && a >= b;
  if (typeof left === "string" && typeof right === "string") {
    spendText(budget, Math.min(left.length, right.length));
    return left === right;
  }
  if (isList(left) && isList(right)) {
    if (left.length !== right.length) return false;
    return left.every((member, index) => equal(fromJson(member), fromJson(right[index] ?? null), budget));
  }
  if (isMap(left) && isMap(right)) return equalMaps(left, right, budget);
  return left === right;
}

function equalMaps(left: JsonObject, right: JsonObject, budget: Budget): boolean {
  const keys = Object.keys(left);
  budget.spend(keys.length);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every(
    (key) => Object.hasOwn(right, key) && equal(fromJson(left[key] ?? null), fromJson(right[key] ?? null), budget),
  );
}

/** `in`: an element of a list, or a key of a map. */
export function contains(member: Value, container: Value, budget: Budget): boolean {
  if (isList(container)) return container.some((each) => equal(member, fromJson(each), budget));
  if (isMap(container)) return typeof member === "string" && Object.hasOwn(container, member);
  throw noOverload("in", member, container);
}
