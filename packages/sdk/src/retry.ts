import { type Chance, type Clock, sleep } from "./clock.ts";
import { isPassing, OpspawnApiError } from "./errors.ts";

const FIRST_PAUSE = 200_000;
const LONGEST_PAUSE = 5_000_000;

/** Microseconds before the next try: doubling, with full jitter so that many clients do not come back together. */
export function pauseBefore(retry: number, chance: Chance): number {
  const ceiling = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(retry, 10));
  return Math.ceil(ceiling * chance.fraction());
}

/** Microseconds from one poll to the next when the server answers at once that there is nothing (it is stopping, say). */
export const SHORTEST_POLL = 250_000;

/** Waits until `micros` have passed since `began`; ends early, without an error, when the signal is aborted. */
export async function atLeast(micros: number, began: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  const rest = began + micros - clock.now();
  if (rest <= 0) return;
  await sleep(clock, rest, signal).catch(() => undefined);
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  /** Microseconds since the epoch; no try begins after it. */
  readonly until: number;
  /** Tries after the first; default: as many as the time allows. */
  readonly maxRetries?: number;
  readonly signal?: AbortSignal | undefined;
  /** Hears of each failure that will be tried again. */
  readonly onRetry?: ((error: unknown) => void) | undefined;
}

/**
 * Calls until it succeeds, fails for good, or the time is over; then the last error is thrown.
 * A `retry-after` of the server is kept to; one that ends too late is not waited for.
 */
export async function retrying<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await call();
    } catch (error) {
      if (options.signal?.aborted || !isPassing(error) || retry >= (options.maxRetries ?? Infinity)) throw error;
      const asked = error instanceof OpspawnApiError ? error.retryAfter : undefined;
      const pause = Math.max(asked ?? 0, pauseBefore(retry, options.chance));
      if (options.clock.now() + pause >= options.until) throw error;
      options.onRetry?.(error);
      await sleep(options.clock, pause, options.signal);
    }
  }
}
