import { formatTime } from "@opspawn/contract";
import { HOUR } from "../../packages/ops-core/src/domain/clock.ts";
import type { Simulation } from "./simulation.ts";

/** A time that has just passed or soon comes by the server's clock, as one writes it somewhere in the world. */
export function randomTime(sim: Simulation): string {
  const at = sim.clock.now() + sim.between(-2_000, 9_000) * 1_000;
  const offset = sim.pick([0, 0, 2, -5]);
  const sign = offset < 0 ? "-" : "+";
  const text = formatTime(at + offset * HOUR);
  return offset === 0 ? text : text.replace("Z", `${sign}0${Math.abs(offset)}:00`);
}
