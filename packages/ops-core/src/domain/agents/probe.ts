import { isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";

/** A tiny task by which an agent shows that it works. */
export interface Probe {
  readonly parameters: JsonObject;
  /** Microseconds. */
  readonly timeout: number;
  /** What its result must hold; absent = any result will do. */
  readonly expect?: JsonValue;
}

/** Whether a result holds what is expected: objects may have more members, everything else must be equal. */
export function holds(result: JsonValue, expected: JsonValue): boolean {
  if (isJsonObject(expected)) {
    if (!isJsonObject(result)) return false;
    return Object.entries(expected).every(([name, value]) => {
      const found = Object.hasOwn(result, name) ? result[name] : undefined;
      return found !== undefined && holds(found, value);
    });
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(result) || result.length !== expected.length) return false;
    return expected.every((value, i) => holds(result[i] ?? null, value));
  }
  return JSON.stringify(result) === JSON.stringify(expected);
}
