import { isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";
import type { Pattern } from "../expressions/pattern.ts";
import { fromJson, numberOf } from "../expressions/values.ts";
import { resolveReference } from "./schema.ts";
import { patternOf } from "./schema-patterns.ts";

type Numeric = bigint | number;

/**
 * A schema as its validation reads it: looked up once, however many values it is applied to. A validation that looks up
 * keywords for each value anew takes five times as long, and it runs where nothing else can run.
 */
export interface PreparedSchema {
  readonly identity: Identity | null;
  readonly alternatives: Alternatives | null;
  readonly text: TextRules | null;
  readonly list: ListRules | null;
  readonly object: ObjectRules | null;
  readonly number: NumberRules | null;
}

interface Identity {
  readonly types: readonly JsonValue[] | null;
  readonly constant: JsonValue | undefined;
  readonly choices: readonly JsonValue[] | null;
}

interface Alternatives {
  readonly target: JsonValue | undefined;
  readonly allOf: readonly JsonValue[];
  readonly anyOf: readonly JsonValue[] | null;
  readonly oneOf: readonly JsonValue[] | null;
  readonly not: JsonValue | undefined;
}

/** Least and most; undefined = no bound. */
export type Bounds = readonly [min: number | undefined, max: number | undefined];

interface TextRules {
  readonly length: Bounds | null;
  readonly source: string;
  readonly pattern: Pattern | null;
}

interface ListRules {
  readonly length: Bounds;
  readonly unique: boolean;
  readonly items: JsonValue | undefined;
}

interface ObjectRules {
  readonly size: Bounds;
  readonly required: readonly string[];
  readonly properties: JsonObject;
  readonly additional: JsonValue | undefined;
}

interface NumberRules {
  readonly minimum: Numeric | undefined;
  readonly maximum: Numeric | undefined;
  readonly above: Numeric | undefined;
  readonly below: Numeric | undefined;
  readonly step: Numeric | undefined;
}

/** By root, which a schema's references are about; kept as long as the plan that has the root. */
const prepared = new WeakMap<JsonObject, Map<JsonObject, PreparedSchema>>();

/** The schemas of a root that were applied to something so far. */
export function preparedOf(root: JsonObject): Map<JsonObject, PreparedSchema> {
  const known = prepared.get(root) ?? new Map<JsonObject, PreparedSchema>();
  prepared.set(root, known);
  return known;
}

export function prepareSchema(root: JsonObject, schema: JsonObject): PreparedSchema {
  return {
    identity: identityOf(schema),
    alternatives: alternativesOf(root, schema),
    text: textOf(root, schema),
    list: listOf(schema),
    object: objectOf(schema),
    number: numberRulesOf(schema),
  };
}

function identityOf({ type, enum: choices, const: constant }: JsonObject): Identity | null {
  if (type === undefined && choices === undefined && constant === undefined) return null;
  const types = type === undefined ? null : (listed(type) ?? [type]);
  return { types, constant, choices: listed(choices) };
}

function alternativesOf(root: JsonObject, { $ref, allOf, anyOf, oneOf, not }: JsonObject): Alternatives | null {
  if ([$ref, allOf, anyOf, oneOf, not].every((each) => each === undefined)) return null;
  const target = typeof $ref === "string" ? resolveReference(root, $ref) : undefined;
  return { target, allOf: listed(allOf) ?? [], anyOf: listed(anyOf), oneOf: listed(oneOf), not };
}

function textOf(root: JsonObject, { minLength, maxLength, pattern }: JsonObject): TextRules | null {
  const length = boundsOf(minLength, maxLength);
  const source = typeof pattern === "string" ? pattern : null;
  if (length === null && source === null) return null;
  return { length, source: source ?? "", pattern: source === null ? null : patternOf(root, source) };
}

function listOf({ minItems, maxItems, uniqueItems, items }: JsonObject): ListRules | null {
  const length = boundsOf(minItems, maxItems);
  const unique = uniqueItems === true;
  if (length === null && !unique && items === undefined) return null;
  return { length: length ?? [undefined, undefined], unique, items };
}

function objectOf(schema: JsonObject): ObjectRules | null {
  const { required, minProperties, maxProperties, properties, additionalProperties } = schema;
  const size = boundsOf(minProperties, maxProperties);
  const rules = [size ?? undefined, required, properties, additionalProperties];
  if (rules.every((rule) => rule === undefined)) return null;
  return {
    size: size ?? [undefined, undefined],
    required: (listed(required) ?? []).map(String),
    properties: properties !== undefined && isJsonObject(properties) ? properties : {},
    additional: additionalProperties,
  };
}

function numberRulesOf(schema: JsonObject): NumberRules | null {
  const limit = (keyword: string) => numberOf(fromJson(schema[keyword] ?? null));
  const rules: NumberRules = {
    minimum: limit("minimum"),
    maximum: limit("maximum"),
    above: limit("exclusiveMinimum"),
    below: limit("exclusiveMaximum"),
    step: limit("multipleOf"),
  };
  return Object.values(rules).every((rule) => rule === undefined) ? null : rules;
}

function boundsOf(min: JsonValue | undefined, max: JsonValue | undefined): Bounds | null {
  const bounds = [min, max].map((bound) => (bound === undefined ? undefined : Number(numberOf(fromJson(bound)))));
  return min === undefined && max === undefined ? null : [bounds[0], bounds[1]];
}

function listed(value: JsonValue | undefined): readonly JsonValue[] | null {
  return Array.isArray(value) ? value : null;
}
