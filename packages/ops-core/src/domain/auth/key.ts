import type { Scope } from "@opspawn/contract";
import { HOUR } from "../clock.ts";

/** How long the keys of an agent's earlier registrations go on once the key of a newer one was used. */
export const KEY_OVERLAP = HOUR;

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
  /** Made by a registration of the agent; the next registration's key takes its place. */
  readonly registered: boolean;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}
