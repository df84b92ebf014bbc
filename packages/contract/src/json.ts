import { OpspawnError } from "./errors.ts";
import { checkParsed, exceedsBytes, JSON_LIMITS, type JsonLimits, tooDeep } from "./json-limits.ts";
import { JsonReader } from "./json-reader.ts";
import type { JsonObject, JsonValue } from "./json-value.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

// Numbers that JSON.parse and JSON.stringify might not give back as they were written. Matches inside strings only cost
// time. The first look is what every body pays for: any fraction or exponent (but not seconds after `12:30:`, which
// stand in most bodies), 16 digits, `-0`. The second knows better: an exponent, 17 characters, 16 digits, a fraction
// that ends in 0 or begins with many, minus zero.
const FRACTION_OR_LONG = /[:[,][ \t\n\r]*(?:-?\d+[.eE](?<!\d:\d+\.)|-?\d{16}|-0)/;
const SUSPECT_NUMBER =
  /(?:"[ \t\n\r]*:|[[,])[ \t\n\r]*(-?\d+(?:\.\d+)?[eE][+-]?\d+|-?[\d.]{17,}|-?\d{16}|-?\d+\.\d*0(?!\d)|-?0\.000000\d*|-0(?![.\d]))/g;

// Below this, a body of nothing but brackets is parsed faster than it is looked at twice.
const SCAN_DEPTH_ABOVE = 16_384;

/**
 * Reads JSON from outside, within limits, losing nothing: numbers a double would change stay as they were written and
 * `stringifyJson` gives them back (see `isJsonNumber`). Bytes must be UTF-8; a byte order mark is ignored.
 *
 * @throws OpspawnError `body_too_large`, `json_invalid` (its issue's `loc` ends in the character offset), `too_deep`,
 *   `invalid_text` or `invalid_request`.
 */
export function parseJson(input: string | Uint8Array, limits: JsonLimits = JSON_LIMITS): JsonValue {
  const text = typeof input === "string" ? input : decode(input, limits);
  if (exceedsBytes(text, limits.maxBytes)) throw tooLarge(limits);
  const value = parseText(text, limits.maxDepth);
  checkParsed(value, text, limits);
  return value;
}

/** Compact JSON text; raw numbers come out as they came in. */
export function stringifyJson(value: JsonValue): string {
  return JSON.stringify(value);
}

/** True for `{}` values; arrays, null and raw numbers are none. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** True for numbers, raw ones included. Use this, not `typeof`, wherever JSON from outside is judged. */
export function isJsonNumber(value: JsonValue | undefined): boolean {
  return typeof value === "number" || JSON.isRawJSON(value);
}

/** The nearest double of a JSON number, or undefined when `value` is no number. */
export function jsonNumber(value: JsonValue | undefined): number | undefined {
  if (typeof value === "number") return value;
  return JSON.isRawJSON(value) ? Number(value.rawJSON) : undefined;
}

/** The text of a JSON number as it was written, or undefined when `value` is no number. */
export function jsonNumberText(value: JsonValue | undefined): string | undefined {
  if (typeof value === "number") return String(value);
  return JSON.isRawJSON(value) ? value.rawJSON : undefined;
}

function decode(bytes: Uint8Array, limits: JsonLimits): string {
  if (bytes.length > limits.maxBytes) throw tooLarge(limits);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const message = "The body is not UTF-8 text.";
    throw new OpspawnError("invalid_text", message, {
      cause,
      issues: [{ loc: ["body"], msg: message, type: "invalid_text" }],
    });
  }
}

function parseText(text: string, maxDepth: number): JsonValue {
  if (text.length > SCAN_DEPTH_ABOVE && isDeeper(text, maxDepth)) throw tooDeep(maxDepth);
  if (!hasInexactNumber(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // The reader below finds the place.
    }
  }
  return new JsonReader(text, maxDepth).read();
}

function hasInexactNumber(text: string): boolean {
  if (/^[ \t\n\r]*[-\d]/.test(text)) return true;
  if (!FRACTION_OR_LONG.test(text)) return false;
  SUSPECT_NUMBER.lastIndex = 0;
  for (;;) {
    const source = SUSPECT_NUMBER.exec(text)?.[1];
    if (source === undefined) return false;
    if (String(Number(source)) !== source) return true;
  }
}

/** Counts brackets outside strings; for text that is no JSON the answer only has to be cheap. */
function isDeeper(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      i = stringEnd(text, i);
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
  return false;
}

function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return i;
    if (code === 0x5c) i++;
  }
  return text.length;
}

function tooLarge(limits: JsonLimits): OpspawnError {
  return new OpspawnError("body_too_large", `The body has more than ${limits.maxBytes} bytes.`);
}
