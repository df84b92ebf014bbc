import type { JsonObject } from "@opspawn/contract";
import { PATTERN_LENGTH_MAX } from "../expressions/limits.ts";
import { FORMS, type Form, SCHEMA_TYPES } from "./schema.ts";

const SCHEMA: JsonObject = { $ref: "#/definitions/schema" };

/** What each keyword means, for people; those without a text are explained by their name. */
const MEANINGS: Readonly<Record<string, string>> = {
  type: "What kind of value it is, or which kinds it may be.",
  enum: "The values it may have.",
  const: "The value it must have.",
  properties: "What the known keys of an object hold.",
  required: "Keys an object must have.",
  additionalProperties: "What all other keys of an object hold; false: there may be none.",
  minProperties: "Least number of keys.",
  maxProperties: "Largest number of keys.",
  items: "What every item of a list is.",
  minItems: "Least number of items.",
  maxItems: "Largest number of items.",
  uniqueItems: "No item may be there twice.",
  minLength: "Least number of characters.",
  maxLength: "Largest number of characters.",
  pattern: "A pattern of RE2 that some part of the text must match; anchor it with ^ and $.",
  minimum: "Least value.",
  maximum: "Largest value.",
  exclusiveMinimum: "The value must be above this.",
  exclusiveMaximum: "The value must be below this.",
  multipleOf: "The value must be a whole number of times this.",
  allOf: "It must fit all of these.",
  anyOf: "It must fit at least one of these.",
  oneOf: "It must fit exactly one of these.",
  not: "It must not fit this.",
  $ref: 'A schema of this same schema, such as "#/$defs/address".',
  $defs: "Schemas to refer to.",
  definitions: "Schemas to refer to, under their older name.",
};

const SHAPES: Readonly<Record<Form, JsonObject>> = {
  count: { type: "integer", minimum: 0 },
  number: { type: "number" },
  positive: { type: "number", exclusiveMinimum: 0 },
  flag: { type: "boolean" },
  names: { type: "array", items: { type: "string" } },
  choices: { type: "array", minItems: 1 },
  types: {
    anyOf: [{ enum: [...SCHEMA_TYPES] }, { type: "array", minItems: 1, items: { enum: [...SCHEMA_TYPES] } }],
  },
  schema: { allOf: [SCHEMA] },
  schemas: { type: "array", minItems: 1, items: SCHEMA },
  "schema map": { type: "object", additionalProperties: SCHEMA },
  pattern: { type: "string", maxLength: PATTERN_LENGTH_MAX },
  reference: { type: "string", pattern: "^#" },
  any: {},
};

/** The schema of the schemas a definition may hold: the keywords we validate by, and no others. */
export function schemaOfSchemas(): JsonObject {
  const keywords = [...FORMS].map(([keyword, form]): [string, JsonObject] => {
    const description = MEANINGS[keyword] ?? "Said to people; it decides nothing.";
    return [keyword, { description, ...SHAPES[form] }];
  });
  return { type: ["object", "boolean"], properties: Object.fromEntries(keywords), additionalProperties: false };
}
