import { performance } from "node:perf_hooks";
import type { Timers } from "../domain/timers.ts";

/** The process's own timers. A waiting timer keeps the process alive. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  set: (ms, fire) => {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};
