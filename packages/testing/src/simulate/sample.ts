import { Chance } from "../world/chance.ts";

const KEPT = 20_000;

/** Values of a distribution: their number and sum exactly, their percentiles from as many as are kept. */
export class Sample {
  readonly #chance: Chance;
  readonly #kept: number[] = [];
  #count = 0;
  #sum = 0;
  #max = 0;
  #isSorted = false;

  constructor(seed = 1) {
    this.#chance = new Chance(seed);
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  get max(): number {
    return this.#max;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    this.#max = Math.max(this.#max, value);
    // Each value ever added is among the kept ones with the same probability.
    const at = this.#kept.length < KEPT ? this.#kept.length : this.#chance.below(this.#count);
    if (at < KEPT) this.#kept[at] = value;
    this.#isSorted = false;
  }

  /** The value that this part of all values does not exceed; 0 when there are none. */
  percentile(part: number): number {
    if (!this.#isSorted) {
      // Numbers in no order are as good a sample as in the order in which they came.
      this.#kept.sort((a, b) => a - b);
      this.#isSorted = true;
    }
    return this.#kept[Math.max(Math.ceil(part * this.#kept.length) - 1, 0)] ?? 0;
  }
}
