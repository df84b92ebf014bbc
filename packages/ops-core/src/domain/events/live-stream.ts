import type { StoredEvent } from "../store.ts";
import type { Wait } from "../waiters.ts";
import type { Lost } from "./cursor.ts";
import { type EventFeed, type FeedPage, turn } from "./event-feed.ts";

/** What a follower is told, in this order: perhaps `reset`, then events with quiet between them, then perhaps `end`. */
export type StreamItem =
  /** The place asked for is lost; what follows is everything from the first event kept. */
  | { readonly type: "reset"; readonly reason: Lost }
  | { readonly type: "events"; readonly events: readonly StoredEvent[] }
  /** Nothing new, up to and with this event. Comes every few seconds at least. */
  | { readonly type: "quiet"; readonly last: StoredEvent | null }
  /** The session or task has ended, and all of its events were told. */
  | { readonly type: "end"; readonly status: string };

export interface LiveStreamParts {
  readonly feed: EventFeed;
  /** Opened before anything was read. */
  readonly wait: Wait;
  readonly lost: Lost | null;
  /** The status in which what is followed has ended; null while it is open. Null when it is of a kind that never ends. */
  readonly ended: (() => Promise<string | null>) | null;
  /** Gives up its place among the open streams. May be called again. */
  readonly close: () => void;
}

const PAGE = 100;
/** Pages without a wanted event after which a sign of life is due. */
const SCANS = 50;

/**
 * Events as they are committed, read from the store when the follower asks for more: who reads slowly is told late, and
 * costs no memory. Hints make it quick; every few seconds it looks by itself.
 */
export class LiveStream {
  readonly #parts: LiveStreamParts;
  #lost: Lost | null;
  #pending: FeedPage | null = null;
  #end: string | null = null;
  /** Nothing was told since it was found to be open. */
  #isOpen = false;
  #hasTold = false;

  constructor(parts: LiveStreamParts) {
    this.#parts = parts;
    this.#lost = parts.lost;
  }

  /** What comes next; null when nobody listens any more, or the server stops. */
  async next(): Promise<StreamItem | null> {
    if (this.#lost !== null) return this.#tellLost(this.#lost);
    if (this.#hasTold) await turn();
    if (this.#parts.wait.isEnded) return null;
    this.#hasTold = true;
    for (let waited = false; ; waited = true) {
      const page = await this.#look();
      if (page.events.length > 0) {
        this.#isOpen = false;
        return { type: "events", events: page.events };
      }
      if (this.#end !== null && page.isAtEnd) return { type: "end", status: this.#end };
      if (waited || !page.isAtEnd) return { type: "quiet", last: this.#parts.feed.last };
      if (!(await this.#parts.wait.next())) return null;
    }
  }

  /** Whether what is followed has ended, and everything was told to who comes back. */
  async wasToldWhole(): Promise<boolean> {
    if (this.#lost !== null || this.#parts.ended === null) return false;
    const page = await this.#look();
    this.#pending = page;
    return page.isAtEnd && this.#end !== null;
  }

  close(): void {
    this.#parts.close();
  }

  #tellLost(reason: Lost): StreamItem {
    this.#lost = null;
    return { type: "reset", reason };
  }

  /** The next page with something in it; an empty one at the end, or when many were looked at. */
  async #look(): Promise<FeedPage> {
    const page = await this.#scan();
    if (page.events.length > 0 || !page.isAtEnd || this.#end !== null || this.#isOpen) return page;
    // Ended is what had ended before the last look: so its last event is told before the end is.
    this.#end = (await this.#parts.ended?.()) ?? null;
    this.#isOpen = this.#end === null;
    return this.#isOpen ? page : this.#scan();
  }

  async #scan(): Promise<FeedPage> {
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) return pending;
    for (let scans = 1; ; scans += 1) {
      const page = await this.#parts.feed.take(PAGE);
      if (page.events.length > 0 || page.isAtEnd || scans === SCANS) return page;
      await turn();
    }
  }
}
