import type { Ids } from "../domain/ids.ts";

/** Numbered ids and seeded chance: the same calls give the same answers in every run. */
export class TestIds implements Ids {
  #count = 0;
  #state: number;
  /** What `random` answers while it is set. */
  chance: number | undefined;

  constructor(seed = 1) {
    this.#state = seed >>> 0;
  }

  uuid(): string {
    const count = this.#next();
    return `${count.slice(0, 8)}-${count.slice(8)}-7000-8000-000000000000`;
  }

  secret(): string {
    return `secret0000${this.#next()}`;
  }

  /** The generator known as mulberry32. */
  random(): number {
    if (this.chance !== undefined) return this.chance;
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  #next(): string {
    this.#count += 1;
    return this.#count.toString(16).padStart(12, "0");
  }
}
