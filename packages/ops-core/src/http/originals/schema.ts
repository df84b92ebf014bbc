import { isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";
import { OriginalError, type OriginalIssue } from "../errors.ts";
import { MAX_URL_BYTES, parseEndpointUrl } from "./endpoint-url.ts";
import { isTimeFault, parseMessageTime } from "./message-time.ts";
import type { WireTime } from "./wire-time.ts";

/** What a body of the originals must look like, as data. Values are never coerced, except to URLs and times. */
export type Schema =
  | { readonly kind: "string" | "dict" | "url" | "datetime" }
  | { readonly kind: "nullable" | "list"; readonly of: Schema }
  | Model;

export interface Model {
  readonly kind: "model";
  /** In declaration order: errors are listed in it. */
  readonly fields: Readonly<Record<string, Field>>;
  /** What happens to keys that are no fields. They are never an error. */
  readonly extras: "dropped" | "kept";
  /** Looks at the whole object before its fields; a text it returns is the only error then. */
  readonly check?: (input: JsonObject) => string | null;
}

export interface Field {
  readonly schema: Schema;
  /** Makes the value of an absent key; without it the key is required. */
  readonly absent?: () => unknown;
}

/** The type of a value that satisfied a schema. */
export type Value<S> = S extends { readonly kind: "model"; readonly fields: infer F; readonly extras: infer E }
  ? { readonly [K in keyof F]: FieldValue<F[K]> } & (E extends "kept" ? { readonly [extra: string]: unknown } : unknown)
  : S extends { readonly kind: "nullable"; readonly of: infer Of }
    ? Value<Of> | null
    : S extends { readonly kind: "list"; readonly of: infer Of }
      ? readonly Value<Of>[]
      : S extends { readonly kind: infer K extends keyof Scalars }
        ? Scalars[K]
        : never;

interface Scalars {
  string: string;
  dict: JsonObject;
  url: string;
  datetime: WireTime;
}

type FieldValue<F> = F extends { readonly schema: infer S; readonly absent: () => infer A }
  ? Value<S> | A
  : F extends { readonly schema: infer S }
    ? Value<S>
    : never;

// The originals list every fault; a body of a million faults shall not make an answer of a hundred megabytes.
const MAX_ISSUES = 1_000;

/**
 * Checks a body against a model and returns it with defaults filled in, URLs normalised and unknown keys dropped.
 *
 * @param body the parsed body, undefined when it was empty
 * @throws OriginalError with status 422 and the items the originals answered, in their order
 */
export function readBody<M extends Model>(model: M, body: JsonValue | undefined): Value<M> {
  const issues: OriginalIssue[] = [];
  const value =
    body === undefined || body === null
      ? void issues.push({ type: "missing", loc: ["body"], msg: "Field required", input: null })
      : read(model, body, ["body"], issues);
  if (issues.length > 0) throw new OriginalError("invalid_request", 422, issues.slice(0, MAX_ISSUES));
  return value as Value<M>;
}

type Loc = readonly (string | number)[];

function read(schema: Schema, input: JsonValue, loc: Loc, issues: OriginalIssue[]): unknown {
  switch (schema.kind) {
    case "string":
      return typeof input === "string" ? input : fault(issues, "string_type", loc, input);
    case "dict":
      return isJsonObject(input) ? input : fault(issues, "dict_type", loc, input);
    case "url":
      return readUrl(input, loc, issues);
    case "datetime":
      return readTime(input, loc, issues);
    case "nullable":
      return input === null ? null : read(schema.of, input, loc, issues);
    case "list":
      if (!Array.isArray(input)) return fault(issues, "list_type", loc, input);
      return input.map((item, i) => (issues.length > MAX_ISSUES ? item : read(schema.of, item, [...loc, i], issues)));
    case "model":
      return readModel(schema, input, loc, issues);
  }
}

function readModel(model: Model, input: JsonValue, loc: Loc, issues: OriginalIssue[]): unknown {
  if (!isJsonObject(input)) return fault(issues, "model_attributes_type", loc, input);
  const refusal = model.check?.(input) ?? null;
  if (refusal !== null) {
    return void issues.push({ type: "value_error", loc, msg: `Value error, ${refusal}`, input, ctx: { error: {} } });
  }
  const value: Record<string, unknown> = model.extras === "kept" ? { ...input } : {};
  for (const name in model.fields) {
    const field = model.fields[name] as Field;
    const given = input[name];
    if (given !== undefined) value[name] = read(field.schema, given, [...loc, name], issues);
    else if (field.absent !== undefined) value[name] = field.absent();
    else issues.push({ type: "missing", loc: [...loc, name], msg: "Field required", input });
  }
  return value;
}

const MESSAGES = {
  string_type: "Input should be a valid string",
  list_type: "Input should be a valid list",
  dict_type: "Input should be a valid dictionary",
  model_attributes_type: "Input should be a valid dictionary or object to extract fields from",
  url_type: "URL input should be a string or URL",
  url_scheme: "URL scheme should be 'http' or 'https'",
  url_too_long: `URL should have at most ${MAX_URL_BYTES} characters`,
  datetime_type: "Input should be a valid datetime",
} as const;

const CONTEXTS: { readonly [type: string]: JsonObject } = {
  url_scheme: { expected_schemes: "'http' or 'https'" },
  url_too_long: { max_length: MAX_URL_BYTES },
};

function fault(issues: OriginalIssue[], type: keyof typeof MESSAGES, loc: Loc, input: JsonValue): undefined {
  const ctx = CONTEXTS[type];
  const issue = { type, loc, msg: MESSAGES[type], input };
  issues.push(ctx === undefined ? issue : { ...issue, ctx });
}

function readUrl(input: JsonValue, loc: Loc, issues: OriginalIssue[]): string | undefined {
  if (typeof input !== "string") return fault(issues, "url_type", loc, input);
  const url = parseEndpointUrl(input);
  if ("href" in url) return url.href;
  if (url.type !== "url_parsing") return fault(issues, url.type, loc, input);
  const msg = `Input should be a valid URL, ${url.reason}`;
  return void issues.push({ type: url.type, loc, msg, input, ctx: { error: url.reason } });
}

function readTime(input: JsonValue, loc: Loc, issues: OriginalIssue[]): WireTime | undefined {
  const time = parseMessageTime(input);
  if (!isTimeFault(time)) return time;
  if (time.reason === null) return fault(issues, "datetime_type", loc, input);
  const wanted = time.type === "datetime_parsing" ? "datetime" : "datetime or date";
  const msg = `Input should be a valid ${wanted}, ${time.reason}`;
  return void issues.push({ type: time.type, loc, msg, input, ctx: { error: time.reason } });
}
