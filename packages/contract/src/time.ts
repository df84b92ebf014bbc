/** The second that was rendered last: times of one answer are mostly of one second, and a `Date` costs more than it. */
let lastSecond = Number.NaN;
let lastText = "";

/**
 * Renders a point in time as the wire shows it: UTC, `Z`, six fraction digits.
 * @param micros microseconds since the epoch
 */
export function formatTime(micros: number): string {
  const second = Math.floor(micros / 1_000_000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toISOString().slice(0, -5);
    lastSecond = second;
  }
  return `${lastText}.${String(micros - second * 1_000_000).padStart(6, "0")}Z`;
}

/** Reads an ISO 8601 time with an offset; null when it is none. Microseconds since the epoch; finer digits are cut. */
export function parseTime(text: string): number | null {
  const match = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.(\d+))?(?:Z|[+-]\d{2}:\d{2})$/.exec(text);
  if (match === null) return null;
  const fraction = match[1] ?? "";
  const millis = Date.parse(fraction === "" ? text : text.replace(`.${fraction}`, ""));
  if (Number.isNaN(millis)) return null;
  return millis * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}
