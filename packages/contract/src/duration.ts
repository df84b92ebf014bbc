/** Microseconds per unit, largest first. */
const UNITS: readonly (readonly [unit: string, micros: number])[] = [
  ["d", 86_400_000_000],
  ["h", 3_600_000_000],
  ["m", 60_000_000],
  ["s", 1_000_000],
  ["ms", 1_000],
  ["us", 1],
];

/** What a duration looks like, for error messages. */
export const DURATION_HINT = 'a whole number and a unit, such as "250ms", "30s", "2m", "24h" or "7d"';

/**
 * Reads a duration such as `250ms`, `1s`, `2m`, `24h` or `7d`: a whole number, then one unit (`us ms s m h d`).
 * Null when the text is none, a bare number included: a number alone does not say of what.
 * @returns microseconds
 */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,15})(us|ms|s|m|h|d)$/.exec(text);
  if (match === null) return null;
  const micros = Number(match[1]) * (UNITS.find(([unit]) => unit === match[2])?.[1] ?? Number.NaN);
  return Number.isSafeInteger(micros) ? micros : null;
}

/**
 * Writes a duration in the largest unit that holds it exactly, so that `parseDuration` reads the same back.
 * @param micros a whole number of microseconds, zero or more
 */
export function formatDuration(micros: number): string {
  if (!Number.isSafeInteger(micros) || micros < 0) throw new RangeError(`Not a duration in microseconds: ${micros}`);
  if (micros === 0) return "0s";
  const [unit, size] = UNITS.find(([, each]) => micros % each === 0) ?? ["us", 1];
  return `${micros / size}${unit}`;
}
