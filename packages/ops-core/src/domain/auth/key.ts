import type { Scope } from "@opspawn/contract";

/** An API key without its secret. Times are microseconds. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
  /** `admin` covers everything. */
  readonly scopes: readonly (Scope | "admin")[];
  /** The only agent this key may speak for; null = not an agent's key. */
  readonly agentId: string | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}
