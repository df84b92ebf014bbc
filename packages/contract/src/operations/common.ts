import { z } from "zod";
import type { JsonObject, JsonValue } from "../json-value.ts";

/** Any JSON value; already checked for depth, size and text when the body was read. */
export const jsonValue = z.custom<JsonValue>((value) => value !== undefined, "Required");
export const jsonObject = z
  .custom<JsonObject>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value),
    "Expected a JSON object",
  )
  // For the JSON Schema made from it: a check by hand says nothing there.
  .meta({ type: "object" });

export const id = z.string().min(1).max(200);
export const name = z.string().min(1).max(200);
export const time = z.iso.datetime({ precision: 6 });
export const labels = z
  .record(z.string().min(1).max(63), z.string().max(255))
  .refine((value) => Object.keys(value).length <= 32, "At most 32 labels");

/** `30s`, `500ms`, `1m`: how long a request may wait for news; at most one minute. */
export const wait = z.string().regex(/^\d{1,5}(ms|s|m)$/, "Expected a duration such as `30s`");

export const page = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
};

export const taskError = z.object({
  code: z.string().max(100),
  message: z.string().max(10_000),
  retryable: z.boolean().optional(),
  /** Nobody knows whether what it announced has happened. */
  uncertain: z.literal(true).optional(),
});

/** Why something waits, written by the code that decided it. */
export const blocked = z.object({
  reason: z.string(),
  message: z.string(),
  since: time,
  /** Names and numbers behind the message. */
  details: z.record(z.string(), z.unknown()).optional(),
});

/** An answer to `why`: what is known of the wait, and sentences about it. */
export const explained = {
  blocked: blocked.nullable(),
  explanation: z.array(z.string()),
};

export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
