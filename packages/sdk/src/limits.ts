import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { list } = operations.limits;

export type LimitQuery = OperationRequest<typeof list>["query"];

/** The keys by which tasks are limited: how many run at once, and how many begin within some time. */
export class Limits {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One page of the limits in use, by kind and key. */
  list(query: LimitQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  listAll(query: LimitQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }
}
