import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { create, list, revoke } = operations.keys;

export type KeyRequest = OperationRequest<typeof create>["body"];
type KeyQuery = OperationRequest<typeof list>["query"];

/** Credentials. */
export class Keys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Creates a key. Its `secret` is in this answer and nowhere else. */
  create(body: KeyRequest, options?: CallOptions) {
    // With the answer the secret is lost; trying again would leave a key behind that nobody holds.
    return this.#transport.call(create, { body }, { maxRetries: 0, ...options });
  }

  /** One page, newest first, without secrets. */
  list(query: KeyQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  listAll(query: KeyQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  /** The key is refused from now on. */
  revoke(keyId: string, options?: CallOptions) {
    return this.#transport.call(revoke, { params: { keyId } }, options);
  }
}
