import { Cron } from "croner";

const KEPT = 500;
const compiled = new Map<string, Cron>();

/**
 * The first time of a cron expression after a moment; null when there is none. Where clocks change: a job at one time of
 * day runs at the end of the gap when its time does not exist, and at the first of two when it exists twice; times that
 * repeat within the hour (`*`, steps, lists, ranges) leave out what does not exist, and happen in both.
 * @param after microseconds
 * @returns microseconds
 */
export function cronAfter(cron: string, timeZone: string, after: number): number | null {
  return microsOf(compile(cron, timeZone).nextRun(new Date(Math.floor(after / 1_000))));
}

/** The last time before a moment; null when there is none. */
export function cronBefore(cron: string, timeZone: string, before: number): number | null {
  return microsOf(compile(cron, timeZone).previousRuns(1, new Date(Math.ceil(before / 1_000)))[0]);
}

/** What is wrong with a cron expression of five or six fields, or null. */
export function cronProblem(cron: string): string | null {
  // The library would take a single date as well.
  if (!/^@[a-z]+$/i.test(cron) && !/^\S+(?: +\S+){4,5}$/.test(cron)) {
    return "must have five fields (minute hour day month weekday), or six with seconds first";
  }
  try {
    new Cron(cron, { timezone: "UTC", mode: "5-or-6-parts" });
    return null;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `is no cron expression: ${text.replace(/^CronPattern: /, "")}`;
  }
}

/** Whether this is the name of a time zone, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  // Bare offsets would do too, but they have no summer.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function compile(cron: string, timeZone: string): Cron {
  const key = `${timeZone} ${cron}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  if (compiled.size >= KEPT) compiled.clear();
  const job = new Cron(cron, { timezone: timeZone, mode: "5-or-6-parts" });
  compiled.set(key, job);
  return job;
}

function microsOf(date: Date | null | undefined): number | null {
  return date == null ? null : date.getTime() * 1_000;
}
