import { createHash } from "node:crypto";
import type { JsonValue } from "@opspawn/contract";
import type { Context } from "./context.ts";
import type { Idempotency } from "./store.ts";

/**
 * What makes a repeated request recognisable: who, which operation, their key, and the body's hash, in which neither
 * the order of keys nor blanks count. Undefined when the caller sent no key.
 */
export function idempotencyOf(context: Context, operation: string, body: unknown): Idempotency | undefined {
  if (context.idempotencyKey === undefined) return undefined;
  return { actor: context.actor.id, operation, key: context.idempotencyKey, bodyHash: bodyHash(body as JsonValue) };
}

function bodyHash(body: JsonValue): string {
  return createHash("sha256").update(canonicalText(body)).digest("hex");
}

function canonicalText(value: JsonValue | undefined): string {
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`);
  return `{${members.join(",")}}`;
}
