import { type FireView, formatDuration, formatTime, OpspawnError, type ScheduleView } from "@opspawn/contract";
import { blockedSentence, blockedView, timeOrNull } from "../blocked-view.ts";
import type { Store } from "../store.ts";
import { readStored } from "../stored-json.ts";
import type { FireRecord, ScheduleRecord } from "./schedule.ts";

export function scheduleView(schedule: ScheduleRecord): ScheduleView {
  const { timing } = schedule;
  return {
    scheduleId: schedule.id,
    name: schedule.name,
    workflowId: schedule.workflowId,
    version: schedule.workflowVersion,
    input: readStored(schedule.input),
    agentId: schedule.agentId,
    labels: { ...schedule.labels },
    cron: timing.kind === "cron" ? timing.cron : null,
    timeZone: timing.kind === "cron" ? timing.timeZone : null,
    every: timing.kind === "every" ? formatDuration(timing.every) : null,
    anchor: timing.kind === "every" ? formatTime(timing.anchor) : null,
    startAt: timeOrNull(schedule.startAt),
    endAt: timeOrNull(schedule.endAt),
    overlap: schedule.overlap,
    catchUp: schedule.catchUp,
    catchUpWindow: formatDuration(schedule.catchUpWindow),
    status: schedule.status,
    note: schedule.note,
    nextAt: timeOrNull(schedule.nextAt),
    queued: schedule.queued,
    counts: { ...schedule.counts },
    consecutiveFailures: schedule.failures,
    lastFire: schedule.lastFire === null ? null : fireView(schedule.lastFire),
    blocked: blockedView(schedule.blocked),
    createdAt: formatTime(schedule.createdAt),
    updatedAt: formatTime(schedule.updatedAt),
  };
}

export function fireView(fire: FireRecord): FireView {
  return {
    sequence: fire.sequence,
    kind: fire.kind,
    dueAt: formatTime(fire.dueAt),
    lastDueAt: formatTime(fire.lastDueAt),
    count: fire.count,
    outcome: fire.outcome,
    reason: fire.reason,
    error: fire.error,
    sessionId: fire.sessionId,
    sessionStatus: fire.sessionStatus,
    decidedAt: formatTime(fire.decidedAt),
    startedAt: timeOrNull(fire.startedAt),
  };
}

/** The schedule of this id or name, or the refusal that there is none. */
export async function needSchedule(store: Store, idOrName: string): Promise<ScheduleRecord> {
  const schedule = await store.schedules.get(idOrName);
  if (schedule === null) throw new OpspawnError("schedule_not_found", `Schedule not found: ${idOrName}`);
  return schedule;
}

/** Why it starts nothing now, how it went lately, and when it goes on. */
export function explainSchedule({ status, blocked, nextAt, lastFire, failures }: ScheduleRecord): string[] {
  const sentences = blocked === null ? [] : [blockedSentence(blocked)];
  if (status === "ended") sentences.push("It has ended: no due time is left.");
  else if (nextAt !== null && blocked?.reason !== "not_due") {
    sentences.push(`Its next fire is due at ${formatTime(nextAt)}.`);
  }
  if (lastFire !== null) sentences.push(fireSentence(lastFire));
  if (failures > 1) sentences.push(`The last ${failures} fires failed.`);
  return sentences;
}

function fireSentence({ dueAt, outcome, reason, error, sessionId, sessionStatus }: FireRecord): string {
  const session = sessionId === null ? "" : `: session ${sessionId}, which is ${sessionStatus ?? "gone"}`;
  const why = error?.message ?? reason;
  return `The fire due at ${formatTime(dueAt)} was ${outcome}${session}${why === null ? "" : `: ${why.replace(/\.$/, "")}`}.`;
}
