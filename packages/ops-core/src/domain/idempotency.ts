import { createHash } from "node:crypto";
import type { JsonValue } from "@opspawn/contract";
import type { Context } from "./context.ts";
import type { Idempotency } from "./store.ts";
import { canonicalJson } from "./workflows/difference.ts";

/**
 * What makes a repeated request recognisable: who, which operation, their key, and the body's hash, in which neither
 * the order of keys nor blanks count. Undefined when the caller sent no key.
 */
export function idempotencyOf(
  context: Pick<Context, "actor" | "idempotencyKey">,
  operation: string,
  body: unknown,
): Idempotency | undefined {
  if (context.idempotencyKey === undefined) return undefined;
  return { actor: context.actor.id, operation, key: context.idempotencyKey, bodyHash: hashOf(body as JsonValue) };
}

function hashOf(body: JsonValue): string {
  return createHash("sha256").update(canonicalJson(body)).digest("hex");
}
