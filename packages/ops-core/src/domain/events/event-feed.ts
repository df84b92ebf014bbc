import type { EventStore, StoredEvent } from "../store.ts";
import { isWanted, isWhole, type Selection } from "./selection.ts";

/** Events looked at in one go when not all of them are wanted. */
const SCAN = 200;

export interface FeedPage {
  readonly events: readonly StoredEvent[];
  /** There was nothing left to look at. Without it an empty page only says that none of many was wanted. */
  readonly isAtEnd: boolean;
}

/** Reads the wanted events one page after the other, each once, whenever it is asked. */
export class EventFeed {
  readonly #events: Pick<EventStore, "list">;
  readonly #selection: Selection;
  /** The number of the last event that was looked at, in the count that reading goes by. */
  #number: number;
  #last: StoredEvent | null = null;

  /** @param after a position, or for a selection of one stream a sequence */
  constructor(events: Pick<EventStore, "list">, selection: Selection, after: number) {
    this.#events = events;
    this.#selection = selection;
    this.#number = after;
  }

  /** The last event that was looked at, wanted or not; null before the first one. */
  get last(): StoredEvent | null {
    return this.#last;
  }

  /** The next events, at most `limit`. */
  async take(limit: number): Promise<FeedPage> {
    const selection = this.#selection;
    const whole = isWhole(selection);
    const read = await this.#events.list(
      this.#number,
      whole ? limit : Math.max(limit, SCAN),
      selection.stream ?? undefined,
    );
    const wanted = whole ? read : read.filter((event) => isWanted(selection, event));
    const events = wanted.length > limit ? wanted.slice(0, limit) : wanted;
    const last = wanted.length > limit ? events.at(-1) : read.at(-1);
    if (last !== undefined) {
      this.#last = last;
      this.#number = selection.stream === null ? last.position : last.sequence;
    }
    return { events, isAtEnd: read.length === 0 };
  }
}

/** Lets everybody else have a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
