import { performance } from "node:perf_hooks";

/** Milliseconds of real time. It decides nothing of what happens: it notices what will never end, and measures. */
export const realClock = { now: (): number => performance.now() };

// Kept from the first moment: test runners that fake timers put others in their place.
const immediately = setImmediate;

/** Resolves when everything has happened that waits for neither time nor the world outside. */
export function turn(): Promise<void> {
  return new Promise((resolve) => immediately(resolve));
}
