import type { EventStore, StoredEvent } from "../store.ts";

type List = EventStore["list"];

/**
 * The reads of those who follow all events, stand at the same place and are woken together: one of them asks the store,
 * and within the same turn the others get its answer, the very same list. What is committed in the middle of the turn
 * they hear of by the next hint, like anything that comes after a read.
 */
export class SharedReads implements Pick<EventStore, "list"> {
  readonly #list: List;
  readonly #reads = new Map<string, Promise<readonly StoredEvent[]>>();

  constructor(events: Pick<EventStore, "list">) {
    this.#list = (...query) => events.list(...query);
  }

  list(after: number, limit: number, stream?: string): Promise<readonly StoredEvent[]> {
    // Who follows one stream may need to see what was committed a moment ago: whether it has ended.
    if (stream !== undefined) return this.#list(after, limit, stream);
    const place = `${after} ${limit}`;
    const known = this.#reads.get(place);
    if (known !== undefined) return known;
    const read = this.#list(after, limit);
    if (this.#reads.size === 0) setImmediate(() => this.#reads.clear());
    this.#reads.set(place, read);
    return read;
  }
}
