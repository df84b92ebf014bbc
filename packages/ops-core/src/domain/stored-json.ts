import { type JsonLimits, type JsonValue, parseJson } from "@opspawn/contract";

/** What is stored was within the limits when it came in; results put together from others may be larger. */
const STORED: JsonLimits = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxDepth: 1_000,
  maxKeys: Number.MAX_SAFE_INTEGER,
  maxStringBytes: Number.MAX_SAFE_INTEGER,
};

/** Reads a JSON column; null when there is none. Numbers come out as they came in. */
export function readStored(text: string | null): JsonValue | null {
  return text === null ? null : parseJson(text, STORED);
}
