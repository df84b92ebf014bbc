import { type Issue, type JsonValue, jsonNumber, OpspawnError } from "@opspawn/contract";
import type { z } from "zod";

/** The part of a request a value came from; the first word of its issues' `loc`. */
export type Part = "path" | "query" | "body";

/**
 * Checks one part of a request against its schema; defaults are filled in.
 * @throws OpspawnError `invalid_request` with every wrong place
 */
export function readPart<S extends z.ZodType>(schema: S, part: Part, value: unknown): z.infer<S> {
  const first = schema.safeParse(value);
  if (first.success) return first.data;
  // A number that was kept as it was written (`1.0`) is a number where one is declared.
  const raw = first.error.issues.filter(({ path }) => JSON.isRawJSON(valueAt(value, path)));
  const result =
    raw.length === 0 ? first : schema.safeParse(raw.reduce((copy, { path }) => plainAt(copy, path), value));
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap((issue) => toIssues(part, issue, value));
  const message = issues
    .map(({ loc, msg }) => `${loc.join(".")}: ${msg}`)
    .slice(0, 3)
    .join("; ");
  throw new OpspawnError("invalid_request", message, { issues });
}

function toIssues(part: Part, issue: z.core.$ZodIssue, value: unknown): Issue[] {
  const loc = [part, ...issue.path.filter((key) => typeof key !== "symbol")];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ loc: [...loc, key], msg: "Unknown field", type: "unknown_field" }));
  }
  if (valueAt(value, issue.path) === undefined) return [{ loc, msg: "Field required", type: "missing" }];
  return [{ loc, msg: issue.message, type: issue.code }];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<PropertyKey, unknown>)[key];
  }
  return found;
}

/** A copy of `value` with the nearest double at `path`. */
function plainAt(value: unknown, path: readonly PropertyKey[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return jsonNumber(value as JsonValue);
  const object = value as Record<PropertyKey, unknown>;
  const changed = plainAt(object[key], rest);
  return Array.isArray(value) ? value.with(Number(key), changed) : { ...object, [key]: changed };
}
