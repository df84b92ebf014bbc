import { type ApiKey, KEY_OVERLAP } from "../../domain/auth/key.ts";
import type { Database } from "./database.ts";
import type { Tx } from "./tx.ts";

export interface KeyRow {
  id: string;
  name: string;
  hash: string;
  scopes: string;
  agent_id: string | null;
  registered: number;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

/**
 * Keys have ids of their own, but one is made from an Idempotency-Key: used again after its day, that gives the same key,
 * as of now. What was revoked stays so.
 */
export function insertKey(tx: Tx, key: ApiKey): void {
  tx.run(
    `insert into keys (id, name, hash, scopes, agent_id, registered, created_at, expires_at, revoked_at)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do update
      set created_at = excluded.created_at, expires_at = excluded.expires_at`,
    key.id,
    key.name,
    key.hash,
    JSON.stringify(key.scopes),
    key.agentId,
    key.registered ? 1 : 0,
    key.createdAt,
    key.expiresAt,
    key.revokedAt,
  );
}

/** Keys of an agent's registrations before a time that have no end yet. */
const OUTLIVED = `from keys where agent_id = ? and created_at < ? and registered = 1 and expires_at is null
  and revoked_at is null`;

/** Whether a key that was used has predecessors to end. */
export function hasPredecessors(from: Pick<Database, "get">, { registered, agentId, createdAt }: ApiKey): boolean {
  return registered && from.get(`select 1 ${OUTLIVED} limit 1`, agentId, createdAt) !== undefined;
}

export function endPredecessors(tx: Tx, { agentId, createdAt }: ApiKey): void {
  tx.run(
    `update keys set expires_at = ? where id in (select id ${OUTLIVED})`,
    tx.now + KEY_OVERLAP,
    agentId,
    createdAt,
  );
}

/** The key as it is afterwards; null when there is none. */
export function revokeKey(tx: Tx, id: string): ApiKey | null {
  tx.run("update keys set revoked_at = ? where id = ? and revoked_at is null", tx.now, id);
  const row = tx.get<KeyRow>("select * from keys where id = ?", id);
  return row === undefined ? null : toKey(row);
}

export function toKey(row: KeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    scopes: JSON.parse(row.scopes) as ApiKey["scopes"],
    agentId: row.agent_id,
    registered: row.registered === 1,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}
