/** How many more attempts this process may take on for sending. The store asks while it claims; the engine knows. */
export class SendCapacity {
  readonly #max: number;
  #open: (() => number) | null = null;

  /** @param max exchanges at once */
  constructor(max: number) {
    this.#max = max;
  }

  readonly left = (): number => (this.#open === null ? 0 : Math.max(this.#max - this.#open(), 0));

  /** @param exchanges counts the exchanges under way */
  open(exchanges: () => number): void {
    this.#open = exchanges;
  }

  close(): void {
    this.#open = null;
  }
}
