import { z } from "zod";
import { operation } from "../operation.ts";
import { blocked, explained, id, jsonValue, labels, listOf, name, page, taskError, time } from "./common.ts";

const overlap = z.enum(["skip", "queue", "allow"]);
const catchUp = z.enum(["skip", "one", "all"]);
const outcome = z.enum(["queued", "started", "skipped", "failed", "missed"]);
const sessionStatus = z.enum(["started", "running", "waiting", "paused", "completed", "failed", "cancelled"]);

/** `ended`: no due time is left, and none waits. */
const scheduleStatus = z.enum(["active", "paused", "ended"]);

/** One due time of a schedule, or several in a row that were missed, and what became of it. */
const fire = z.object({
  /** In the order in which they were decided. */
  sequence: z.number().int(),
  /** `series`: by itself; `backfill`, `trigger`: on request. */
  kind: z.enum(["series", "backfill", "trigger"]),
  dueAt: time,
  /** The last due time it is about; another than `dueAt` only where several were missed. */
  lastDueAt: time,
  /** Due times it is about; 100 stands for 100 or more. */
  count: z.number().int(),
  outcome,
  /** Why it was skipped or missed, or what a queued one waits for. */
  reason: z.string().nullable(),
  error: taskError.nullable(),
  sessionId: id.nullable(),
  sessionStatus: sessionStatus.nullable(),
  decidedAt: time,
  startedAt: time.nullable(),
});
export type FireView = z.infer<typeof fire>;

const schedule = z.object({
  scheduleId: id,
  name: z.string(),
  workflowId: z.string(),
  version: z.string().nullable(),
  input: jsonValue.nullable(),
  agentId: id.nullable(),
  labels,
  cron: z.string().nullable(),
  timeZone: z.string().nullable(),
  every: z.string().nullable(),
  anchor: time.nullable(),
  startAt: time.nullable(),
  endAt: time.nullable(),
  overlap,
  catchUp,
  catchUpWindow: z.string(),
  status: scheduleStatus,
  note: z.string().nullable(),
  /** Null while it is paused, and when no due time is left. */
  nextAt: time.nullable(),
  /** Fires that wait for an earlier session. */
  queued: z.number().int(),
  counts: z.object({
    started: z.number().int(),
    skipped: z.number().int(),
    failed: z.number().int(),
    missed: z.number().int(),
  }),
  /** Fires that have failed since one started. */
  consecutiveFailures: z.number().int(),
  lastFire: fire.nullable(),
  blocked: blocked.nullable(),
  createdAt: time,
  updatedAt: time,
});
export type ScheduleView = z.infer<typeof schedule>;

const note = z.string().max(1_000);
const timeText = z.string().max(40);

/** What a schedule starts, and when. */
const definition = {
  /** What it can be called by, beside its id. */
  name,
  workflowId: z.string().min(1).max(200),
  /** Absent = the newest at each fire. */
  version: z.string().max(100).optional(),
  input: jsonValue.nullable().optional(),
  agentId: id.optional(),
  /** Sessions get them, and `schedule` and `dueAt` beside them. */
  labels: labels.default({}),
  /** Five fields, or six with seconds first; or `@daily` and the like. Either this or `every`. */
  cron: z.string().max(200).optional(),
  /** IANA name, for `cron`. Default `UTC`. */
  timeZone: z.string().max(100).optional(),
  /** Such as `15m`; at least one second. */
  every: z.string().max(20).optional(),
  /** A time that `every` counts from. Default: `startAt`, else now. */
  anchor: timeText.optional(),
  /** No due time before. */
  startAt: timeText.optional(),
  /** No due time at or after. */
  endAt: timeText.optional(),
  /** When an earlier session is still open. */
  overlap: overlap.default("skip"),
  /** When due times have passed unnoticed. */
  catchUp: catchUp.default("one"),
  /** How old a due time may be to be caught up with; at most `7d`. */
  catchUpWindow: z.string().max(20).default("1h"),
};

const scheduleParams = z.object({
  /** Id or name. */
  scheduleId: id,
});

const backfilled = z.object({
  dueAt: time,
  /** `due`: would be fired, were this not a dry run. */
  outcome: z.enum(["due", "started", "queued", "skipped", "failed"]),
  reason: z.string().nullable(),
  error: taskError.nullable(),
  sessionId: id.nullable(),
});

export const scheduleOperations = {
  create: operation({
    id: "schedules.create",
    summary: "Start a workflow again and again, by cron expression or interval.",
    method: "POST",
    path: "/v1/opscore/schedules",
    body: z.strictObject({ ...definition, paused: z.boolean().default(false), note: note.optional() }),
    output: schedule,
    status: 201,
    errors: ["schedule_name_taken", "workflow_not_found", "agent_not_found", "input_invalid", "no_target"],
    permission: { scope: "schedules:write" },
    idempotency: "key",
  }),
  list: operation({
    id: "schedules.list",
    summary: "List schedules, by name.",
    method: "GET",
    path: "/v1/opscore/schedules",
    query: z.object({
      ...page,
      paused: z.enum(["true", "false"]).optional(),
      workflow: z.string().optional(),
      /** `key=value`. */
      label: z.string().max(320).optional(),
      /** `paused`, `earlier_session_open`, `not_due`. */
      blockedReason: z.string().optional(),
    }),
    output: listOf(schedule),
    permission: { scope: "schedules:read" },
    idempotency: "read",
  }),
  get: operation({
    id: "schedules.get",
    summary: "A schedule, by id or name, with its last fire and its next due time.",
    method: "GET",
    path: "/v1/opscore/schedules/{scheduleId}",
    params: scheduleParams,
    output: schedule,
    errors: ["schedule_not_found"],
    permission: { scope: "schedules:read" },
    idempotency: "read",
  }),
  why: operation({
    id: "schedules.why",
    summary: "Why a schedule starts nothing now: it is paused, not due, or an earlier session is still open.",
    method: "GET",
    path: "/v1/opscore/schedules/{scheduleId}/why",
    params: scheduleParams,
    output: z.object({ scheduleId: id, status: scheduleStatus, ...explained }),
    errors: ["schedule_not_found"],
    permission: { scope: "schedules:read" },
    idempotency: "read",
  }),
  update: operation({
    id: "schedules.update",
    summary: "Replace what a schedule starts and when; whether it is paused stays, and so does its history.",
    method: "PUT",
    path: "/v1/opscore/schedules/{scheduleId}",
    params: scheduleParams,
    body: z.strictObject(definition),
    output: schedule,
    errors: [
      "schedule_not_found",
      "schedule_name_taken",
      "workflow_not_found",
      "agent_not_found",
      "input_invalid",
      "no_target",
    ],
    permission: { scope: "schedules:write" },
    idempotency: "natural",
  }),
  pause: operation({
    id: "schedules.pause",
    summary: "Pause a schedule: nothing starts, and due times that pass meanwhile are not caught up with.",
    method: "POST",
    path: "/v1/opscore/schedules/{scheduleId}/pause",
    params: scheduleParams,
    body: z.strictObject({ note: note.optional() }).optional(),
    output: schedule,
    errors: ["schedule_not_found"],
    permission: { scope: "schedules:write" },
    idempotency: "natural",
  }),
  resume: operation({
    id: "schedules.resume",
    summary: "Resume a schedule, from its next due time on.",
    method: "POST",
    path: "/v1/opscore/schedules/{scheduleId}/resume",
    params: scheduleParams,
    output: schedule,
    errors: ["schedule_not_found"],
    permission: { scope: "schedules:write" },
    idempotency: "natural",
  }),
  trigger: operation({
    id: "schedules.trigger",
    summary: "Start its workflow now, outside of the series, paused or not, whatever is still open.",
    method: "POST",
    path: "/v1/opscore/schedules/{scheduleId}/trigger",
    params: scheduleParams,
    output: z.object({ scheduleId: id, sessionId: id, sequence: z.number().int(), dueAt: time }),
    status: 202,
    errors: ["schedule_not_found", "workflow_not_found", "agent_not_found", "input_invalid", "no_target"],
    permission: { scope: "schedules:write" },
    idempotency: "key",
  }),
  backfill: operation({
    id: "schedules.backfill",
    summary: "Fire the due times of the past that started nothing, in order.",
    method: "POST",
    path: "/v1/opscore/schedules/{scheduleId}/backfill",
    params: scheduleParams,
    body: z.strictObject({
      from: timeText,
      /** Before this time. Default: now. */
      to: timeText.optional(),
      max: z.number().int().min(1).max(1_000).default(100),
      /** Default: the schedule's own. */
      overlap: overlap.optional(),
      /** Only say what would be fired. */
      dryRun: z.boolean().default(false),
    }),
    output: z.object({
      dryRun: z.boolean(),
      items: z.array(backfilled),
      /** Where to go on when there was more than could be done at once. */
      next: time.nullable(),
    }),
    errors: ["schedule_not_found"],
    permission: { scope: "schedules:write" },
    idempotency: "natural",
  }),
  next: operation({
    id: "schedules.next",
    summary: "The next due times of a schedule, paused or not.",
    method: "GET",
    path: "/v1/opscore/schedules/{scheduleId}/next",
    params: scheduleParams,
    query: z.object({
      count: z.coerce.number().int().min(1).max(100).default(10),
      /** After this time. Default: now. */
      after: timeText.optional(),
    }),
    output: z.object({ scheduleId: id, timeZone: z.string(), items: z.array(time) }),
    errors: ["schedule_not_found"],
    permission: { scope: "schedules:read" },
    idempotency: "read",
  }),
  fires: operation({
    id: "schedules.fires",
    summary: "What became of the due times of a schedule, newest first.",
    method: "GET",
    path: "/v1/opscore/schedules/{scheduleId}/fires",
    params: scheduleParams,
    query: z.object({ ...page, outcome: outcome.optional() }),
    output: listOf(fire),
    errors: ["schedule_not_found"],
    permission: { scope: "schedules:read" },
    idempotency: "read",
  }),
  remove: operation({
    id: "schedules.remove",
    summary: "Delete a schedule, what it has queued and its history; sessions it started go on.",
    method: "DELETE",
    path: "/v1/opscore/schedules/{scheduleId}",
    params: scheduleParams,
    output: z.object({ scheduleId: id, name: z.string() }),
    errors: ["schedule_not_found"],
    permission: { scope: "schedules:write" },
    idempotency: "natural",
  }),
};
