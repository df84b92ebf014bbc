import { formatTime } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import type { Pause, StepRecord } from "./session.ts";

/** What a step waits for that no task does. */
export const WAITING_REASONS = ["waiting_for_time", "waiting_for_signal", "waiting_for_approval"] as const;
export type WaitingReason = (typeof WAITING_REASONS)[number];

export type WaitingStep = Pick<StepRecord, "wakeAt" | "signal" | "approvalId" | "startedAt">;

/** Why a step in `waiting` does. */
export function waitingBlock(stepId: string, step: WaitingStep): Blocked {
  const { wakeAt, signal, approvalId } = step;
  const since = step.startedAt ?? 0;
  const until = wakeAt === null ? "" : `, until ${formatTime(wakeAt)} at most`;
  const details = { stepId, ...(wakeAt === null ? {} : { until: formatTime(wakeAt) }) };
  if (signal !== null) {
    const message = `Step \`${stepId}\` waits for signal \`${signal}\`${until}.`;
    return { reason: "waiting_for_signal", message, since, details: { ...details, signal } };
  }
  if (approvalId !== null) {
    const message = `Step \`${stepId}\` waits for a decision on approval ${approvalId}${until}.`;
    return { reason: "waiting_for_approval", message, since, details: { ...details, approvalId } };
  }
  const time = wakeAt === null ? "" : ` until ${formatTime(wakeAt)}`;
  return { reason: "waiting_for_time", message: `Step \`${stepId}\` waits${time}.`, since, details };
}

/** Agents that a session waits for, to stop what was cancelled. */
export interface Stopping {
  readonly open: number;
  readonly since: number;
  /** When the last of them is given up, unless it says something first. */
  readonly until: number;
  /** Of the one that is given up last. */
  readonly name: string | null;
}

/** Why a session that is to undo what it did has not begun to. */
export function stoppingBlock({ open, since, until, name }: Stopping): Blocked {
  const who = open === 1 ? `\`${name}\`` : `${open} agents, \`${name}\` among them,`;
  const message = `It is undone when ${who} has stopped what was cancelled, at ${formatTime(until)} at the latest.`;
  return { reason: "waiting_for_stop", message, since, details: { open, until: formatTime(until) } };
}

/** Why nothing of a paused session is given out. */
export function pausedBlock(sessionId: string, { sessionId: asked, by, reason, since }: Pause): Blocked {
  const what = asked === sessionId ? `Session ${sessionId} was` : `Session ${asked}, which it is part of, was`;
  const why = reason === null ? "" : `: ${reason.replace(/\.$/, "")}`;
  const message = `${what} paused by ${by}${why}.`;
  return { reason: "session_paused", message, since, details: { sessionId: asked, by, reason } };
}
