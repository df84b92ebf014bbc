import { isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";
import { ExpressionFailure } from "../expressions/failure.ts";
import { fromJson, numberOf } from "../expressions/values.ts";
import type { Issues, Loc } from "../issues.ts";
import { suggestion } from "../suggestion.ts";
import { SCHEMA_PATTERNS_MAX, SCHEMA_SIZE_MAX } from "./limits.ts";
import { patternOf } from "./schema-patterns.ts";

/**
 * The schemas of a definition are JSON Schema 2020-12, a subset of it, and interpreted. They come from whoever may save a workflow, so
 * a validator that compiles them to code (Ajv) is out: its code grows with the schema, and its patterns backtrack. A
 * keyword outside the subset is refused by name when the workflow is saved; ignoring it would accept what it forbids.
 */
export const SCHEMA_TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"] as const;

type Scalar = "count" | "number" | "positive" | "flag" | "names" | "choices" | "types";
export type Form = Scalar | "schema" | "schemas" | "schema map" | "pattern" | "reference" | "any";

/** What each keyword's value must be. */
export const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ["type", "types"],
  ["enum", "choices"],
  ["const", "any"],
  ["properties", "schema map"],
  ["required", "names"],
  ["additionalProperties", "schema"],
  ["minProperties", "count"],
  ["maxProperties", "count"],
  ["items", "schema"],
  ["minItems", "count"],
  ["maxItems", "count"],
  ["uniqueItems", "flag"],
  ["minLength", "count"],
  ["maxLength", "count"],
  ["pattern", "pattern"],
  ["minimum", "number"],
  ["maximum", "number"],
  ["exclusiveMinimum", "number"],
  ["exclusiveMaximum", "number"],
  ["multipleOf", "positive"],
  ["allOf", "schemas"],
  ["anyOf", "schemas"],
  ["oneOf", "schemas"],
  ["not", "schema"],
  ["$ref", "reference"],
  ["$defs", "schema map"],
  ["definitions", "schema map"],
  // The rest says something to people and nothing to the validator.
  ["$schema", "any"],
  ["$id", "any"],
  ["$comment", "any"],
  ["title", "any"],
  ["description", "any"],
  ["default", "any"],
  ["examples", "any"],
  ["deprecated", "any"],
  ["readOnly", "any"],
  ["writeOnly", "any"],
  ["format", "any"],
]);

const MUST_BE: Readonly<Record<Form, string>> = {
  count: "must be a whole number, zero or more",
  number: "must be a number",
  positive: "must be a number above zero",
  flag: "must be true or false",
  names: "must be a list of strings",
  choices: "must be a list with at least one value",
  types: `must be one of ${SCHEMA_TYPES.join(", ")}, or a list of them`,
  schema: "must be a schema: an object, true or false",
  schemas: "must be a list of schemas",
  "schema map": "must be an object of schemas",
  pattern: "must be a string",
  reference: 'must point into this schema, as in "#/$defs/address"; other documents are never fetched',
  any: "",
};

/** Patterns that the schemas of one definition may still have: each is compiled, here and now. */
export class PatternAllowance {
  #left = SCHEMA_PATTERNS_MAX;

  take(): boolean {
    this.#left -= 1;
    return this.#left >= 0;
  }
}

/**
 * Checks that a schema is one we can validate against: known keywords, sound values, local references that end.
 * @param allowance shared by all schemas of a definition
 */
export function checkSchema(
  schema: JsonValue,
  loc: Loc,
  issues: Issues,
  allowance: PatternAllowance = new PatternAllowance(),
): void {
  if (!isJsonObject(schema)) {
    issues.add(loc, "wrong_type", "must be a JSON Schema object");
  } else if (JSON.stringify(schema).length > SCHEMA_SIZE_MAX) {
    issues.add(loc, "too_large", `is larger than ${SCHEMA_SIZE_MAX} characters`);
  } else {
    const check = new SchemaCheck(schema, issues, allowance);
    check.schema(schema, loc);
    check.references();
    check.endless(loc);
  }
}

class SchemaCheck {
  readonly #root: JsonObject;
  readonly #issues: Issues;
  readonly #allowance: PatternAllowance;
  /** Schemas that apply to the same value as the schema they stand in. */
  readonly #inPlace = new Map<JsonObject, JsonObject[]>();
  readonly #references: { readonly reference: string; readonly loc: Loc }[] = [];

  constructor(root: JsonObject, issues: Issues, allowance: PatternAllowance) {
    this.#root = root;
    this.#issues = issues;
    this.#allowance = allowance;
  }

  schema(schema: JsonValue, loc: Loc): void {
    if (isJsonObject(schema)) {
      this.#inPlace.set(schema, inPlaceOf(schema, this.#root));
      for (const [keyword, value] of Object.entries(schema)) this.#keyword(keyword, value, [...loc, keyword]);
    } else if (typeof schema !== "boolean") this.#refuse(loc, MUST_BE.schema);
  }

  #keyword(keyword: string, value: JsonValue, loc: Loc): void {
    const form = FORMS.get(keyword);
    if (form === undefined) {
      const msg = () => `the keyword "${keyword}" is not supported in schemas${suggestion(keyword, FORMS.keys())}`;
      this.#issues.add(loc, "unsupported_keyword", msg);
    } else if (form === "schema") this.schema(value, loc);
    else if (form === "pattern" && typeof value === "string") this.#pattern(value, loc);
    else if (form === "reference" && typeof value === "string" && value.startsWith("#")) {
      this.#references.push({ reference: value, loc });
    } else if (form === "schemas" && Array.isArray(value) && value.length > 0) {
      for (const [position, each] of value.entries()) this.schema(each, [...loc, position]);
    } else if (form === "schema map" && isJsonObject(value)) {
      for (const [name, each] of Object.entries(value)) this.schema(each, [...loc, name]);
    } else if (!fits(form, value)) this.#refuse(loc, MUST_BE[form]);
  }

  /** Once all schemas are known: a reference may not point at something that was never checked as one. */
  references(): void {
    for (const { reference, loc } of this.#references) {
      const target = resolveReference(this.#root, reference);
      const found = typeof target === "boolean" || (target !== undefined && this.#inPlace.has(target as JsonObject));
      if (!found) this.#refuse(loc, `${JSON.stringify(reference)} points at no schema here`);
    }
  }

  #pattern(source: string, loc: Loc): void {
    if (!this.#allowance.take()) {
      this.#refuse(loc, `more than ${SCHEMA_PATTERNS_MAX} patterns in the schemas of one definition`);
      return;
    }
    try {
      patternOf(this.#root, source);
    } catch (error) {
      if (!(error instanceof ExpressionFailure)) throw error;
      this.#refuse(loc, error.message);
    }
  }

  /** A schema that applies itself to the same value again can never be decided. */
  endless(loc: Loc): void {
    const ended = new Set<JsonObject>();
    const open = new Set<JsonObject>();
    const visit = (schema: JsonObject): boolean => {
      if (open.has(schema)) return true;
      if (ended.has(schema)) return false;
      open.add(schema);
      const found = (this.#inPlace.get(schema) ?? []).some(visit);
      open.delete(schema);
      ended.add(schema);
      return found;
    };
    if ([...this.#inPlace.keys()].some(visit))
      this.#refuse(loc, "a $ref leads back to itself without going into the value");
  }

  #refuse(loc: Loc, msg: string): void {
    this.#issues.add(loc, "schema_invalid", msg);
  }
}

function fits(form: Form, value: JsonValue): boolean {
  const number = numberOf(fromJson(value));
  switch (form) {
    case "any":
      return true;
    case "flag":
      return typeof value === "boolean";
    case "names":
      return Array.isArray(value) && value.every((name) => typeof name === "string");
    case "choices":
      return Array.isArray(value) && value.length > 0;
    case "types": {
      const types = Array.isArray(value) ? value : [value];
      return types.length > 0 && types.every((type) => SCHEMA_TYPES.some((known) => known === type));
    }
    case "number":
      return number !== undefined;
    case "positive":
      return number !== undefined && number > 0;
    case "count":
      return typeof number === "bigint" && number >= 0n;
    default:
      return false;
  }
}

function inPlaceOf(schema: JsonObject, root: JsonObject): JsonObject[] {
  const { allOf = [], anyOf = [], oneOf = [], not = true, $ref } = schema;
  const lists = [allOf, anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? list : []));
  const target = typeof $ref === "string" ? resolveReference(root, $ref) : undefined;
  return [...lists, not, target ?? true].filter((each) => isJsonObject(each));
}

/** The schema a local reference (`#`, `#/$defs/a`) points at; undefined when there is none. */
export function resolveReference(root: JsonObject, reference: string): JsonValue | undefined {
  let found: JsonValue | undefined = root;
  for (const part of reference.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(found)) found = found[Number(key)];
    else found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  const pointer = reference === "#" || reference.startsWith("#/");
  return pointer && found !== undefined && (isJsonObject(found) || typeof found === "boolean") ? found : undefined;
}
