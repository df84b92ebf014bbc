import { performance } from "node:perf_hooks";
import type { Timers } from "../domain/timers.ts";

/** The process's own timers. A waiting timer keeps the process alive. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  set: (ms, fire) => {
    // Node counts from a clock it reads once per turn of its loop, and so may fire a fraction of a millisecond early.
    const timer = setTimeout(fire, Math.ceil(ms) + 1);
    return () => clearTimeout(timer);
  },
};
