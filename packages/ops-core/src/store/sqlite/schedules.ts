import { OpspawnError } from "@opspawn/contract";
import {
  FIRES_KEPT,
  type NewSchedule,
  type ScheduleDefinition,
  type ScheduleRecord,
} from "../../domain/schedules/schedule.ts";
import { dueAfter } from "../../domain/schedules/series.ts";
import {
  definitionOf,
  needSchedule,
  type ScheduleRow,
  saveSchedule,
  scheduleEvent,
  toScheduleRecord,
  wakeOf,
} from "./schedule-row.ts";
import type { Tx } from "./tx.ts";

export function createSchedule(tx: Tx, schedule: NewSchedule): ScheduleRecord {
  checkName(tx, schedule.name, schedule.id);
  const nextAt = schedule.paused ? null : dueAfter(schedule, tx.now);
  tx.run(
    `insert into schedules (id, name, workflow_id, workflow_version, input, agent_id, labels, timing, start_at, end_at,
      overlap, catch_up, catch_up_window, paused_at, note, next_at, wake_at, queued, fires, started, skipped, failed,
      missed, failures, event_sequence, created_at, updated_at)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 1, ?, ?)`,
    schedule.id,
    schedule.name,
    schedule.workflowId,
    schedule.workflowVersion,
    schedule.input,
    schedule.agentId,
    JSON.stringify(schedule.labels),
    JSON.stringify(schedule.timing),
    schedule.startAt,
    schedule.endAt,
    schedule.overlap,
    schedule.catchUp,
    schedule.catchUpWindow,
    schedule.paused ? tx.now : null,
    schedule.note,
    nextAt,
    nextAt,
    tx.now,
    tx.now,
  );
  tx.event(schedule.id, 1, "schedule.created", { name: schedule.name, workflowId: schedule.workflowId });
  return toScheduleRecord(tx, needSchedule(tx, schedule.id));
}

export function updateSchedule(tx: Tx, id: string, definition: ScheduleDefinition): ScheduleRecord {
  const row = needSchedule(tx, id);
  checkName(tx, definition.name, id);
  if (row.paused_at === null && seriesText(definition) !== seriesText(definitionOf(row))) {
    row.next_at = nextDue(tx, row, definition);
  }
  scheduleEvent(tx, row, "updated");
  const changed: ScheduleRow = { ...row, overlap: definition.overlap };
  tx.run(
    `update schedules set name = ?, workflow_id = ?, workflow_version = ?, input = ?, agent_id = ?, labels = ?,
      timing = ?, start_at = ?, end_at = ?, overlap = ?, catch_up = ?, catch_up_window = ?, next_at = ?, wake_at = ?,
      event_sequence = ?, updated_at = ? where id = ?`,
    definition.name,
    definition.workflowId,
    definition.workflowVersion,
    definition.input,
    definition.agentId,
    JSON.stringify(definition.labels),
    JSON.stringify(definition.timing),
    definition.startAt,
    definition.endAt,
    definition.overlap,
    definition.catchUp,
    definition.catchUpWindow,
    row.next_at,
    wakeOf(tx, changed, tx.now),
    row.event_sequence,
    tx.now,
    id,
  );
  return toScheduleRecord(tx, needSchedule(tx, id));
}

function seriesText({ timing, startAt, endAt }: ScheduleDefinition): string {
  return JSON.stringify([timing, startAt, endAt]);
}

/** The first due time from now on, and none that was decided about. */
function nextDue(tx: Tx, row: ScheduleRow, definition: ScheduleDefinition): number | null {
  return dueAfter(definition, Math.max(tx.now, row.decided_until ?? 0));
}

export function pauseSchedule(tx: Tx, id: string, note: string | null): ScheduleRecord {
  const row = needSchedule(tx, id);
  const nextAt = row.next_at;
  if (row.paused_at !== null && (note === null || note === row.note)) return toScheduleRecord(tx, row);
  row.paused_at ??= tx.now;
  row.note = note ?? row.note;
  row.next_at = null;
  scheduleEvent(tx, row, "paused", row.note === null ? {} : { note: row.note });
  saveSchedule(tx, row, nextAt);
  return toScheduleRecord(tx, needSchedule(tx, id));
}

export function resumeSchedule(tx: Tx, id: string): ScheduleRecord {
  const row = needSchedule(tx, id);
  if (row.paused_at === null) return toScheduleRecord(tx, row);
  row.paused_at = null;
  row.note = null;
  row.next_at = nextDue(tx, row, definitionOf(row));
  scheduleEvent(tx, row, "resumed");
  saveSchedule(tx, row, null);
  return toScheduleRecord(tx, needSchedule(tx, id));
}

export function removeSchedule(tx: Tx, id: string): void {
  const row = needSchedule(tx, id);
  scheduleEvent(tx, row, "removed", { name: row.name });
  tx.run("delete from schedule_fires where schedule_id = ?", id);
  tx.run("delete from schedules where id = ?", id);
}

function checkName(tx: Tx, name: string, id: string): void {
  if (tx.get("select 1 from schedules where name = ? and id <> ?", name, id) === undefined) return;
  throw new OpspawnError("schedule_name_taken", `There is a schedule \`${name}\` already.`);
}

/** Removes records of fires beyond the newest thousand of a schedule, at most `max`. */
export function pruneFires(tx: Tx, max: number): number {
  let removed = 0;
  for (const { id, fires } of tx.all<{ id: string; fires: number }>(
    "select id, fires from schedules where fires > ?",
    FIRES_KEPT,
  )) {
    const old = tx.all<{ sequence: number; last_due_at: number }>(
      `select sequence, last_due_at from schedule_fires where schedule_id = ? and sequence <= ? and open = 0
        and outcome <> 'queued' order by sequence limit ?`,
      id,
      fires - FIRES_KEPT,
      max - removed,
    );
    if (old.length === 0) continue;
    for (const { sequence } of old) {
      removed += tx.run("delete from schedule_fires where schedule_id = ? and sequence = ?", id, sequence);
    }
    const until = Math.max(...old.map(({ last_due_at }) => last_due_at));
    tx.run("update schedules set forgotten_until = max(coalesce(forgotten_until, 0), ?) where id = ?", until, id);
  }
  return removed;
}
