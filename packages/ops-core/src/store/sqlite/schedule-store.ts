import { ERRORS, OpspawnError } from "@opspawn/contract";
import type { Overlap, ScheduleFilter } from "../../domain/schedules/schedule.ts";
import type { ScheduleStore } from "../../domain/store.ts";
import { once } from "./idempotency.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import { backfillSchedule, FireTry, fireSchedule, isFired, triggerSchedule } from "./schedule-fires.ts";
import {
  FIRES,
  type ScheduleRow,
  type StoredFire,
  schedulesWaitingFor,
  toFireRecord,
  toScheduleRecord,
} from "./schedule-row.ts";
import { createSchedule, pauseSchedule, removeSchedule, resumeSchedule, updateSchedule } from "./schedules.ts";
import type { SqliteContext } from "./store.ts";
import type { Tx } from "./tx.ts";

const DUE = "select id from schedules where wake_at <= ? order by wake_at limit ?";

export function scheduleStore({ db, writer, clock }: SqliteContext): ScheduleStore {
  /** Runs one try; when it is refused, records that in a transaction of its own. */
  const fired = async <T>(fire: (tx: Tx, attempt: FireTry) => T): Promise<T> => {
    const first = new FireTry();
    try {
      return await writer.submit("intake", (tx) => fire(tx, first));
    } catch (error) {
      if (first.fire === null || !isFinal(error)) throw error;
      const { code, message } = error;
      const again = new FireTry({ fire: first.fire, error: { code, message } });
      return await writer.submit("intake", (tx) => fire(tx, again));
    }
  };
  return {
    create: (schedule, idempotency) =>
      writer.submit("normal", (tx) => {
        const { value, replayed } = once(tx, idempotency, () => createSchedule(tx, schedule));
        return { schedule: value, replayed };
      }),
    update: (id, definition) => writer.submit("normal", (tx) => updateSchedule(tx, id, definition)),
    pause: (id, note) => writer.submit("normal", (tx) => pauseSchedule(tx, id, note)),
    resume: (id) => writer.submit("normal", (tx) => resumeSchedule(tx, id)),
    remove: (id) => writer.submit("normal", (tx) => removeSchedule(tx, id)),
    get: async (idOrName) => {
      const row =
        db.get<ScheduleRow>("select * from schedules where id = ?", idOrName) ??
        db.get<ScheduleRow>("select * from schedules where name = ?", idOrName);
      return row === undefined ? null : toScheduleRecord(db, row);
    },
    list: async (page, filter) => {
      const where = conditions(filter);
      if (page.cursor !== undefined) where.add("name > ?", ...decodeCursor(page.cursor, 1));
      const rows = db.all<ScheduleRow>(
        `select * from schedules ${where.sql} order by name limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(
        rows,
        page,
        (row) => toScheduleRecord(db, row),
        (row) => [row.name],
      );
    },
    fires: async (id, page, { outcome }) => {
      const where = new Where().add("f.schedule_id = ?", id);
      if (outcome !== undefined) where.add("f.outcome = ?", outcome);
      if (page.cursor !== undefined) where.add("f.sequence < ?", ...decodeCursor(page.cursor, 1));
      const rows = db.all<StoredFire>(
        `${FIRES} ${where.sql} order by f.sequence desc limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(rows, page, toFireRecord, (row) => [row.sequence]);
    },
    fire: async (max) => {
      const due = db.all<{ id: string }>(DUE, clock.now(), max);
      const done = await Promise.all(due.map(({ id }) => fired((tx, attempt) => fireSchedule(tx, id, attempt))));
      return done.filter(Boolean).length;
    },
    trigger: (id, idempotency) =>
      writer.submit("intake", (tx) => {
        const { value, replayed } = once(tx, idempotency, () => triggerSchedule(tx, id));
        return { fire: value, replayed };
      }),
    unfired: async (id, dueAt) => dueAt.filter((due) => !isFired(db, id, due)),
    backfill: (id, dueAt, overlap: Overlap) =>
      fired((tx, attempt) => backfillSchedule(tx, id, { dueAt, overlap }, attempt)),
  };
}

/** Trying again would be refused again. */
function isFinal(error: unknown): error is OpspawnError {
  return error instanceof OpspawnError && !ERRORS[error.code].retryable;
}

function conditions({ paused, workflow, label, blockedReason }: ScheduleFilter): Where {
  const where = new Where();
  if (paused !== undefined) where.add(paused ? "paused_at is not null" : "paused_at is null");
  if (workflow !== undefined) where.add("workflow_id = ?", workflow);
  if (label !== undefined) {
    where.add("exists (select 1 from json_each(labels) where key = ? and value = ?)", label.key, label.value);
  }
  if (blockedReason !== undefined) where.add(schedulesWaitingFor(blockedReason));
  return where;
}
