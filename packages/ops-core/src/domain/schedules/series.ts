import { cronAfter, cronBefore } from "./cron.ts";
import type { Series, Timing } from "./schedule.ts";

/** The first due time after a moment; null when none is left. */
export function dueAfter({ timing, startAt, endAt }: Series, after: number): number | null {
  const due = timeAfter(timing, startAt === null ? after : Math.max(after, startAt - 1));
  return due === null || (endAt !== null && due >= endAt) ? null : due;
}

/** The last due time before a moment; null when there was none. */
export function dueBefore({ timing, startAt, endAt }: Series, before: number): number | null {
  const due = timeBefore(timing, endAt === null ? before : Math.min(before, endAt));
  return due === null || (startAt !== null && due < startAt) ? null : due;
}

/** Due times from one moment to before another, ascending, at most `max`. */
export function dueBetween(series: Series, from: number, to: number, max: number): number[] {
  const times: number[] = [];
  let due = dueAfter(series, from - 1);
  while (due !== null && due < to && times.length < max) {
    times.push(due);
    due = dueAfter(series, due);
  }
  return times;
}

function timeAfter(timing: Timing, after: number): number | null {
  if (timing.kind === "cron") return cronAfter(timing.cron, timing.timeZone, after);
  const { every, anchor } = timing;
  return anchor + (Math.floor((after - anchor) / every) + 1) * every;
}

function timeBefore(timing: Timing, before: number): number | null {
  if (timing.kind === "cron") return cronBefore(timing.cron, timing.timeZone, before);
  const { every, anchor } = timing;
  return anchor + (Math.ceil((before - anchor) / every) - 1) * every;
}
