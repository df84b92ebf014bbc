import { performance } from "node:perf_hooks";
import type { Clock } from "../domain/clock.ts";

/**
 * The process's clock: wall time as it was at start, plus monotonic time since. Steps of the machine's clock do not
 * reach it; it takes them in at the next start.
 */
export const systemClock: Clock = {
  now: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
};
