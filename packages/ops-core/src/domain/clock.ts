/** Time comes from outside, so that tests own it. */
export interface Clock {
  /** Microseconds since the epoch, UTC; never goes backwards within a process. */
  now(): number;
  /** Data says that it has been `micros` before: a clock that can goes on from there when it is behind. */
  goOnFrom?(micros: number): void;
}

export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
