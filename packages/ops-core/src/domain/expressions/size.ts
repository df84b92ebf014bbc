import type { JsonObject, JsonValue } from "@opspawn/contract";
import { ExpressionFailure } from "./failure.ts";
import { RESULT_DEPTH_MAX, RESULT_SIZE_MAX } from "./limits.ts";

/** Characters a number, bool or null counts for. */
const SCALAR_SIZE = 8;
/** Characters around a string, a member or a container: quotes, colon, comma, brackets. */
const PUNCTUATION_SIZE = 3;

/** Adds up what the expressions of one resolution yield. Gives up as soon as a bound is passed, however large the rest. */
export class ResultSize {
  #left = RESULT_SIZE_MAX;

  /** @param depth levels of nesting above the value */
  add(value: JsonValue, depth: number): void {
    if (typeof value !== "object" || value === null) {
      this.#take(typeof value === "string" ? value.length + PUNCTUATION_SIZE : SCALAR_SIZE);
    } else if (JSON.isRawJSON(value)) this.#take(value.rawJSON.length);
    else this.#members(value, depth + 1);
  }

  #members(container: JsonValue[] | JsonObject, depth: number): void {
    if (depth > RESULT_DEPTH_MAX) throw new ExpressionFailure(`the value nests deeper than ${RESULT_DEPTH_MAX} levels`);
    this.#take(PUNCTUATION_SIZE);
    if (Array.isArray(container)) {
      for (const member of container) this.add(member, depth);
      return;
    }
    for (const key of Object.keys(container)) {
      this.#take(key.length + PUNCTUATION_SIZE);
      this.add(container[key] ?? null, depth);
    }
  }

  #take(characters: number): void {
    this.#left -= characters;
    if (this.#left >= 0) return;
    throw new ExpressionFailure(
      `the values are larger than ${RESULT_SIZE_MAX} characters; pass large data by reference`,
    );
  }
}
