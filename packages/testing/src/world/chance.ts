import type { Ids } from "@opspawn/ops-core/testing";

/** Chance made of a seed: the same seed gives the same numbers. The generator is the one known as mulberry32. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Chance of its own for somebody, so that what others draw does not change what they get. */
  static of(seed: number, name: string): Chance {
    return new Chance(hash(`${seed}/${name}`));
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** True with this probability. */
  roll(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** With this mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** A whole number below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let mixed = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) mixed = Math.imul(mixed ^ text.charCodeAt(i), 0x01000193);
  return mixed >>> 0;
}

/** Identifiers that count up, so that a seed's are the same in every run. */
export class CountedIds implements Ids {
  #count = 0;
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  uuid(): string {
    this.#count += 1;
    const digits = this.#count.toString(16).padStart(12, "0");
    return `${digits.slice(0, 8)}-${digits.slice(8)}-7000-8000-000000000000`;
  }

  secret(): string {
    this.#count += 1;
    return `secret${this.#count.toString(16).padStart(16, "0")}`;
  }

  random(): number {
    return this.#chance.next();
  }
}
