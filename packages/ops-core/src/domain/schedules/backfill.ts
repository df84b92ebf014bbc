import { formatTime, type OperationInput, type OperationOutput, type operations } from "@opspawn/contract";
import { DAY } from "../clock.ts";
import type { Ports } from "../ports.ts";
import { invalidField, readTime } from "../request-fields.ts";
import type { FireRecord, ScheduleRecord } from "./schedule.ts";
import { dueAfter, dueBetween } from "./series.ts";

type Body = OperationInput<typeof operations.schedules.backfill>["body"];
type Answer = OperationOutput<typeof operations.schedules.backfill>;
type Item = Answer["items"][number];

/** Due times one request looks at, those that have fired included. */
const SCANNED_MAX = 2_000;
const RANGE_MAX = 366 * DAY;

/**
 * Fires the due times of a range that started nothing, in order, each in a transaction of its own. Whoever asks again
 * after a crash goes on where it stopped.
 */
export async function backfill({ store, clock }: Ports, schedule: ScheduleRecord, body: Body): Promise<Answer> {
  const { from, to } = readRange(schedule, body, clock.now());
  const scanned = dueBetween(schedule, from, to, SCANNED_MAX);
  const unfired = await store.schedules.unfired(schedule.id, scanned);
  const due = unfired.slice(0, body.max);
  const items: Item[] = [];
  for (const dueAt of due) {
    if (body.dryRun)
      items.push({ dueAt: formatTime(dueAt), outcome: "due", reason: null, error: null, sessionId: null });
    else {
      const fire = await store.schedules.backfill(schedule.id, dueAt, body.overlap ?? schedule.overlap);
      if (fire !== null) items.push(toItem(fire));
    }
  }
  const last = scanned.at(-1);
  const rest =
    unfired[body.max] ?? (scanned.length < SCANNED_MAX || last === undefined ? null : dueAfter(schedule, last));
  return { dryRun: body.dryRun, items, next: rest === null || rest >= to ? null : formatTime(rest) };
}

function readRange(schedule: ScheduleRecord, body: Body, now: number): { from: number; to: number } {
  const from = readTime(body.from, ["body", "from"]) ?? now;
  const to = readTime(body.to, ["body", "to"]) ?? now;
  if (from >= to) throw invalidField(["body", "from"], "must be before `to`, and before now");
  if (to > now) throw invalidField(["body", "to"], "must not be in the future; the schedule itself sees to that");
  if (to - from > RANGE_MAX) throw invalidField(["body", "from"], "must be at most 366d before `to`");
  const { forgottenUntil, nextAt } = schedule;
  if (forgottenUntil !== null && from <= forgottenUntil) {
    const msg = `must be after ${formatTime(forgottenUntil)}: what became of due times up to then is not kept any more`;
    throw invalidField(["body", "from"], msg);
  }
  // What is just falling due is the series' own.
  return { from, to: nextAt === null ? to : Math.min(to, nextAt) };
}

function toItem({ dueAt, outcome, reason, error, sessionId }: FireRecord): Item {
  if (outcome === "missed") throw new Error("a backfilled due time cannot be missed");
  return { dueAt: formatTime(dueAt), outcome, reason, error, sessionId };
}
