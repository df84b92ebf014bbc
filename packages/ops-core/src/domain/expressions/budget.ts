import { ExpressionFailure } from "./failure.ts";
import { COST_MAX } from "./limits.ts";

/** Counts evaluation steps. The count depends on the expression and the data only, so exceeding it is reproducible. */
export class Budget {
  #left: number;
  readonly #refusal: string;

  constructor(limit: number = COST_MAX, refusal = `takes more than ${limit} steps; compute this in an agent instead`) {
    this.#left = limit;
    this.#refusal = refusal;
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    throw new ExpressionFailure(this.#refusal, { limit: true });
  }
}
