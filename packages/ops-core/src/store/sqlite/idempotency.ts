import { OpspawnError } from "@opspawn/contract";
import type { AnswerStore, Idempotency } from "../../domain/store.ts";
import { readStored } from "../../domain/stored-json.ts";
import type { Database } from "./database.ts";
import type { SqliteContext } from "./store.ts";
import type { Tx } from "./tx.ts";

interface StoredAnswer {
  body_hash: string;
  answer: string;
}

/**
 * Runs a transition once per (actor, operation, key): a repetition with the same body gets the stored answer, one with
 * another body is refused. The answer is stored in the same transaction as the effect, so neither exists alone.
 */
export function once<T>(
  tx: Tx,
  idempotency: Idempotency | undefined,
  transition: () => T,
): { value: T; replayed: boolean } {
  if (idempotency === undefined) return { value: transition(), replayed: false };
  const { actor, operation, key, bodyHash } = idempotency;
  const known = findAnswer(tx, idempotency);
  if (known !== null) return { value: known as T, replayed: true };
  const value = transition();
  tx.run(
    "insert into idempotency (actor, operation, key, body_hash, answer, created_at) values (?, ?, ?, ?, ?, ?)",
    actor,
    operation,
    key,
    bodyHash,
    JSON.stringify(value),
    tx.now,
  );
  return { value, replayed: false };
}

export function answerStore({ db }: SqliteContext): AnswerStore {
  return { find: async (idempotency) => findAnswer(db, idempotency) };
}

function findAnswer(from: Pick<Database, "get">, { actor, operation, key, bodyHash }: Idempotency): unknown {
  const known = from.get<StoredAnswer>(
    "select body_hash, answer from idempotency where actor = ? and operation = ? and key = ?",
    actor,
    operation,
    key,
  );
  if (known === undefined) return null;
  if (known.body_hash === bodyHash) return readStored(known.answer);
  throw new OpspawnError("idempotency_key_reused", "This Idempotency-Key was used for a different request.");
}
