/** How many things an agent is at, as it counts them itself: what it was given and has not told the end of. */
export class OwnSlots {
  /** Tasks, and until when its platform must keep the slot for each, by the clock of the platform. Microseconds. */
  readonly #at = new Map<string, number>();
  /** Tokens of attempts whose end it tells, or has told: whoever sends one of them again frees its slot all the same. */
  readonly #told = new Set<string>();

  /** @param lasts microseconds that the attempt was given; an ended one keeps its slot for as long again */
  begin(task: string, token: string, now: number, lasts: number): void {
    if (this.#told.has(token)) return;
    this.#at.set(task, Math.max(this.#at.get(task) ?? 0, now + lasts - MESSAGE_TAKES));
  }

  /** The attempt ended at `from`, and its platform does not know whether this has stopped. */
  drain(task: string, from: number, lasts: number): void {
    const known = this.#at.get(task);
    if (known !== undefined) this.#at.set(task, Math.max(known, from + lasts - MESSAGE_TAKES));
  }

  /** @param token of the attempt whose end it is about to tell */
  end(task: string, token?: string): void {
    if (token !== undefined) this.#told.add(token);
    this.#at.delete(task);
  }

  /** Its platform was told, or can see, that it is at nothing. */
  forget(): void {
    this.#at.clear();
  }

  isAt(task: string): boolean {
    return this.#at.has(task);
  }

  most(now: number): number {
    return [...this.#at.values()].filter((until) => until > now).length;
  }
}

/** What an attempt was given began to run when it was sent. */
const MESSAGE_TAKES = 20_000;
