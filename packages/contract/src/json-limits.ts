import { type Issue, OpspawnError } from "./errors.ts";
import type { JsonObject, JsonValue, RawJson } from "./json-value.ts";

/** What JSON from outside may cost us. */
export interface JsonLimits {
  /** UTF-8 bytes of the whole text. Default 1 MB. */
  readonly maxBytes: number;
  /** Nesting of arrays and objects; `[]` is 1 deep. Default 64. */
  readonly maxDepth: number;
  /** Object keys in the whole value. Default 10,000. */
  readonly maxKeys: number;
  /** UTF-8 bytes of one string or key. Default 256 KB. */
  readonly maxStringBytes: number;
}

export const JSON_LIMITS: JsonLimits = {
  maxBytes: 1_048_576,
  maxDepth: 64,
  maxKeys: 10_000,
  maxStringBytes: 262_144,
};

// Python stops at 4,300 digits too: longer numbers only serve to make big-number code slow.
const MAX_NUMBER_LENGTH = 4_300;

/**
 * Refuses what no part of the system may store or forward: values nested too deep, too many keys, over-long strings,
 * NUL and lone surrogates (PostgreSQL cannot hold them), keys that reach into prototypes, and numbers that are none.
 *
 * @throws OpspawnError `too_deep`, `invalid_request`, `body_too_large` or `invalid_text`, with the path as its issue.
 */
export function checkJson(value: JsonValue, limits: JsonLimits = JSON_LIMITS): void {
  new Checker(limits, true).check(value, 0);
}

/** `checkJson` for a value just read from `text`, which tells whether its strings need a look at all. */
export function checkParsed(value: JsonValue, text: string, limits: JsonLimits): void {
  // Inside JSON text NUL stands only as an escape, and so does what hides in well-formed text.
  const texts = text.includes("\\u") || !text.isWellFormed() || text.length * 3 > limits.maxStringBytes;
  new Checker(limits, texts).check(value, 0);
}

type Code = "too_deep" | "invalid_request" | "body_too_large" | "invalid_text";

class Checker {
  readonly #limits: JsonLimits;
  readonly #texts: boolean;
  /** The way to the value being looked at; entries beyond the current depth are stale. */
  readonly #path: (string | number)[] = [];
  #keys = 0;

  constructor(limits: JsonLimits, texts: boolean) {
    this.#limits = limits;
    this.#texts = texts;
  }

  check(value: JsonValue, depth: number): void {
    switch (typeof value) {
      case "string":
        if (this.#texts) this.#checkText(value, depth);
        return;
      case "number":
        if (!Number.isFinite(value)) this.#refuse("invalid_request", "The number is too large.", depth);
        return;
      case "boolean":
        return;
      case "object":
        if (value !== null) this.#checkObject(value, depth);
        return;
      default:
        this.#refuse("invalid_request", `A ${typeof value} is not JSON.`, depth);
    }
  }

  #checkObject(value: JsonValue[] | JsonObject, depth: number): void {
    if (Array.isArray(value)) {
      this.#checkDepth(depth);
      for (let i = 0; i < value.length; i++) {
        this.#path[depth] = i;
        this.check(value[i] as JsonValue, depth + 1);
      }
    } else if (JSON.isRawJSON(value)) {
      this.#checkNumber(value, depth);
    } else {
      this.#checkDepth(depth);
      for (const key in value) {
        this.#path[depth] = key;
        this.#checkKey(key, depth + 1);
        this.check(value[key] as JsonValue, depth + 1);
      }
    }
  }

  #checkDepth(depth: number): void {
    if (depth >= this.#limits.maxDepth) throw tooDeep(this.#limits.maxDepth);
  }

  #checkNumber(value: RawJson, depth: number): void {
    if (value.rawJSON.length > MAX_NUMBER_LENGTH)
      this.#refuse("invalid_request", "The number has too many digits.", depth);
    if (!Number.isFinite(Number(value.rawJSON))) this.#refuse("invalid_request", "The number is too large.", depth);
  }

  #checkKey(key: string, depth: number): void {
    if (++this.#keys > this.#limits.maxKeys) {
      throw new OpspawnError("invalid_request", `The JSON has more than ${this.#limits.maxKeys} keys.`);
    }
    if (key === "__proto__" || key === "constructor" || key === "prototype") {
      this.#refuse("invalid_request", `The key "${key}" is not allowed.`, depth);
    }
    if (this.#texts) this.#checkText(key, depth);
  }

  #checkText(text: string, depth: number): void {
    if (text.includes("\0")) this.#refuse("invalid_text", "NUL characters are not allowed.", depth);
    if (!text.isWellFormed()) this.#refuse("invalid_text", "Lone surrogates are not allowed.", depth);
    if (exceedsBytes(text, this.#limits.maxStringBytes)) {
      this.#refuse("body_too_large", `A string has more than ${this.#limits.maxStringBytes} bytes.`, depth);
    }
  }

  #refuse(code: Code, message: string, depth: number): never {
    const issue: Issue = { loc: ["body", ...this.#path.slice(0, depth)], msg: message, type: code };
    throw new OpspawnError(code, message, { issues: [issue] });
  }
}

export function tooDeep(maxDepth: number): OpspawnError {
  const message = `The JSON is nested more than ${maxDepth} levels deep.`;
  return new OpspawnError("too_deep", message, { issues: [{ loc: ["body"], msg: message, type: "too_deep" }] });
}

/** True when `text` takes more than `limit` bytes as UTF-8; encodes it only when its length leaves that open. */
export function exceedsBytes(text: string, limit: number): boolean {
  if (text.length * 3 <= limit) return false;
  return text.length > limit || new TextEncoder().encode(text).length > limit;
}
