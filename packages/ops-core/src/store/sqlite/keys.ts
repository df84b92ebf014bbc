import type { ApiKey } from "../../domain/auth/key.ts";
import type { Tx } from "./tx.ts";

export interface KeyRow {
  id: string;
  name: string;
  hash: string;
  scopes: string;
  agent_id: string | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

export function insertKey(tx: Tx, key: ApiKey): void {
  tx.run(
    "insert into keys (id, name, hash, scopes, agent_id, created_at, expires_at, revoked_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
    key.id,
    key.name,
    key.hash,
    JSON.stringify(key.scopes),
    key.agentId,
    key.createdAt,
    key.expiresAt,
    key.revokedAt,
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
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}
