import { REMINDERS_MAX } from "../workflows/limits.ts";

/**
 * When an approval is asked again: at the next whole multiple of `every` after `from` that is still to come. What fell due
 * while nobody was there to send it is made up for by one.
 * @param given reminders so far
 * @param every null = never; times and durations in microseconds
 */
export function nextReminder(
  { every, from, given, expiresAt }: { every: number | null; from: number; given: number; expiresAt: number | null },
  now: number,
): number | null {
  if (every === null || given >= REMINDERS_MAX) return null;
  const at = from + every * (Math.floor(Math.max(0, now - from) / every) + 1);
  return expiresAt !== null && at >= expiresAt ? null : at;
}
