import { COUNTED_MAX, ON_TIME, type ScheduleDefinition } from "./schedule.ts";
import { dueAfter, dueBefore, dueBetween } from "./series.ts";

/** Due times in a row that nobody noticed in time. */
export interface Missed {
  readonly from: number;
  /** The last of them. */
  readonly to: number;
  readonly count: number;
}

/** What is to be done with the due times of a series that have passed. */
export interface Move {
  /** Those that are given up, before `fire`. */
  readonly missed: Missed | null;
  /** The one to fire now. */
  readonly fire: number | null;
  /** The due time to look at next; when more are to be caught up with it has passed too. */
  readonly next: number | null;
}

/**
 * Decides about the due times from `due` to now.
 *
 * `all` fires the oldest one that is within the window, and goes on from there. `one` fires the newest, if it is within
 * the window; `skip` fires the newest only if it is not late. What lies before is missed.
 * @param due the first due time that nothing has been decided about; it has passed
 */
export function decideDue(schedule: ScheduleDefinition, due: number, now: number): Move {
  const fire = choose(schedule, due, now);
  if (fire === due) return { missed: null, fire, next: dueAfter(schedule, fire) };
  const to = Math.max(due, dueBefore(schedule, fire ?? now + 1) ?? due);
  const count = Math.max(1, dueBetween(schedule, due, to + 1, COUNTED_MAX).length);
  return { missed: { from: due, to, count }, fire, next: dueAfter(schedule, fire ?? now) };
}

function choose(schedule: ScheduleDefinition, due: number, now: number): number | null {
  const { catchUp, catchUpWindow } = schedule;
  const oldest = now - (catchUp === "skip" ? ON_TIME : catchUpWindow);
  if (catchUp === "all") {
    const first = due >= oldest ? due : dueAfter(schedule, oldest - 1);
    return first === null || first > now ? null : first;
  }
  // With other rules for a time zone than when it was set, `due` may be no due time any more; it is decided about as one.
  const newest = Math.max(due, dueBefore(schedule, now + 1) ?? due);
  return newest >= oldest ? newest : null;
}
