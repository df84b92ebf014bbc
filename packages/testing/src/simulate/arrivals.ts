import type { Chance } from "../world/chance.ts";

/** How sessions arrive: microseconds until the next one. */
export interface Arrivals {
  readonly text: string;
  /** Sessions per second; null = all at once. */
  readonly rate: number | null;
  next(chance: Chance): number;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600, d: 86_400 };
const RATE = /^(poisson:)?(\d{1,9}(?:\.\d{1,6})?)\/(s|min|m|h|d)$/;

/** What arrivals look like, for error messages. */
export const ARRIVALS_HINT = 'must be "at-once", a rate such as "10/s" or "90/min", or "poisson:10/s"';

/** Reads arrivals; null when the text is none. */
export function readArrivals(text: string): Arrivals | null {
  if (text === "at-once") return { text, rate: null, next: () => 0 };
  const match = RATE.exec(text);
  const rate = Number(match?.[2] ?? 0) / (UNITS[match?.[3] ?? ""] ?? 1);
  if (match === null || rate <= 0) return null;
  const gap = 1_000_000 / rate;
  const isRandom = match[1] !== undefined;
  return { text, rate, next: (chance) => (isRandom ? chance.exponential(gap) : gap) };
}
