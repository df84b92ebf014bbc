import { excerpt, type Issue, type JsonObject, type JsonValue } from "@opspawn/contract";
import { Budget } from "../expressions/budget.ts";
import { ExpressionFailure } from "../expressions/failure.ts";
import { equal } from "../expressions/operators.ts";
import { search } from "../expressions/pattern.ts";
import { charactersOf } from "../expressions/text-methods.ts";
import { fromJson, isList, isMap, numberOf } from "../expressions/values.ts";
import { Issues, type Loc } from "../issues.ts";
import { VALIDATION_NESTING_MAX, VALIDATION_STEPS_MAX } from "./limits.ts";
import { type Bounds, type PreparedSchema, preparedOf, prepareSchema } from "./prepared-schema.ts";

/** Characters counted for one step. */
const CHARACTERS_PER_STEP = 16;

/** What is left of a prepared schema where it has something to say. */
type Rules = { readonly [Part in keyof PreparedSchema]: NonNullable<PreparedSchema[Part]> };

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
  readonly #prepared: Map<JsonObject, PreparedSchema>;
  readonly #budget = new Budget(VALIDATION_STEPS_MAX, "this value and its schema take too many steps to compare");
  #nesting = 0;

  constructor(root: JsonObject) {
    this.#root = root;
    this.#prepared = preparedOf(root);
  }

  check(schema: JsonValue, value: JsonValue, loc: Loc, issues: Issues): void {
    this.#budget.spend(1);
    if (schema === false) issues.add(loc, "not_allowed", "is not allowed here");
    if (!isMap(schema)) return;
    this.#nesting += 1;
    if (this.#nesting > VALIDATION_NESTING_MAX)
      throw new ExpressionFailure("the schema nests too deeply to apply", { limit: true });
    const { alternatives, identity, text, list, object, number } = this.#prepare(schema);
    if (alternatives !== null) this.#alternatives(alternatives, value, loc, issues);
    if (identity !== null) this.#identity(identity, value, loc, issues);
    if (text !== null && typeof value === "string") this.#text(text, value, loc, issues);
    if (list !== null && isList(value)) this.#list(list, value, loc, issues);
    if (object !== null && isMap(value)) this.#object(object, value, loc, issues);
    if (number !== null) checkNumber(number, numberOf(fromJson(value)), loc, issues);
    this.#nesting -= 1;
  }

  #prepare(schema: JsonObject): PreparedSchema {
    const known = this.#prepared.get(schema);
    if (known !== undefined) return known;
    const made = prepareSchema(this.#root, schema);
    this.#prepared.set(schema, made);
    return made;
  }

  #identity({ types, constant, choices }: Rules["identity"], value: JsonValue, loc: Loc, issues: Issues): void {
    if (types !== null && !types.some((type) => hasType(type, value))) {
      issues.add(loc, "wrong_type", () => `must be ${types.join(" or ")}`);
    }
    if (constant !== undefined && !this.#equal(constant, value)) {
      issues.add(loc, "wrong_value", () => `must be ${shortJson(constant)}`);
    }
    if (choices !== null && !choices.some((choice) => this.#equal(choice, value))) {
      issues.add(loc, "wrong_value", () => `must be one of ${shortJson([...choices])}`);
    }
  }

  #alternatives(rules: Rules["alternatives"], value: JsonValue, loc: Loc, issues: Issues): void {
    const { target, allOf, anyOf, oneOf, not } = rules;
    if (target !== undefined) this.check(target, value, loc, issues);
    for (const each of allOf) this.check(each, value, loc, issues);
    if (anyOf !== null && !anyOf.some((each) => this.#fits(each, value))) {
      issues.add(loc, "no_alternative", `fits none of the ${anyOf.length} alternatives`);
    }
    if (oneOf !== null) {
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

  #text({ length, pattern, source }: Rules["text"], value: string, loc: Loc, issues: Issues): void {
    if (length !== null) {
      this.#budget.spend(Math.ceil(value.length / CHARACTERS_PER_STEP));
      bounded(charactersOf(value), length, "character", (msg) => issues.add(loc, "wrong_length", msg));
    }
    if (pattern === null || search(pattern, value, this.#budget)) return;
    issues.add(loc, "pattern_mismatch", `must match the pattern ${source}`);
  }

  #list({ length, unique, items }: Rules["list"], value: readonly JsonValue[], loc: Loc, issues: Issues): void {
    bounded(value.length, length, "item", (msg) => issues.add(loc, "wrong_length", msg));
    if (unique) {
      const twin = value.findIndex((item, at) => value.slice(0, at).some((before) => this.#equal(before, item)));
      if (twin >= 0) issues.add([...loc, twin], "not_unique", "is in the list already");
    }
    if (items === undefined) return;
    for (const [at, item] of value.entries()) this.check(items, item, [...loc, at], issues);
  }

  #object(
    { size, required, properties, additional }: Rules["object"],
    value: JsonObject,
    loc: Loc,
    issues: Issues,
  ): void {
    const keys = Object.keys(value);
    bounded(keys.length, size, "key", (msg) => issues.add(loc, "wrong_length", msg));
    for (const name of required) {
      this.#budget.spend(1);
      if (!Object.hasOwn(value, name)) issues.add([...loc, name], "missing", "is required");
    }
    for (const key of keys) {
      const member = Object.hasOwn(properties, key) ? properties[key] : additional;
      this.check(member ?? true, value[key] ?? null, [...loc, key], issues);
    }
  }

  #equal(a: JsonValue, b: JsonValue): boolean {
    return equal(fromJson(a), fromJson(b), this.#budget);
  }
}

function checkNumber(rules: Rules["number"], number: bigint | number | undefined, loc: Loc, issues: Issues): void {
  if (number === undefined) return;
  const { minimum, maximum, above, below, step } = rules;
  const refuse = (msg: string) => issues.add(loc, "out_of_range", msg);
  if (minimum !== undefined && number < minimum) refuse(`must be at least ${minimum}`);
  if (maximum !== undefined && number > maximum) refuse(`must be at most ${maximum}`);
  if (above !== undefined && number <= above) refuse(`must be above ${above}`);
  if (below !== undefined && number >= below) refuse(`must be below ${below}`);
  if (step !== undefined && !isMultiple(number, step)) refuse(`must be a multiple of ${step}`);
}

function hasType(type: JsonValue, value: JsonValue): boolean {
  switch (type) {
    case "object":
      return isMap(value);
    case "array":
      return isList(value);
    case "null":
      return value === null;
    case "number":
      return typeof value === "number" || numberOf(value) !== undefined;
    case "integer":
      return Number.isInteger(typeof value === "number" ? value : wholeOf(numberOf(value)));
    default:
      return typeof value === type;
  }
}

/** A number that is whole exactly when the given one is. */
function wholeOf(number: bigint | number | undefined): number | undefined {
  return typeof number === "bigint" ? 0 : number;
}

/** A double cannot hold most decimal steps, so a quotient this close to a whole number counts as one. */
const QUOTIENT_TOLERANCE = 1e-9;

function isMultiple(number: bigint | number, step: bigint | number): boolean {
  if (typeof number === "bigint" && typeof step === "bigint") return number % step === 0n;
  const quotient = Number(number) / Number(step);
  return Math.abs(quotient - Math.round(quotient)) < QUOTIENT_TOLERANCE;
}

function bounded(size: number, [min, max]: Bounds, what: string, refuse: (msg: string) => void): void {
  if (min !== undefined && size < min) refuse(`must have at least ${min} ${what}${min === 1 ? "" : "s"}`);
  if (max !== undefined && size > max) refuse(`must have at most ${max} ${what}${max === 1 ? "" : "s"}`);
}

/** JSON for a message, cut where it gets long. */
function shortJson(value: JsonValue): string {
  return excerpt(JSON.stringify(value), 100);
}
