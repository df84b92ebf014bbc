import type { Delivery, DeliveryKind } from "../domain/deliveries/delivery.ts";
import type { DeliveryStore } from "../domain/deliveries/delivery-store.ts";

export interface DeliveryQueueOptions {
  readonly deliveries: DeliveryStore;
  readonly kinds: readonly DeliveryKind[];
  /** Under way at once. */
  readonly atOnce: number;
  /** Sends one and records what became of it. */
  readonly send: (delivery: Delivery) => Promise<void>;
}

/** Begins the deliveries that are due, each once at a time. */
export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  readonly #open = new Map<string, Promise<void>>();

  constructor(options: DeliveryQueueOptions) {
    this.#options = options;
  }

  /** Begins what is due, without waiting for its end. The number of deliveries begun. */
  async tick(): Promise<number> {
    const { deliveries, kinds, atOnce, send } = this.#options;
    const free = atOnce - this.#open.size;
    if (free <= 0) return 0;
    const due = await deliveries.due(free, kinds, [...this.#open.keys()]);
    for (const delivery of due) {
      const sent = send(delivery).finally(() => this.#open.delete(delivery.id));
      this.#open.set(delivery.id, sent);
      // A failure to record leaves the delivery due; the next tick sends it again under the same id.
      sent.catch(() => undefined);
    }
    return due.length;
  }

  /** Deliveries under way. */
  get open(): number {
    return this.#open.size;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#open.values());
  }
}
