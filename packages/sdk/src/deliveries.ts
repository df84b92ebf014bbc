import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { list, get, why } = operations.deliveries;

export type DeliveryQuery = OperationRequest<typeof list>["query"];

/** Outgoing messages and webhooks. */
export class Deliveries {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One page, newest first. */
  list(query: DeliveryQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  listAll(query: DeliveryQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  get(deliveryId: string, options?: CallOptions) {
    return this.#transport.call(get, { params: { deliveryId } }, options);
  }

  /** Why it has not arrived yet. */
  why(deliveryId: string, options?: CallOptions) {
    return this.#transport.call(why, { params: { deliveryId } }, options);
  }
}
