import { DURATION_HINT, parseDuration } from "@opspawn/contract";
import type { Chance } from "./chance.ts";

/** How long something takes: always the same, anything between two times, or a long tail through two percentiles. */
export type Latency =
  | string
  | { readonly from: string; readonly to: string }
  | { readonly p50: string; readonly p95: string };

/** Draws how long it takes this time, in microseconds. */
export type DrawLatency = (chance: Chance) => number;

/** The 95th percentile of the standard normal distribution. */
const Z95 = 1.6448536269514722;

/**
 * Reads a latency. `{ p50, p95 }` is the lognormal distribution through both.
 * @throws RangeError that says what is wrong, with the name of the wrong part in front (`p95: must be ...`)
 */
export function drawFrom(latency: Latency): DrawLatency {
  if (typeof latency === "string") {
    const micros = micro(latency, "");
    return () => micros;
  }
  if ("from" in latency) {
    const [from, to] = [micro(latency.from, "from: "), micro(latency.to, "to: ")];
    if (to < from) throw new RangeError("to: must not be shorter than `from`");
    return (chance) => from + chance.next() * (to - from);
  }
  const [p50, p95] = [micro(latency.p50, "p50: "), micro(latency.p95, "p95: ")];
  if (p50 === 0) throw new RangeError("p50: must be longer than 0s; for no time at all write 0s alone");
  if (p95 < p50) throw new RangeError("p95: must not be shorter than `p50`");
  const sigma = Math.log(p95 / p50) / Z95;
  return (chance) => p50 * Math.exp(sigma * chance.normal());
}

/**
 * Reads a duration as microseconds.
 * @throws RangeError that says how to write one
 */
export function micro(text: string, name: string): number {
  const micros = parseDuration(text);
  if (micros === null) throw new RangeError(`${name}must be ${DURATION_HINT}, not ${JSON.stringify(text)}`);
  return micros;
}
