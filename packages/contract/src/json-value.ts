/** A JSON value in memory. Numbers that a double cannot hold exactly are raw JSON objects (see `json.ts`). */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** What `JSON.rawJSON` makes: `JSON.stringify` writes `rawJSON` as it stands. */
export interface RawJson {
  readonly rawJSON: string;
}

// The compiler's libraries do not know these two parts of the language yet.
declare global {
  interface JSON {
    rawJSON(text: string): RawJson;
    isRawJSON(value: unknown): value is RawJson;
  }
}
