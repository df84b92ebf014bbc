/**
 * Bounds on expressions. They count characters, nodes and steps, never seconds: the same expression over the same data
 * must fail on a fast machine exactly when it fails on a slow one.
 */

/** Characters (UTF-16 units) between `${{` and `}}`. */
export const EXPRESSION_LENGTH_MAX = 4_096;
/** Nodes of the syntax tree of one expression. */
export const EXPRESSION_NODES_MAX = 1_000;
/** Levels of nesting inside one expression. */
export const EXPRESSION_DEPTH_MAX = 64;
/** Expressions in one definition. */
export const EXPRESSIONS_MAX = 5_000;
/** Regular expressions in one definition: each takes milliseconds to compile. */
export const PATTERNS_MAX = 100;
/** Evaluation steps of one resolution, all expressions of the template together. About 100 ms at the very worst. */
export const COST_MAX = 500_000;
/** Characters of one string that an expression makes. */
export const STRING_LENGTH_MAX = 1_048_576;
/** Characters of JSON, roughly, that the expressions of one resolution may yield together. */
export const RESULT_SIZE_MAX = 1_048_576;
/** Levels of nesting of a resolved value. */
export const RESULT_DEPTH_MAX = 64;
/** Characters of one regular expression. */
export const PATTERN_LENGTH_MAX = 500;
/** Instructions a regular expression may compile to. */
export const PATTERN_PROGRAM_MAX = 2_000;
