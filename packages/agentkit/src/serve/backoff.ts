import type { Clock } from "../clock.ts";

const SECOND = 1_000_000;

/**
 * Microseconds to wait before another call: between half and all of a doubling delay, so that many agents that lost the
 * same platform do not come back in step.
 * @param tries calls made so far, from 1
 */
export function backoff(tries: number, clock: Pick<Clock, "random">, cap = 10 * SECOND): number {
  const delay = Math.min(cap, (SECOND / 4) * 2 ** Math.min(tries - 1, 20));
  return Math.round(delay * (0.5 + clock.random() / 2));
}

/** Whether the same call may succeed later. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}
