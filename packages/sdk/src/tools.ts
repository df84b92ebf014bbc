import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, KeyedCallOptions, Transport } from "./transport.ts";

const { register, list, remove } = operations.tools;

export type ToolRegistration = OperationRequest<typeof register>["body"];
type ToolQuery = OperationRequest<typeof list>["query"];

/** External HTTP tools. */
export class Tools {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  register(body: ToolRegistration, options?: KeyedCallOptions) {
    return this.#transport.call(register, { body }, options);
  }

  /** One page, by name. */
  list(query: ToolQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  listAll(query: ToolQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  remove(name: string, options?: CallOptions) {
    return this.#transport.call(remove, { params: { name } }, options);
  }
}
