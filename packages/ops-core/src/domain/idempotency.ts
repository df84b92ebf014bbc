import { createHash } from "node:crypto";
import type { JsonValue } from "@opspawn/contract";
import type { Context } from "./context.ts";
import type { Idempotency, Store } from "./store.ts";
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

/**
 * Runs a request so that its first answer stands: a repetition that would be refused by now (its agent is gone, its
 * address is not allowed any more) is answered as the first one was. Only a refusal costs a look at the key; what is
 * not refused comes to the transition, which looks itself.
 * @param run what it answers or refuses now; its value must be what the transition stored
 */
export async function repeatable<T>(
  answers: Store["answers"],
  idempotency: Idempotency | undefined,
  run: () => Promise<{ value: T; replayed: boolean }>,
): Promise<{ value: T; replayed: boolean }> {
  try {
    return await run();
  } catch (error) {
    const known = idempotency === undefined ? null : await answers.find(idempotency);
    if (known === null) throw error;
    return { value: known as T, replayed: true };
  }
}

function hashOf(body: JsonValue): string {
  return createHash("sha256").update(canonicalJson(body)).digest("hex");
}
