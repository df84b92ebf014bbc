/**
 * How fast each of many callers may go: `rate` calls a second on average, and `BURST` seconds' worth of them at once. One
 * number per caller, in two generations of bounded size: when the young one is full, the old one is forgotten, so a flood
 * of made-up callers costs no memory and an honest one at most its history.
 */
const BURST = 2;
const GENERATION = 20_000;

export class Pace {
  readonly #interval: number;
  readonly #ahead: number;
  /** By caller, the time (ms) at which its calls so far would have ended at the allowed rate. */
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  /** @param rate calls a second, above 0; `Infinity` = any number */
  constructor(rate: number) {
    this.#interval = 1000 / rate;
    this.#ahead = BURST * 1000;
  }

  /** Milliseconds until the caller may call again; 0 = now. */
  waitOf(caller: string, now: number): number {
    return this.#interval === 0 ? 0 : Math.max(this.#endOf(caller, now) + this.#interval - now - this.#ahead, 0);
  }

  /** Counts a call, if the caller may make it now; else says in how many milliseconds. */
  take(caller: string, now: number): number {
    const wait = this.waitOf(caller, now);
    if (wait === 0 && this.#interval > 0) this.#set(caller, this.#endOf(caller, now) + this.#interval);
    return wait;
  }

  /** Callers it remembers. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #endOf(caller: string, now: number): number {
    return Math.max(this.#young.get(caller) ?? this.#old.get(caller) ?? 0, now);
  }

  #set(caller: string, end: number): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(caller, end);
  }
}
