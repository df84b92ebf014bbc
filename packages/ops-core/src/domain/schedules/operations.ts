import { formatTime } from "@opspawn/contract";
import { blockedView } from "../blocked-view.ts";
import { idempotencyOf, repeatable } from "../idempotency.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import { readLabel, readTime } from "../request-fields.ts";
import { backfill } from "./backfill.ts";
import { readSchedule } from "./definition.ts";
import type { ScheduleRecord } from "./schedule.ts";
import { dueAfter } from "./series.ts";
import { explainSchedule, fireView, needSchedule, scheduleView } from "./view.ts";

export function scheduleHandlers(ports: Ports): NounHandlers<"schedules"> {
  const { store, clock, ids } = ports;
  const { schedules } = store;
  return {
    async create(context, { body }) {
      const { paused, note, ...definition } = body;
      const idempotency = idempotencyOf(context, "schedules.create", body);
      const { value, replayed } = await repeatable(store.answers, idempotency, async () => {
        const read = await readSchedule(ports, definition);
        const fresh = { ...read, id: `sch_${ids.uuid()}`, paused, note: note ?? null };
        const done = await schedules.create(fresh, idempotency);
        return { value: done.schedule, replayed: done.replayed };
      });
      context.replayed = replayed;
      return scheduleView(value);
    },
    async list(_context, { query }) {
      const { limit, cursor, workflow, blockedReason } = query;
      const paused = query.paused === undefined ? undefined : query.paused === "true";
      const label = readLabel(query.label, ["query", "label"]);
      const { items, nextCursor } = await schedules.list({ limit, cursor }, { paused, workflow, label, blockedReason });
      return { items: items.map(scheduleView), nextCursor };
    },
    async get(_context, { params }) {
      return scheduleView(await needSchedule(store, params.scheduleId));
    },
    async why(_context, { params }) {
      const schedule = await needSchedule(store, params.scheduleId);
      const { id, status, blocked } = schedule;
      return { scheduleId: id, status, blocked: blockedView(blocked), explanation: explainSchedule(schedule) };
    },
    async update(_context, { params, body }) {
      const before = await needSchedule(store, params.scheduleId);
      return scheduleView(await schedules.update(before.id, await readSchedule(ports, body, before)));
    },
    async pause(_context, { params, body }) {
      const { id } = await needSchedule(store, params.scheduleId);
      return scheduleView(await schedules.pause(id, body?.note ?? null));
    },
    async resume(_context, { params }) {
      const { id } = await needSchedule(store, params.scheduleId);
      return scheduleView(await schedules.resume(id));
    },
    async trigger(context, { params }) {
      const idempotency = idempotencyOf(context, "schedules.trigger", params);
      const { value, replayed } = await repeatable(store.answers, idempotency, async () => {
        const { id } = await needSchedule(store, params.scheduleId);
        const done = await schedules.trigger(id, idempotency);
        return { value: done.fire, replayed: done.replayed };
      });
      context.replayed = replayed;
      const { scheduleId, sessionId, sequence, dueAt } = value;
      if (sessionId === null) throw new Error(`fire ${sequence} of schedule ${scheduleId} started nothing`);
      return { scheduleId, sessionId, sequence, dueAt: formatTime(dueAt) };
    },
    async backfill(_context, { params, body }) {
      return backfill(ports, await needSchedule(store, params.scheduleId), body);
    },
    async next(_context, { params, query }) {
      const schedule = await needSchedule(store, params.scheduleId);
      const after = readTime(query.after, ["query", "after"]) ?? clock.now();
      const { timing } = schedule;
      const timeZone = timing.kind === "cron" ? timing.timeZone : "UTC";
      return { scheduleId: schedule.id, timeZone, items: nextTimes(schedule, after, query.count).map(formatTime) };
    },
    async fires(_context, { params, query }) {
      const { id } = await needSchedule(store, params.scheduleId);
      const { limit, cursor, outcome } = query;
      const { items, nextCursor } = await schedules.fires(id, { limit, cursor }, { outcome });
      return { items: items.map(fireView), nextCursor };
    },
    async remove(_context, { params }) {
      const { id, name } = await needSchedule(store, params.scheduleId);
      await schedules.remove(id);
      return { scheduleId: id, name };
    },
  };
}

function nextTimes(schedule: ScheduleRecord, after: number, count: number): number[] {
  const times: number[] = [];
  let due = dueAfter(schedule, after);
  while (due !== null && times.length < count) {
    times.push(due);
    due = dueAfter(schedule, due);
  }
  return times;
}
