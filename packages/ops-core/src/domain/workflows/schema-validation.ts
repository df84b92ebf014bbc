import type { Issue, JsonObject, JsonValue } from "@opspawn/contract";
import { Budget } from "../expressions/budget.ts";
import { ExpressionFailure } from "../expressions/failure.ts";
import { equal } from "../expressions/operators.ts";
import { search } from "../expressions/pattern.ts";
import { charactersOf } from "../expressions/text-methods.ts";
import { fromJson, isList, isMap, numberOf, type Value } from "../expressions/values.ts";
import { Issues, type Loc } from "../issues.ts";
import { VALIDATION_NESTING_MAX, VALIDATION_STEPS_MAX } from "./limits.ts";
import { resolveReference } from "./schema.ts";
import { patternOf } from "./schema-patterns.ts";

/**
 * Checks a value against a schema that `checkSchema` accepted. The same value fails the same way on every machine: what
 * it costs is counted in steps.
 * @returns an issue per wrong place, its path inside the value; none when the value is valid
 */
export function validate(schema: JsonObject, value: JsonValue): Issue[] {
  const issues = new Issues();
  try {
    new Validation(schema).check(schema, value, [], issues);
  } catch (error) {
    if (!(error instanceof ExpressionFailure)) throw error;
    issues.add([], "too_costly", error.message);
  }
  return issues.list;
}

class Validation {
  readonly #root: JsonObject;
  readonly #budget = new Budget(VALIDATION_STEPS_MAX, "this value and its schema take too many steps to compare");
  #nesting = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  check(schema: JsonValue, value: JsonValue, loc: Loc, issues: Issues): void {
    this.#budget.spend(1);
    if (schema === false) issues.add(loc, "not_allowed", "is not allowed here");
    if (!isMap(schema)) return;
    this.#nesting += 1;
    if (this.#nesting > VALIDATION_NESTING_MAX)
      throw new ExpressionFailure("the schema nests too deeply to apply", { limit: true });
    this.#alternatives(schema, value, loc, issues);
    this.#identity(schema, value, loc, issues);
    if (typeof value === "string") this.#string(schema, value, loc, issues);
    else if (isList(value)) this.#list(schema, value, loc, issues);
    else if (isMap(value)) this.#object(schema, value, loc, issues);
    else this.#number(schema, fromJson(value), loc, issues);
    this.#nesting -= 1;
  }

  #identity(schema: JsonObject, value: JsonValue, loc: Loc, issues: Issues): void {
    const { type, enum: choices, const: constant } = schema;
    if (type !== undefined) {
      const types = Array.isArray(type) ? type : [type];
      const fits = types.some((each) => hasType(each, fromJson(value)));
      if (!fits) issues.add(loc, "wrong_type", `must be ${types.join(" or ")}`);
    }
    if (constant !== undefined && !this.#equal(constant, value)) {
      issues.add(loc, "wrong_value", `must be ${shortJson(constant)}`);
    }
    if (Array.isArray(choices) && !choices.some((choice) => this.#equal(choice, value))) {
      issues.add(loc, "wrong_value", `must be one of ${shortJson(choices)}`);
    }
  }

  #alternatives(schema: JsonObject, value: JsonValue, loc: Loc, issues: Issues): void {
    const { $ref, allOf, anyOf, oneOf, not } = schema;
    if (typeof $ref === "string") this.check(resolveReference(this.#root, $ref) ?? true, value, loc, issues);
    if (Array.isArray(allOf)) for (const each of allOf) this.check(each, value, loc, issues);
    if (Array.isArray(anyOf) && !anyOf.some((each) => this.#fits(each, value))) {
      issues.add(loc, "no_alternative", `fits none of the ${anyOf.length} alternatives`);
    }
    if (Array.isArray(oneOf)) {
      const fitting = oneOf.filter((each) => this.#fits(each, value)).length;
      if (fitting !== 1)
        issues.add(loc, "no_alternative", `must fit one of ${oneOf.length} alternatives, not ${fitting}`);
    }
    if (not !== undefined && this.#fits(not, value)) issues.add(loc, "not_allowed", "fits a schema it must not fit");
  }

  #fits(schema: JsonValue, value: JsonValue): boolean {
    const issues = new Issues();
    this.check(schema, value, [], issues);
    return issues.empty;
  }

  #string(schema: JsonObject, value: string, loc: Loc, issues: Issues): void {
    const { minLength, maxLength, pattern } = schema;
    if (minLength !== undefined || maxLength !== undefined) {
      this.#budget.spend(Math.ceil(value.length / 64));
      bounded(charactersOf(value), [minLength, maxLength], "character", (msg) => issues.add(loc, "wrong_length", msg));
    }
    if (typeof pattern !== "string" || search(patternOf(this.#root, pattern), value, this.#budget)) return;
    issues.add(loc, "pattern_mismatch", `must match the pattern ${pattern}`);
  }

  #list(schema: JsonObject, value: readonly JsonValue[], loc: Loc, issues: Issues): void {
    const { minItems, maxItems, uniqueItems, items } = schema;
    bounded(value.length, [minItems, maxItems], "item", (msg) => issues.add(loc, "wrong_length", msg));
    if (uniqueItems === true) {
      const twin = value.findIndex((item, at) => value.slice(0, at).some((before) => this.#equal(before, item)));
      if (twin >= 0) issues.add([...loc, twin], "not_unique", "is in the list already");
    }
    if (items === undefined) return;
    for (const [at, item] of value.entries()) this.check(items, item, [...loc, at], issues);
  }

  #object(schema: JsonObject, value: JsonObject, loc: Loc, issues: Issues): void {
    const { required, minProperties, maxProperties, properties, additionalProperties } = schema;
    const keys = Object.keys(value);
    bounded(keys.length, [minProperties, maxProperties], "key", (msg) => issues.add(loc, "wrong_length", msg));
    for (const name of Array.isArray(required) ? required : []) {
      this.#budget.spend(1);
      if (!Object.hasOwn(value, String(name))) issues.add([...loc, String(name)], "missing", "is required");
    }
    const known = properties !== undefined && isMap(properties) ? properties : {};
    for (const key of keys) {
      const member = Object.hasOwn(known, key) ? known[key] : additionalProperties;
      this.check(member ?? true, value[key] ?? null, [...loc, key], issues);
    }
  }

  #number(schema: JsonObject, value: Value, loc: Loc, issues: Issues): void {
    const number = numberOf(value);
    if (number === undefined) return;
    const limit = (keyword: string) => numberOf(fromJson(schema[keyword] ?? null));
    const [minimum, maximum, step] = [limit("minimum"), limit("maximum"), limit("multipleOf")];
    const [above, below] = [limit("exclusiveMinimum"), limit("exclusiveMaximum")];
    const refuse = (msg: string) => issues.add(loc, "out_of_range", msg);
    if (minimum !== undefined && number < minimum) refuse(`must be at least ${minimum}`);
    if (maximum !== undefined && number > maximum) refuse(`must be at most ${maximum}`);
    if (above !== undefined && number <= above) refuse(`must be above ${above}`);
    if (below !== undefined && number >= below) refuse(`must be below ${below}`);
    if (step !== undefined && !isMultiple(number, step)) refuse(`must be a multiple of ${step}`);
  }

  #equal(a: JsonValue, b: JsonValue): boolean {
    return equal(fromJson(a), fromJson(b), this.#budget);
  }
}

function hasType(type: JsonValue, value: Value): boolean {
  const number = numberOf(value);
  if (type === "number") return number !== undefined;
  if (type === "integer") return typeof number === "bigint" || (number !== undefined && Number.isInteger(number));
  if (type === "object") return isMap(value);
  if (type === "array") return isList(value);
  if (type === "null") return value === null;
  return typeof value === type;
}

/** A double cannot hold most decimal steps, so a quotient this close to a whole number counts as one. */
const QUOTIENT_TOLERANCE = 1e-9;

function isMultiple(number: bigint | number, step: bigint | number): boolean {
  if (typeof number === "bigint" && typeof step === "bigint") return number % step === 0n;
  const quotient = Number(number) / Number(step);
  return Math.abs(quotient - Math.round(quotient)) < QUOTIENT_TOLERANCE;
}

type Bounds = readonly [min: JsonValue | undefined, max: JsonValue | undefined];

function bounded(size: number, [min, max]: Bounds, what: string, refuse: (msg: string) => void): void {
  if (typeof min === "number" && size < min) refuse(`must have at least ${min} ${what}${min === 1 ? "" : "s"}`);
  if (typeof max === "number" && size > max) refuse(`must have at most ${max} ${what}${max === 1 ? "" : "s"}`);
}

/** JSON for a message, cut where it gets long. */
function shortJson(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}
