import type { Scope } from "@opspawn/contract";

/** What may be open to callers without a key: AgentKit's routes, and the task routes. */
export type OpenGroup = "agentkit" | "tasks";

/** Who asks. Derived from the credential alone, never from the payload. */
export interface Actor {
  readonly kind: "key" | "anonymous";
  /** A key's id, `operator` for the configured key, or `anonymous`: for idempotency, logs and audit. */
  readonly id: string;
  /** What its key is called, for people; names are given by those who make keys. */
  readonly name: string;
  readonly scopes: readonly (Scope | "admin")[];
  /** The only agent this caller may speak for; null = not an agent. */
  readonly agentId: string | null;
  /** What it may do without a key, on this bind. */
  readonly open: readonly OpenGroup[];
}

/** Every operation's first argument. */
export interface Context {
  readonly actor: Actor;
  readonly requestId: string;
  readonly idempotencyKey: string | undefined;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Set by an operation that repeats the answer to an earlier request with the same idempotency key. */
  replayed: boolean;
}

export function isAdmin(actor: Actor): boolean {
  return actor.scopes.includes("admin");
}
