import { operations } from "@opspawn/contract";
import type { CallOptions, Transport } from "./transport.ts";

const { read } = operations.metrics;

/** How much is open. */
export class Metrics {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What is open now, by status and by the reason it waits for. */
  read(options?: CallOptions) {
    return this.#transport.call(read, {}, options);
  }
}
