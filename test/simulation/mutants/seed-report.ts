/** What came of one seed. */
export interface SeedReport {
  readonly seed: number;
  /** What was wrong, in a line; null = nothing. */
  readonly words: string | null;
  /** Numbers of the probes that saw a value which makes a difference. */
  readonly seen: readonly number[];
}
