import { MINUTE } from "../clock.ts";
import type { FailedOutcome } from "../tasks/retry.ts";

/** Attempts that ended longer ago say nothing about an agent any more. */
export const FAILURE_WINDOW = 10 * MINUTE;
/** Ends of attempts that are looked at, counted from the first failure among them. */
export const OUTCOMES_KEPT = 20;
/** So many failures in a row quarantine an agent. */
const QUARANTINE_STREAK = 5;
/** So do failures of this share among at least so many ends. */
const QUARANTINE_SHARE = 0.8;
const QUARANTINE_SHARE_OF = 10;
/** Failures that make an agent suspect, if they are at least half of what is looked at. */
export const SUSPECT_FAILURES = 3;

/** How an attempt of an agent ended: when, whose it was, and the code of its failure; null = it succeeded. */
export type AttemptEnd = readonly [at: number, taskId: string, code: string | null];

/**
 * The ends that count for an agent after one more, oldest first. They begin with a failure, so that an agent without
 * failures has none and nothing of it needs to be kept.
 */
export function withEnd(ends: readonly AttemptEnd[], end: AttemptEnd): readonly AttemptEnd[] {
  const recent = [...ends, end].filter(([at]) => at > end[0] - FAILURE_WINDOW).slice(-OUTCOMES_KEPT);
  const first = recent.findIndex(([, , code]) => code !== null);
  return first < 0 ? [] : recent.slice(first);
}

/** The failures among ends. */
export interface FailureCount {
  readonly failed: number;
  readonly of: number;
}

export function countFailures(ends: readonly AttemptEnd[]): FailureCount {
  return { failed: ends.filter(([, , code]) => code !== null).length, of: ends.length };
}

/** The failures for which an agent is to be quarantined, or null. */
export function tooManyFailures(ends: readonly AttemptEnd[]): FailureCount | null {
  const last = ends.slice(-QUARANTINE_STREAK);
  if (last.length === QUARANTINE_STREAK && last.every(([, , code]) => code !== null)) return countFailures(last);
  const all = countFailures(ends);
  return all.of >= QUARANTINE_SHARE_OF && all.failed >= QUARANTINE_SHARE * all.of ? all : null;
}

/**
 * Whether a failure is held against the agent: it gave no outcome in time, went away with the work, failed without saying
 * that another try may help, or gave a result that its schema refuses. An endpoint that is not reached has its circuit.
 */
export function blamesAgent(outcome: FailedOutcome): boolean {
  if (outcome.type === "undelivered") return false;
  switch (outcome.reason) {
    case "timeout":
    case "lost":
      return true;
    case "agent_error":
      return outcome.error.retryable !== true;
    default:
      return false;
  }
}
