import type { JsonObject, JsonValue, RawJson } from "@opspawn/contract";

/**
 * What an expression computes with. An `int` is a bigint, a `double` a number. Lists and maps are the JSON they came
 * from, unconverted and uncopied; their members pass through `fromJson` when they are read. Raw JSON numbers stay as
 * they are until something computes with them, so an untouched one leaves exactly as it came.
 */
export type Value = null | boolean | bigint | number | string | RawJson | JsonValue[] | JsonObject;

export const INT_MIN = -(2n ** 63n);
export const INT_MAX = 2n ** 63n - 1n;
/** A raw integer with more digits is computed with as a double. */
const EXACT_DIGITS_MAX = 40;

/** A JSON value as expressions see it: whole numbers become ints, beyond the exact ones with the digits they are written in. */
export function fromJson(value: JsonValue): Value {
  if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) >= 2 ** 63) return value;
  return BigInt(Number.isSafeInteger(value) ? value : String(value));
}

/** The JSON of a value. A double that is whole keeps its fraction (`2.0`), so that it reads back as a double. */
export function toJson(value: Value): JsonValue {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : rawNumber(value.toString());
  }
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 63) {
    return rawNumber(Object.is(value, -0) ? "-0.0" : `${value}.0`);
  }
  return value as JsonValue;
}

/** A JSON number that keeps its text. */
function rawNumber(text: string): JsonValue {
  return JSON.rawJSON(text) as unknown as JsonValue;
}

export function isList(value: Value): value is JsonValue[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** The number a value is, or undefined when it is none. */
export function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  if (typeof value !== "object" || !JSON.isRawJSON(value)) return undefined;
  const text = value.rawJSON;
  return /^-?\d+$/.test(text) && text.length <= EXACT_DIGITS_MAX ? BigInt(text) : Number(text);
}

/** The type's name in messages. */
export function typeName(value: Value): string {
  if (value === null) return "null";
  if (isList(value)) return "list";
  if (isMap(value)) return "map";
  const number = numberOf(value);
  if (number !== undefined) return typeof number === "bigint" ? "int" : "double";
  return typeof value === "boolean" ? "bool" : "string";
}

/** The members a macro runs over: the elements of a list, the keys of a map. */
export function membersOf(value: Value): readonly JsonValue[] | undefined {
  if (isList(value)) return value;
  return isMap(value) ? Object.keys(value) : undefined;
}
