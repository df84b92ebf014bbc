/** Counts how many things go on at a time, and how much time that makes together. */
export class Meter {
  readonly #now: () => number;
  #count = 0;
  #most = 0;
  #since: number;
  #total = 0;

  /** @param now microseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  get count(): number {
    return this.#count;
  }

  /** The most that ever went on at once. */
  get most(): number {
    return this.#most;
  }

  /** Microseconds that all of them took together, so far. */
  get total(): number {
    return this.#total + this.#count * (this.#now() - this.#since);
  }

  add(change: 1 | -1): void {
    this.#total = this.total;
    this.#since = this.#now();
    this.#count += change;
    this.#most = Math.max(this.#most, this.#count);
  }
}
