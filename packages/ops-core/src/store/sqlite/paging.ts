import { OpspawnError } from "@opspawn/contract";
import type { Page, Paged } from "../../domain/store.ts";

/** The values of the last row's sort key, readable only by us. */
function encodeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

/** Errors: `invalid_cursor`. */
export function decodeCursor(cursor: string, length: number): (string | number)[] {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    values = null;
  }
  const valid =
    Array.isArray(values) &&
    values.length === length &&
    values.every((value) => typeof value === "string" || Number.isSafeInteger(value));
  if (!valid) {
    const msg = "This cursor is not one of ours.";
    throw new OpspawnError("invalid_cursor", msg, {
      issues: [{ loc: ["query", "cursor"], msg, type: "invalid_cursor" }],
    });
  }
  return values as (string | number)[];
}

/** Cuts a result read with one row too many into a page. */
export function toPage<Row, T>(
  rows: readonly Row[],
  page: Page,
  convert: (row: Row) => T,
  key: (row: Row) => (string | number)[],
): Paged<T> {
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return { items: shown.map(convert), nextCursor: more ? encodeCursor(key(last)) : null };
}

/** Conditions joined with `and`, and their values in order. */
export class Where {
  readonly #conditions: string[] = [];
  readonly values: (string | number)[] = [];

  add(condition: string, ...values: (string | number)[]): this {
    this.#conditions.push(condition);
    this.values.push(...values);
    return this;
  }

  get sql(): string {
    return this.#conditions.length === 0 ? "" : `where ${this.#conditions.join(" and ")}`;
  }
}
