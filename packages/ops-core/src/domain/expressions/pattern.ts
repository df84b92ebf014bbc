import { RE2JS } from "re2js";
import type { Budget } from "./budget.ts";
import { ExpressionFailure } from "./failure.ts";
import { PATTERN_LENGTH_MAX, PATTERN_PROGRAM_MAX } from "./limits.ts";

/** Characters times instructions that cost one step. */
const WORK_PER_STEP = 256;

/** A regular expression on RE2, whose time is linear in the text: no pattern makes it explode. */
export interface Pattern {
  /** Steps that a search in a text of this length costs, known before it runs. */
  cost(length: number): number;
  /** True when any part of the text matches. */
  found(text: string): boolean;
}

/** @throws ExpressionFailure when the pattern is too long, too large when compiled, or not RE2 syntax. */
export function compilePattern(source: string): Pattern {
  if (source.length > PATTERN_LENGTH_MAX) {
    throw new ExpressionFailure(`the pattern has more than ${PATTERN_LENGTH_MAX} characters`);
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source);
  } catch (error) {
    throw new ExpressionFailure(`not a pattern of RE2: ${error instanceof Error ? error.message : String(error)}`);
  }
  const program = compiled.programSize();
  if (program > PATTERN_PROGRAM_MAX) {
    throw new ExpressionFailure(
      `the pattern compiles to ${program} instructions, at most ${PATTERN_PROGRAM_MAX} are allowed`,
    );
  }
  return {
    cost: (length) => 1 + Math.ceil((length * program) / WORK_PER_STEP),
    found: (text) => compiled.test(text),
  };
}

/** Searches, after paying for it. */
export function search(pattern: Pattern, text: string, budget: Budget): boolean {
  budget.spend(pattern.cost(text.length));
  return pattern.found(text);
}
