import { type OperationRequest, operations } from "@opspawn/contract";
import { type FollowedEvent, type FollowOptions, follow } from "./follow.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { list } = operations.events;

export type EventQuery = OperationRequest<typeof list>["query"];

/** Facts that were committed. */
export class Events {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Events after a position; with `wait` (at most `1m`) the answer comes with the first one, or after that time. */
  list(query: EventQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  /**
   * Every event, in order and without gaps, past ones first and then as they happen, over as many connections as it
   * takes. Ends by itself only where one session or task is followed.
   * @throws OpspawnResetError when the place to go on from is lost, and `onReset` is not given
   */
  follow(options: FollowOptions = {}): AsyncGenerator<FollowedEvent, void> {
    return follow(this.#transport, options);
  }
}
