import { OpspawnError } from "@opspawn/contract";
import type { Clock } from "../domain/clock.ts";
import type { ReplayLog } from "../domain/webhooks/replay-log.ts";

const CAPACITY = 100_000;

/**
 * A replay log in memory, for parts that have no store. It forgets on restart, so a copy sent right after one is taken.
 * Only messages with a good signature get here; when there are too many it refuses rather than forgets.
 */
export class MemoryReplayLog implements ReplayLog {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #known = new Map<string, number>();

  /** @param capacity messages remembered at once; default 100,000 */
  constructor(clock: Clock, capacity = CAPACITY) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  /** @throws OpspawnError `overloaded` when it is full of messages whose time is not over. */
  remember(id: string, until: number): boolean {
    const now = this.#clock.now();
    const known = this.#known.get(id);
    if (known !== undefined && known >= now) return false;
    if (this.#known.size >= this.#capacity) this.#forget(now);
    if (this.#known.size >= this.#capacity) {
      throw new OpspawnError("overloaded", "Too many signed messages in a short time.", { retryAfter: 1 });
    }
    // Deleted first, so that entries stay in the order in which they were remembered.
    this.#known.delete(id);
    this.#known.set(id, until);
    return true;
  }

  /** Oldest first. Times of one tolerance only grow, so the first that is not over ends the search. */
  #forget(now: number): void {
    for (const [id, until] of this.#known) {
      if (until >= now) return;
      this.#known.delete(id);
    }
  }
}
