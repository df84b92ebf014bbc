import type { FireView, ScheduleView } from "@opspawn/contract";
import type { Call } from "../call.ts";
import { type Field, jsonLines } from "../output/output.ts";
import { type Tone, toneOf } from "../output/style.ts";
import { age } from "../output/time.ts";

const FIRE_TONES: Record<FireView["outcome"], Tone> = {
  started: "good",
  queued: "warn",
  skipped: "warn",
  missed: "warn",
  failed: "bad",
};

export function statusOf(schedule: ScheduleView): string {
  return schedule.queued > 0 && schedule.status === "active" ? "waiting" : schedule.status;
}

/** The session of a fire, or why there is none. */
export function becameOf({
  error,
  sessionId,
  reason,
}: Pick<FireView, "error" | "sessionId" | "reason">): string | null {
  return error === null ? (sessionId ?? reason) : `${error.code}: ${error.message}`;
}

export function outcomeText(fire: FireView): string {
  if (fire.outcome === "missed" && fire.count > 1) return `missed ${fire.count}`;
  return fire.outcome;
}

export function fireTone(fire: FireView | null): Tone | undefined {
  return fire === null ? undefined : FIRE_TONES[fire.outcome];
}

export function showSchedule(call: Call, schedule: ScheduleView): void {
  const now = call.io.clock.now();
  const { counts, lastFire, blocked } = schedule;
  const version = schedule.version === null ? "(the newest)" : schedule.version;
  const fields: Field[] = [
    ["Schedule", schedule.scheduleId],
    ["Name", schedule.name],
    ["Status", schedule.status, toneOf(schedule.status)],
    ["Workflow", `${schedule.workflowId} ${version}`],
    ["When", whenText(schedule)],
    ["Next", schedule.nextAt === null ? null : inZone(schedule.nextAt, schedule.timeZone ?? "UTC")],
    ["Overlap", schedule.overlap],
    ["Catch up", `${schedule.catchUp}, within ${schedule.catchUpWindow}`],
    ["Fires", countsText(counts)],
  ];
  if (schedule.startAt !== null) fields.push(["Starts", schedule.startAt]);
  if (schedule.endAt !== null) fields.push(["Ends", schedule.endAt]);
  if (schedule.agentId !== null) fields.push(["Agent", schedule.agentId]);
  const labels = Object.entries(schedule.labels).map(([name, value]) => `${name}=${value}`);
  if (labels.length > 0) fields.push(["Labels", labels.join(" ")]);
  if (schedule.queued > 0) fields.push(["Queued", schedule.queued]);
  if (lastFire !== null) fields.push(["Last", lastText(lastFire, now), fireTone(lastFire)]);
  if (schedule.consecutiveFailures > 0) fields.push(["Failed in a row", schedule.consecutiveFailures, "bad"]);
  if (blocked !== null) fields.push(["Waits for", blocked.message]);
  if (schedule.input !== null) fields.push({ title: "Input", lines: jsonLines(schedule.input) });
  call.output.record(schedule, fields);
}

function countsText({ started, skipped, failed, missed }: ScheduleView["counts"]): string {
  return `${started} started, ${skipped} skipped, ${failed} failed, ${missed} missed`;
}

function lastText(fire: FireView, now: number): string {
  const became = becameOf(fire);
  return `${outcomeText(fire)} (due ${age(fire.dueAt, now)} ago)${became === null ? "" : `: ${became}`}`;
}

export function whenText({ cron, timeZone, every }: ScheduleView): string {
  if (every !== null) return `every ${every}`;
  return timeZone === "UTC" ? `${cron}` : `${cron} ${timeZone}`;
}

export function nextText({ nextAt, timeZone }: ScheduleView): string {
  return nextAt === null ? "No due time is set." : `Next: ${inZone(nextAt, timeZone ?? "UTC")}.`;
}

/** To the second, for tables. */
export function shortTime(time: string | null): string | null {
  return time === null ? null : `${time.slice(0, 19)}Z`;
}

/** A time as UTC and as clocks there show it. */
export function inZone(time: string, timeZone: string): string {
  const utc = `${time.slice(0, 19)}Z`;
  if (timeZone === "UTC") return utc;
  const local = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" }).format(
    new Date(time),
  );
  return `${utc} (${local} ${timeZone})`;
}
