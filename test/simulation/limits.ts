import type { JsonObject } from "@opspawn/contract";
import type { Simulation } from "./simulation.ts";

/** What most say of a key, so that they wait in one line. */
const LIMITS: Readonly<Record<string, number>> = { k0: 1, k1: 2 };

/** Few keys, so that they are shared, and limits that hold work back for a moment and not for long. */
export function randomLimits(sim: Simulation, keys: readonly string[]): JsonObject {
  const [one, two] = [sim.pick(keys), sim.pick(keys)];
  const concurrency = { key: one, limit: sim.roll(0.25) ? sim.between(1, 3) : (LIMITS[one] ?? 3) };
  const rateLimit = { key: two, limit: sim.between(1, 4), per: `${sim.between(200, 2_500)}ms` };
  const both = sim.roll(0.15);
  const isRate = sim.roll(0.4);
  return { ...(both || !isRate ? { concurrency } : {}), ...(both || isRate ? { rateLimit } : {}) };
}
