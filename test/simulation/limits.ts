import type { JsonObject } from "@opspawn/contract";
import type { Simulation } from "./simulation.ts";

/** Few keys, so that they are shared, and limits that hold work back for a moment and not for long. */
export function randomLimits(sim: Simulation, keys: readonly string[]): JsonObject {
  const concurrency = { key: sim.pick(keys), limit: sim.between(1, 3) };
  const rateLimit = { key: sim.pick(keys), limit: sim.between(1, 4), per: `${sim.between(200, 2_500)}ms` };
  const both = sim.roll(0.25);
  const isRate = sim.roll(0.4);
  return { ...(both || !isRate ? { concurrency } : {}), ...(both || isRate ? { rateLimit } : {}) };
}
