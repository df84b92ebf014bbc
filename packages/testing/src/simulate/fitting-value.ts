import { isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";

const DEPTH_MAX = 20;

/** A value that a JSON Schema plausibly accepts; the engine judges it as it judges an agent's result. */
export function fittingValue(schema: JsonValue | undefined, depth = 0): JsonValue {
  if (!isJsonObject(schema) || depth > DEPTH_MAX) return null;
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (Array.isArray(schema.examples) && schema.examples[0] !== undefined) return schema.examples[0];
  if (Array.isArray(schema.enum) && schema.enum[0] !== undefined) return schema.enum[0];
  for (const word of ["allOf", "anyOf", "oneOf"]) {
    const list = schema[word];
    if (Array.isArray(list) && schema.type === undefined) return fittingValue(list[0], depth + 1);
  }
  return ofType(schema, depth);
}

function ofType(schema: JsonObject, depth: number): JsonValue {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type ?? (schema.properties === undefined ? undefined : "object")) {
    case "object":
      return objectOf(schema, depth);
    case "array": {
      const count = typeof schema.minItems === "number" ? schema.minItems : 0;
      return Array.from({ length: count }, () => fittingValue(schema.items, depth + 1));
    }
    case "string":
      return "x".repeat(typeof schema.minLength === "number" ? schema.minLength : 1);
    case "integer":
    case "number":
      return numberOf(schema);
    case "boolean":
      return true;
    default:
      return null;
  }
}

function objectOf({ properties, required }: JsonObject, depth: number): JsonObject {
  const known = isJsonObject(properties) ? properties : {};
  const names = Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
  return Object.fromEntries(names.map((name) => [name, fittingValue(known[name], depth + 1)]));
}

function numberOf({ minimum, exclusiveMinimum, maximum }: JsonObject): number {
  if (typeof minimum === "number") return minimum;
  if (typeof exclusiveMinimum === "number") return exclusiveMinimum + 1;
  return typeof maximum === "number" ? Math.min(maximum, 1) : 1;
}
