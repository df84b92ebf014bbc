import type { Blocked } from "../blocked.ts";
import { DAY, SECOND } from "../clock.ts";
import type { SessionStatus } from "../sessions/transitions.ts";
import type { TaskError } from "../tasks/task.ts";

/** When due times are. */
export type Timing =
  | { readonly kind: "cron"; readonly cron: string; readonly timeZone: string }
  /** `anchor` and every so many microseconds before and after it. */
  | { readonly kind: "every"; readonly every: number; readonly anchor: number };

/** All due times of a schedule, past and future. */
export interface Series {
  readonly timing: Timing;
  /** No due time before. */
  readonly startAt: number | null;
  /** No due time at or after. */
  readonly endAt: number | null;
}

/** What happens to a due time while an earlier session of the schedule is open. */
export type Overlap = "skip" | "queue" | "allow";
/** Which of the due times that have passed unnoticed are fired: none, the newest, or each. */
export type CatchUp = "skip" | "one" | "all";
export type FireKind = "series" | "backfill" | "trigger";
export type FireOutcome = "queued" | "started" | "skipped" | "failed" | "missed";

/** What a schedule starts, and when. */
export interface ScheduleDefinition extends Series {
  readonly name: string;
  readonly workflowId: string;
  /** Null = the newest at each fire. */
  readonly workflowVersion: string | null;
  /** JSON text or null. */
  readonly input: string | null;
  readonly agentId: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
  /** Microseconds; what is older is not caught up with. */
  readonly catchUpWindow: number;
}

export interface NewSchedule extends ScheduleDefinition {
  readonly id: string;
  readonly paused: boolean;
  readonly note: string | null;
}

/** A due time, or several in a row that were missed, and what became of it. */
export interface FireRecord {
  readonly scheduleId: string;
  readonly sequence: number;
  readonly kind: FireKind;
  readonly dueAt: number;
  readonly lastDueAt: number;
  /** Due times it is about, counted up to `COUNTED_MAX`. */
  readonly count: number;
  readonly outcome: FireOutcome;
  readonly reason: string | null;
  readonly error: TaskError | null;
  readonly sessionId: string | null;
  readonly sessionStatus: SessionStatus | null;
  readonly decidedAt: number;
  readonly startedAt: number | null;
}

export interface ScheduleRecord extends ScheduleDefinition {
  readonly id: string;
  readonly status: "active" | "paused" | "ended";
  readonly note: string | null;
  /** Null while it is paused, and when no due time is left. */
  readonly nextAt: number | null;
  /** Fires that wait for an earlier session. */
  readonly queued: number;
  readonly counts: {
    readonly started: number;
    readonly skipped: number;
    readonly failed: number;
    readonly missed: number;
  };
  /** Fires that have failed since one started. */
  readonly failures: number;
  readonly lastFire: FireRecord | null;
  /** What became of due times up to here is not kept any more. */
  readonly forgottenUntil: number | null;
  readonly blocked: Blocked | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a schedule that has not ended can wait for. */
export const SCHEDULE_REASONS = ["paused", "earlier_session_open", "not_due"] as const;

export interface ScheduleFilter {
  readonly paused?: boolean | undefined;
  readonly workflow?: string | undefined;
  readonly label?: { readonly key: string; readonly value: string } | undefined;
  readonly blockedReason?: string | undefined;
}

/** Labels that each session of a schedule gets: its name, and the due time. */
export const SCHEDULE_LABEL = "schedule";
export const DUE_LABEL = "dueAt";

/** Labels of its own that a schedule may have, so that a session's limit holds. */
export const LABELS_MAX = 30;
export const EVERY_MIN = SECOND;
export const EVERY_MAX = 366 * DAY;
export const WINDOW_MAX = 7 * DAY;
/** A due time noticed later than this was missed. */
export const ON_TIME = 10 * SECOND;
/** Fires of one schedule that may wait for earlier sessions. */
export const QUEUED_MAX = 1_000;
/** Due times that one record of missed ones counts; more are not worth the time it takes. */
export const COUNTED_MAX = 100;
/** Fire records kept for each schedule, beside those that wait or whose session is open. */
export const FIRES_KEPT = 1_000;
