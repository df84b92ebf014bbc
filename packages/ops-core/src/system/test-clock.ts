import type { Clock } from "../domain/clock.ts";

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  #now: number;

  /** @param start microseconds since the epoch */
  constructor(start = 1_750_000_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** @param micros microseconds to go on by */
  advance(micros: number): void {
    this.#now += micros;
  }
}
