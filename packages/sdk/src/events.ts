import { type EventView, type OperationRequest, operations } from "@opspawn/contract";
import { microsOf } from "./duration.ts";
import { PAGE_LIMIT } from "./page.ts";
import { atLeast, retrying, SHORTEST_POLL } from "./retry.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { list } = operations.events;

export type EventQuery = OperationRequest<typeof list>["query"];

export interface FollowOptions {
  /** A session, a stand-alone task or an agent. Default: all events. */
  readonly stream?: string | undefined;
  /** A position (with `stream`: a sequence); events after it follow. Default: from the first one kept. */
  readonly after?: number | undefined;
  /** Ends the iteration, quietly. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time without an answer (a server that restarts) before the error is thrown. Default `1m`. */
  readonly patience?: string | undefined;
  /** Hears of each failure that will be tried again. */
  readonly onRetry?: ((error: unknown) => void) | undefined;
}

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

  /** Every event, in order and without gaps, past ones first and then as they happen; never ends by itself. */
  async *follow(options: FollowOptions = {}): AsyncGenerator<EventView> {
    const { clock, chance } = this.#transport;
    const { stream, signal, onRetry } = options;
    const patience = microsOf(options.patience ?? "1m", "patience");
    let after = options.after ?? 0;
    while (!signal?.aborted) {
      const query = { limit: PAGE_LIMIT, stream, after, wait: "20s" };
      const began = clock.now();
      const again = { clock, chance, until: began + patience, signal, onRetry };
      const page = await retrying(() => this.list(query, { signal }), again).catch((error: unknown) => {
        if (signal?.aborted) return undefined;
        throw error;
      });
      if (page === undefined) return;
      after = page.next;
      yield* page.items;
      if (page.items.length === 0) await atLeast(SHORTEST_POLL, began, clock, signal);
    }
  }
}
