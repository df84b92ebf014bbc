import type { Outcome } from "./outcome.ts";

/** An outcome as it is remembered: which attempt of the task ended so. */
export interface RememberedOutcome {
  readonly attempt: number;
  readonly outcome: Outcome;
}

export interface MemoryLimits {
  readonly outcomes: number;
  /** Characters of outcome text. */
  readonly characters: number;
}

const DEFAULT_LIMITS: MemoryLimits = { outcomes: 1_000, characters: 16 * 1024 * 1024 };

/** The latest outcomes by idempotency key; the oldest are forgotten first. */
export class OutcomeMemory {
  readonly #limits: MemoryLimits;
  readonly #outcomes = new Map<string, RememberedOutcome>();
  #characters = 0;

  constructor(limits: MemoryLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  get(key: string): RememberedOutcome | undefined {
    return this.#outcomes.get(key);
  }

  remember(key: string, remembered: RememberedOutcome): void {
    this.forget(key);
    this.#outcomes.set(key, remembered);
    this.#characters += remembered.outcome.body.length;
    for (const oldest of this.#outcomes.keys()) {
      if (this.#outcomes.size <= this.#limits.outcomes && this.#characters <= this.#limits.characters) break;
      this.forget(oldest);
    }
  }

  forget(key: string): void {
    const known = this.#outcomes.get(key);
    if (known === undefined) return;
    this.#outcomes.delete(key);
    this.#characters -= known.outcome.body.length;
  }
}
