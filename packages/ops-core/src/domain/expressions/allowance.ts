import { ExpressionFailure } from "./failure.ts";
import { EXPRESSIONS_MAX, PATTERNS_MAX } from "./limits.ts";

/** What one definition may still ask to be compiled; shared by all its templates. */
export class Allowance {
  #expressions = EXPRESSIONS_MAX;
  #patterns = PATTERNS_MAX;

  takeExpression(): void {
    this.#expressions -= 1;
    if (this.#expressions < 0)
      throw new ExpressionFailure(`more than ${EXPRESSIONS_MAX} expressions in one definition`);
  }

  takePattern(at: number): void {
    this.#patterns -= 1;
    if (this.#patterns < 0) throw new ExpressionFailure(`more than ${PATTERNS_MAX} patterns in one definition`, { at });
  }
}
