import type { Page, Paged } from "../store.ts";

/** A limit by which a key is counted. */
export interface LimitRecord {
  readonly kind: "concurrency" | "rateLimit";
  readonly key: string;
  readonly limit: number;
  /** Microseconds that `limit` is for; null for `concurrency`. */
  readonly per: number | null;
  /** Permits that are held, draining ones included; for a rate, tasks that began within `per`. */
  readonly held: number;
  /** Of these, held by attempts that were given up and may still be at work. */
  readonly draining: number;
  /** Tasks that may be claimed as soon as their limits, and somebody's capacity, allow. */
  readonly waiting: number;
  /** When a rate that is used up lets the next task begin. */
  readonly nextPermitAt: number | null;
}

export interface LimitStore {
  /** Limits that somebody holds, has used within their time, or waits for; by kind and key. */
  list(page: Page, filter: { key?: string | undefined }): Promise<Paged<LimitRecord>>;
}
