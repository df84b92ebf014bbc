import type { CancelMessageStore } from "../cancellations/cancellation-store.ts";
import type { Idempotency, Page, Paged } from "../store.ts";
import type { Delivery, DeliveryKind, DeliveryRecord, NewDelivery } from "./delivery.ts";

export interface DeliveryFilter {
  readonly status?: string | undefined;
  readonly agent?: string | undefined;
  readonly session?: string | undefined;
  readonly blockedReason?: string | undefined;
}

export interface DeliveryStore extends CancelMessageStore {
  /** Errors: `idempotency_key_reused`. */
  enqueue(delivery: NewDelivery, idempotency?: Idempotency): Promise<{ replayed: boolean }>;
  /**
   * Due deliveries of these kinds, the oldest of each (endpoint, aggregate) only.
   * @param begun those that are under way and not asked for again
   */
  due(max: number, kinds: readonly DeliveryKind[], begun?: readonly string[]): Promise<readonly Delivery[]>;
  /** @param follow what is to be sent because of that; stored in the same transaction, if this attempt was still due */
  delivered(id: string, attempt: number, follow?: NewDelivery): Promise<void>;
  /** Null `nextAt` = given up. */
  failed(id: string, attempt: number, error: string, nextAt: number | null, follow?: NewDelivery): Promise<void>;
  get(id: string): Promise<DeliveryRecord | null>;
  /** Newest first. */
  list(page: Page, filter: DeliveryFilter): Promise<Paged<DeliveryRecord>>;
  /** False when this id was seen before. For incoming webhooks. */
  remember(id: string, until: number): Promise<boolean>;
}
