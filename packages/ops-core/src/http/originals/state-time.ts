import { dateSeconds, daysInMonth, type WireTime, weekDateSeconds } from "./wire-time.ts";

// What Python's `datetime.fromisoformat` reads since 3.11: dates in four spellings, any one character, a clock.
const DATE = /^(?:(\d{4})-(\d\d)-(\d\d)|(\d{4})-W(\d\d)(?:-(\d)(?!\d))?|(\d{4})W(\d\d)(\d)?(?!\d)|(\d{4})(\d\d)(\d\d))/;
const CLOCK = /^(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?|(\d\d)(?:(\d\d)(?:[.,](\d+))?)?)?/;

const SECONDS_PER_DAY = 86_400;

/**
 * Reads the `timestamp` of a state report the way Ops-Core did: `Z` stands for `+00:00`, then Python's ISO formats.
 * Null when it cannot be read; the original then took the server's time.
 */
export function parseStateTime(text: string): WireTime | null {
  const iso = text.replaceAll("Z", "+00:00");
  const date = DATE.exec(iso);
  const midnight = date === null ? null : dateOf(date);
  if (date === null || midnight === null) return null;
  if (date[0] === iso) return { local: midnight, micros: 0, offset: null };
  const [, ...clock] = Array.from(iso.slice(date[0].length));
  return timeOf(midnight, clock.join(""));
}

function dateOf(match: RegExpExecArray): number | null {
  const group = (i: number) => Number(match[i]);
  if (match[4] !== undefined) return weekDate(group(4), group(5), Number(match[6] ?? 1));
  if (match[7] !== undefined) return weekDate(group(7), group(8), Number(match[9] ?? 1));
  const [year, month, day] =
    match[1] === undefined ? [group(10), group(11), group(12)] : [group(1), group(2), group(3)];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  return dateSeconds(year, month, day);
}

function weekDate(year: number, week: number, day: number): number | null {
  const seconds = year < 1 ? null : weekDateSeconds(year, week, day);
  // The last week of 9999 runs into a year that does not exist.
  return seconds === null || seconds >= dateSeconds(10_000, 1, 1) || seconds < dateSeconds(1, 1, 1) ? null : seconds;
}

function timeOf(midnight: number, text: string): WireTime | null {
  const zone = text.search(/[+-]/);
  const clock = clockOf(zone === -1 ? text : text.slice(0, zone));
  if (clock === null || clock.hours > 23 || clock.minutes > 59 || clock.seconds > 59) return null;
  const local = midnight + secondsOf(clock);
  if (zone === -1) return { local, micros: clock.micros, offset: null };
  const shift = clockOf(text.slice(zone + 1));
  if (shift === null || secondsOf(shift) >= SECONDS_PER_DAY) return null;
  return { local, micros: clock.micros, offset: text[zone] === "-" ? 0 - secondsOf(shift) : secondsOf(shift) };
}

interface Clock {
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly micros: number;
}

function clockOf(text: string): Clock | null {
  const match = CLOCK.exec(text);
  if (match === null || match[0].length !== text.length) return null;
  const fraction = match[4] ?? match[7] ?? "";
  return {
    hours: Number(match[1]),
    minutes: Number(match[2] ?? match[5] ?? 0),
    seconds: Number(match[3] ?? match[6] ?? 0),
    micros: Number(fraction.slice(0, 6).padEnd(6, "0")),
  };
}

function secondsOf(clock: Clock): number {
  return clock.hours * 3600 + clock.minutes * 60 + clock.seconds;
}
