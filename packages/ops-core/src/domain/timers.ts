/** Waiting comes from outside, like time itself. Not for anything durable: that is a `wake_at` in the store. */
export interface Timers {
  /** Milliseconds on a monotonic clock; only differences mean something. */
  now(): number;
  /**
   * Calls `fire` once, not before `ms` milliseconds have passed.
   * @returns cancels it; harmless afterwards
   */
  set(ms: number, fire: () => void): () => void;
}
