/**
 * A point in time as the originals' wire carries it: the date and clock as written, and the offset beside them, so that
 * it can be shown again as it came. Microseconds are exact for the years 1 to 9999.
 */
export interface WireTime {
  /** Seconds since 1970-01-01T00:00:00 of the written date and clock, whatever the offset. */
  readonly local: number;
  /** 0 to 999,999. */
  readonly micros: number;
  /** Seconds east of UTC; null = none was written. */
  readonly offset: number | null;
}

const SECONDS_PER_DAY = 86_400;

/** Microseconds since the epoch, UTC; a time without offset counts as UTC. Exact until the year 2255. */
export function wireTimeMicros(time: WireTime): number {
  return (time.local - (time.offset ?? 0)) * 1_000_000 + time.micros;
}

/** Ours as theirs: always UTC. */
export function wireTimeOf(micros: number): WireTime {
  const local = Math.floor(micros / 1_000_000);
  return { local, micros: micros - local * 1_000_000, offset: 0 };
}

/** ISO text as the originals answer it: no fraction or six digits, `Z` for UTC, other offsets and none kept. */
export function formatWireTime(time: WireTime): string {
  const clock = new Date(time.local * 1000).toISOString().slice(0, 19);
  const fraction = time.micros === 0 ? "" : `.${String(time.micros).padStart(6, "0")}`;
  return clock + fraction + offsetText(time.offset);
}

function offsetText(offset: number | null): string {
  if (offset === null) return "";
  if (offset === 0) return "Z";
  const minutes = Math.trunc(Math.abs(offset) / 60);
  return `${offset < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Seconds since the epoch at 00:00 of a date that exists. */
export function dateSeconds(year: number, month: number, day: number): number {
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  return new Date(0).setUTCFullYear(year, month - 1, day) / 1000;
}

/** Seconds at 00:00 of a day of an ISO week, or null when the year has no such week or the week no such day. */
export function weekDateSeconds(year: number, week: number, day: number): number | null {
  const newYear = dateSeconds(year, 1, 1);
  const weekday = isoWeekday(newYear);
  const long = weekday === 4 || (weekday === 3 && daysInMonth(year, 2) === 29);
  if (week < 1 || week > (long ? 53 : 52) || day < 1 || day > 7) return null;
  // Week 1 is the one with the year's first Thursday.
  const monday = newYear - (weekday - 1 - (weekday > 4 ? 7 : 0)) * SECONDS_PER_DAY;
  return monday + ((week - 1) * 7 + day - 1) * SECONDS_PER_DAY;
}

function isoWeekday(seconds: number): number {
  return new Date(seconds * 1000).getUTCDay() || 7;
}
