import { isJsonObject, type JsonObject } from "@opspawn/contract";
import type { Fields } from "./fields.ts";
import { checkSchema, type PatternAllowance } from "./schema.ts";

const HINT = "{ schema: { type: object } }";

/** Reads `input: { schema }` or `output: { schema }`; null when there is none, or none that can be used. */
export function readSchema(fields: Fields, name: "input" | "output", allowance: PatternAllowance): JsonObject | null {
  const holder = fields.inside(name, HINT);
  holder?.closed(["schema"]);
  return holder === undefined ? null : schemaIn(holder, "schema", allowance);
}

/**
 * The same on a step. The originals' documents know no such field and may hold anything under its name, so there only
 * an object with a `schema` is ours.
 */
export function readStepSchema(
  step: Fields,
  name: "input" | "output",
  { mode, patterns }: { readonly mode: "original" | "strict"; readonly patterns: PatternAllowance },
): JsonObject | null {
  const value = step.value(name);
  const isOurs = mode === "strict" || (isJsonObject(value) && isJsonObject(value.schema));
  return isOurs ? readSchema(step, name, patterns) : null;
}

/** Reads a field that is a schema itself. */
export function schemaIn(fields: Fields, name: string, allowance: PatternAllowance): JsonObject | null {
  const schema = fields.value(name);
  if (schema === undefined) return null;
  checkSchema(schema, fields.at(name), fields.issues, allowance);
  return isJsonObject(schema) ? schema : null;
}
