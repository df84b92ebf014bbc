import { formatTime, type JsonObject } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import type { Pause } from "../../domain/sessions/session.ts";
import { pausedBlock } from "../../domain/sessions/waiting.ts";
import { readLimits } from "../../domain/tasks/limits.ts";
import { type Requirement, type TaskError, toolOf } from "../../domain/tasks/task.ts";
import { explainLane } from "./lanes.ts";
import { explainLimit } from "./limit-reasons.ts";
import { limitBlock } from "./permits.ts";
import { SessionUnit } from "./session-unit.ts";
import { type AttemptRow, loadTask, type TaskColumns, type TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

export interface LaneColumns {
  lane_reason: string | null;
  lane_message: string | null;
  lane_details: string | null;
  lane_since: number | null;
  /** Why its session is paused. */
  pause: string | null;
}

/** A task with what was last found about its lane. */
export const TASKS = `select t.*, coalesce(k.reason, l.reason) as lane_reason, coalesce(k.message, l.message) as lane_message,
  coalesce(k.details, l.details) as lane_details, coalesce(k.since, l.since) as lane_since, p.pause from tasks t
  left join lanes l on l.lane = t.lane and t.status = 'pending'
  left join lanes k on k.lane = t.limits and t.status = 'pending'
  left join sessions p on t.held = 1 and p.id = t.session_id`;

/** The tasks `t` with their lane's reason `l` and that of their limits `k` that `storedBlock` says this reason of. */
export function blockedBy(reason: string, now: number): { sql: string; values: (string | number)[] } {
  switch (reason) {
    case "session_paused":
      return { sql: "t.status = 'pending' and t.held = 1", values: [] };
    case "delayed":
      return { sql: "t.status = 'pending' and t.held = 0 and t.attempts = 0 and t.ready_at > ?", values: [now] };
    case "backoff":
      return { sql: "t.status = 'pending' and t.held = 0 and t.attempts > 0 and t.ready_at > ?", values: [now] };
    case "queued":
      return {
        sql: "t.status = 'pending' and t.held = 0 and t.ready_at <= ? and coalesce(k.reason, l.reason) is null",
        values: [now],
      };
    default:
      return {
        sql: "t.status = 'pending' and t.held = 0 and t.ready_at <= ? and coalesce(k.reason, l.reason) = ?",
        values: [now, reason],
      };
  }
}

const BEFORE_IT_IS_READY = "when t.attempts = 0 then 'delayed' else 'backoff' end as reason, count(*) as count";

/** Pending tasks by what `storedBlock` says of each, each kind from an index of its own; `:now` is the time. */
export const TASKS_BY_REASON = `select reason, sum(count) as count from (
  select case when t.ready_at <= :now then coalesce(l.reason, 'queued') ${BEFORE_IT_IS_READY}
    from tasks t left join lanes l on l.lane = t.lane
    where t.status = 'pending' and t.held = 0 and t.limits is null group by 1
  union all select case when t.ready_at <= :now then coalesce(k.reason, l.reason, 'queued') ${BEFORE_IT_IS_READY}
    from tasks t left join lanes l on l.lane = t.lane left join lanes k on k.lane = t.limits
    where t.status = 'pending' and t.held = 0 and t.limits is not null group by 1
  union all select 'session_paused', count(*) from tasks where status = 'pending' and held = 1) group by reason`;

/** Why a pending task waits, from what was stored when a claim last found nothing. */
export function storedBlock(row: TaskColumns & LaneColumns, now: number): Blocked | null {
  if (row.status !== "pending") return null;
  if (row.pause !== null) return heldBack(row, row.pause);
  if (row.ready_at > now) return notReady(row);
  if (row.lane_reason === null) return queued(row);
  return {
    reason: row.lane_reason,
    message: row.lane_message ?? "",
    since: Math.max(row.lane_since ?? 0, row.ready_at),
    details: JSON.parse(row.lane_details ?? "{}") as JsonObject,
  };
}

/** Why a task waits or what it waits for, evaluated now by the code that claims. */
export function explainTask(tx: Tx, taskId: string): Blocked | null {
  const row = loadTask(tx, taskId);
  if (row === undefined) return null;
  if (row.status === "running") return atWork(tx, row);
  if (row.status !== "pending") return null;
  const pause = row.held === 1 && row.session_id !== null ? SessionUnit.load(tx, row.session_id)?.row.pause : null;
  if (pause !== null && pause !== undefined) return heldBack(row, pause);
  if (row.ready_at > tx.now) return notReady(row);
  const block = row.limits === null ? null : limitBlock(tx, readLimits(row.limits));
  const { reason, message, details } =
    block === null ? explainLane(tx, JSON.parse(row.requirement) as Requirement) : explainLimit(tx, block);
  if (reason === "ready") return queued(row);
  const since = tx.get<{ since: number }>(
    "select since from lanes where lane = ? and reason = ?",
    block === null ? row.lane : row.limits,
    reason,
  )?.since;
  return { reason, message, since: Math.max(since ?? 0, row.ready_at), details };
}

function heldBack({ session_id: sessionId }: TaskColumns, pause: string): Blocked {
  return pausedBlock(sessionId ?? "", JSON.parse(pause) as Pause);
}

function notReady(row: TaskColumns): Blocked {
  if (row.attempts === 0) {
    return {
      reason: "delayed",
      message: `It is not to start before ${formatTime(row.ready_at)}.`,
      since: row.created_at,
      details: { readyAt: formatTime(row.ready_at) },
    };
  }
  const error = row.error === null ? null : (JSON.parse(row.error) as TaskError);
  const last = error === null ? "" : ` The last attempt: ${error.code}: ${error.message}`;
  return {
    reason: "backoff",
    message: `${row.used} of ${row.max} attempts used; the next begins at ${formatTime(row.ready_at)}.${last}`,
    since: row.started_at ?? row.created_at,
    details: {
      readyAt: formatTime(row.ready_at),
      used: row.used,
      max: row.max,
      error: error === null ? null : { ...error },
    },
  };
}

function queued(row: TaskColumns): Blocked {
  return { reason: "queued", message: "It will be claimed at once.", since: row.ready_at, details: {} };
}

function atWork(tx: Tx, row: TaskRow): Blocked | null {
  const attempt = row.last;
  if (attempt === null) return null;
  if (attempt.agent_id === null) return calling(row, attempt);
  const agent = tx.context.agents.get(attempt.agent_id);
  const name = agent === undefined ? attempt.agent_id : `\`${agent.name}\``;
  const has = attempt.status === "acknowledged" ? `${name} has it` : `It is being sent to ${name}`;
  return {
    reason: attempt.status === "acknowledged" ? "agent_working" : "sending",
    message: `${has}, ${untilWhen(attempt)}`,
    since: attempt.acknowledged_at ?? attempt.created_at,
    details: { agentId: attempt.agent_id, attempt: attempt.n, timeoutAt: formatTime(attempt.timeout_at) },
  };
}

function calling(row: TaskRow, attempt: AttemptRow): Blocked {
  const tool = toolOf(row.lane);
  return {
    reason: "tool_called",
    message: `Tool \`${tool}\` is being called, ${untilWhen(attempt)}`,
    since: attempt.created_at,
    details: { tool, attempt: attempt.n, timeoutAt: formatTime(attempt.timeout_at) },
  };
}

function untilWhen({ n, timeout_at, wake_at, wake_for }: AttemptRow): string {
  const resend =
    wake_for === "resend" ? ` The last send got no answer; the next is due ${formatTime(wake_at ?? 0)}.` : "";
  return `attempt ${n}, until ${formatTime(timeout_at)} at the latest.${resend}`;
}
