/** Generated mutants that may survive, and why. */
export interface ExemptGroup {
  readonly reason: string;
  readonly ids: readonly string[];
}
