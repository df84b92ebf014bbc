import type { Timers } from "../domain/timers.ts";

/** Something that must end by a point in time. */
export interface Expiring {
  /** Milliseconds on the timers' clock; may change while it waits. */
  limit: number;
  expire(): void;
}

/** How often limits are looked at, in milliseconds: an end is at most this late, and never early. */
const SWEEP_INTERVAL = 50;

/**
 * One timer for all open requests. A timer of its own for each would cost more than the rest of the client, and limits
 * move as a request gets on (connect, headers, body).
 */
export class Deadlines {
  readonly #timers: Timers;
  readonly #open = new Set<Expiring>();
  #cancel: (() => void) | null = null;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  add(entry: Expiring): void {
    this.#open.add(entry);
    if (this.#cancel === null) this.#wait();
  }

  delete(entry: Expiring): void {
    this.#open.delete(entry);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #wait(): void {
    this.#cancel = this.#timers.set(SWEEP_INTERVAL, () => this.#sweep());
  }

  #sweep(): void {
    this.#cancel = null;
    const now = this.#timers.now();
    for (const entry of this.#open) if (entry.limit <= now) entry.expire();
    if (this.#open.size > 0) this.#wait();
  }
}
