import { OpspawnError } from "./errors.ts";
import { tooDeep } from "./json-limits.ts";
import type { JsonObject, JsonValue } from "./json-value.ts";

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORDS: readonly (readonly [string, JsonValue])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/**
 * A plain JSON reader for what `JSON.parse` cannot do: it names the offset of a syntax error (in the places where the
 * originals' parser saw it), stops at a depth instead of building it, and keeps numbers that a double would change.
 * Slower than `JSON.parse`, linear, and never deeper in the stack than `maxDepth`.
 */
export class JsonReader {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  /** @throws OpspawnError `json_invalid` with `loc` `["body", offset in characters]`, or `too_deep`. */
  read(): JsonValue {
    this.#skipBlanks();
    const value = this.#value(0);
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail("text after the end of the document", this.#at);
    return value;
  }

  #value(depth: number): JsonValue {
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string();
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      default:
        return this.#scalar();
    }
  }

  #object(depth: number): JsonObject {
    if (depth >= this.#maxDepth) throw tooDeep(this.#maxDepth);
    const object: JsonObject = {};
    this.#at++;
    this.#skipBlanks();
    if (this.#takes("}")) return object;
    for (;;) {
      if (this.#text[this.#at] !== '"') this.#fail("expected a property name in double quotes", this.#at);
      const key = this.#string();
      this.#skipBlanks();
      if (!this.#takes(":")) this.#fail("expected ':' after the property name", this.#at);
      this.#skipBlanks();
      setOwn(object, key, this.#value(depth + 1));
      this.#skipBlanks();
      if (this.#takes("}")) return object;
      if (!this.#takes(",")) this.#fail("expected ',' or '}'", this.#at);
      this.#skipBlanks();
    }
  }

  #array(depth: number): JsonValue[] {
    if (depth >= this.#maxDepth) throw tooDeep(this.#maxDepth);
    const array: JsonValue[] = [];
    this.#at++;
    this.#skipBlanks();
    if (this.#takes("]")) return array;
    for (;;) {
      array.push(this.#value(depth + 1));
      this.#skipBlanks();
      if (this.#takes("]")) return array;
      if (!this.#takes(",")) this.#fail("expected ',' or ']'", this.#at);
      this.#skipBlanks();
    }
  }

  #string(): string {
    const start = this.#at;
    const text = this.#text;
    let escaped = false;
    for (let at = start + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        return escaped ? JSON.parse(text.slice(start, at + 1)) : text.slice(start + 1, at);
      }
      if (code < 0x20) this.#fail("control character in a string", at);
      if (code === 0x5c) {
        escaped = true;
        at = this.#escapeEnd(start, at);
      }
    }
    return this.#fail("unterminated string", start);
  }

  /** Returns the last index of the escape that begins at `at`. */
  #escapeEnd(start: number, at: number): number {
    const text = this.#text;
    const kind = text[at + 1];
    if (kind === undefined) this.#fail("unterminated string", start);
    if (kind !== "u") {
      if (!'"\\/bfnrt'.includes(kind)) this.#fail("invalid escape in a string", at);
      return at + 1;
    }
    // Four digits and something after them: the originals' parser looks that far before it looks for the quote.
    if (!/^[0-9a-fA-F]{4}./s.test(text.slice(at + 2, at + 7))) this.#fail("invalid \\u escape in a string", at + 1);
    return at + 5;
  }

  #scalar(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const source = NUMBER.exec(this.#text)?.[0];
    if (source !== undefined) {
      this.#at += source.length;
      const number = Number(source);
      return String(number) === source ? number : raw(source);
    }
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#fail("expected a value", this.#at);
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fail(reason: string, at: number): never {
    // Callers count characters, not UTF-16 units.
    const offset = Array.from(this.#text.slice(0, at)).length;
    const message = `The body is not valid JSON: ${reason} at character ${offset}.`;
    throw new OpspawnError("json_invalid", message, {
      issues: [{ loc: ["body", offset], msg: reason, type: "json_invalid" }],
    });
  }
}

function setOwn(object: JsonObject, key: string, value: JsonValue): void {
  // Plain assignment would call the `__proto__` setter; the key must stay visible to be refused.
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

function raw(source: string): JsonValue {
  // A raw number stands among the values of a document; whoever looks inside asks `isJsonNumber` first.
  return JSON.rawJSON(source) as unknown as JsonValue;
}
