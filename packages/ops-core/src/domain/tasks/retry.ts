import { DAY, MINUTE, SECOND } from "../clock.ts";
import type { Ids } from "../ids.ts";
import type { RetryPolicy } from "../workflows/plan.ts";
import type { AttemptOutcome, TaskError } from "./task.ts";

export const DEFAULT_ATTEMPT_TIMEOUT = 2 * MINUTE;
export const DEFAULT_TASK_DEADLINE = DAY;

/** Tries in a row that never left this process and together use up one attempt. */
export const UNDELIVERED_PER_ATTEMPT = 5;
const UNDELIVERED_FIRST_DELAY = SECOND / 4;
const UNDELIVERED_MAX_DELAY = 30 * SECOND;
const MAX_RETRY_AFTER = 10 * MINUTE;

export const STEP_RETRY: RetryPolicy = {
  maxAttempts: 4,
  backoff: "exponential",
  initialDelay: SECOND,
  maxDelay: MINUTE,
  jitter: "full",
  on: ["timeout", "lost", "unavailable", "agent_error"],
};

/** What of a task the decision depends on. */
export interface Tries {
  /** Attempts used up, the one that just ended not included. */
  readonly used: number;
  readonly max: number;
  /** Undelivered tries in a row before this one. */
  readonly undelivered: number;
  /** Attempts lost before this one. */
  readonly lost: number;
  readonly deadline: number;
  readonly hasFallback: boolean;
  /** The attempt was the probe of an open circuit: when its endpoint fails again, it uses nothing up. */
  readonly probe: boolean;
}

export type FailedOutcome = Extract<AttemptOutcome, { type: "failed" }> | UndeliveredOutcome;

/** Nothing of the message left this process. */
export interface UndeliveredOutcome {
  readonly type: "undelivered";
  readonly error: TaskError;
}

export type Decision =
  /** The task waits until `readyAt`; `counted` says whether an attempt was used up. */
  | { readonly type: "retry"; readonly readyAt: number; readonly counted: boolean; readonly undelivered: number }
  /** The step's fallback takes over with attempts of its own. */
  | { readonly type: "fall_back"; readonly counted: boolean }
  | {
      readonly type: "fail";
      readonly counted: boolean;
      /** Set when attempts or time ran out: the task is then a dead letter. */
      readonly exhausted: "attempts" | "deadline" | null;
    };

/** What happens to a task whose attempt ended without success. */
export function decideRetry(
  tries: Tries,
  policy: RetryPolicy,
  outcome: FailedOutcome,
  now: number,
  ids: Pick<Ids, "random">,
): Decision {
  if (outcome.type === "undelivered") {
    return tries.probe ? afterProbe(tries, now) : decideUndelivered(tries, policy, now, ids);
  }
  const used = tries.used + 1;
  const retryable =
    outcome.reason !== "rejected" && outcome.error.retryable !== false && policy.on.includes(outcome.reason);
  if (!retryable) return tries.hasFallback ? { type: "fall_back", counted: true } : failed(null);
  if (tries.probe && blamesEndpoint(outcome)) return afterProbe(tries, now);
  if (used >= tries.max) return tries.hasFallback ? { type: "fall_back", counted: true } : failed("attempts");
  // The first loss says nothing about the work itself, so it is offered again at once, elsewhere if possible.
  const atOnce = outcome.reason === "lost" && tries.lost === 0;
  const asked = Math.min(outcome.retryAfter ?? 0, MAX_RETRY_AFTER);
  const delay = atOnce ? 0 : Math.max(asked, backoff(policy, used, ids.random()));
  return orDeadline(tries, { type: "retry", readyAt: now + delay, counted: true, undelivered: 0 });
}

/** Whether it was the endpoint that failed, rather than the task. */
export function blamesEndpoint(outcome: FailedOutcome): boolean {
  return outcome.type === "undelivered" || outcome.reason === "unavailable" || outcome.reason === "timeout";
}

/** The task waits for the next probe like all others, unless it can go elsewhere. */
function afterProbe(tries: Tries, now: number): Decision {
  if (tries.hasFallback) return { type: "fall_back", counted: false };
  return orDeadline(tries, { type: "retry", readyAt: now, counted: false, undelivered: tries.undelivered });
}

function decideUndelivered(tries: Tries, policy: RetryPolicy, now: number, ids: Pick<Ids, "random">): Decision {
  const inRow = tries.undelivered + 1;
  const counted = inRow >= UNDELIVERED_PER_ATTEMPT;
  const used = tries.used + (counted ? 1 : 0);
  if (counted && (used >= tries.max || !policy.on.includes("unavailable"))) {
    return tries.hasFallback ? { type: "fall_back", counted } : failed("attempts");
  }
  const ceiling = Math.min(UNDELIVERED_FIRST_DELAY * 2 ** (inRow - 1), UNDELIVERED_MAX_DELAY);
  const delay = counted ? backoff(policy, used, ids.random()) : Math.round(ceiling * (0.5 + ids.random() / 2));
  return orDeadline(tries, { type: "retry", readyAt: now + delay, counted, undelivered: counted ? 0 : inRow });
}

/** A retry that could only start after the deadline is none. */
function orDeadline(tries: Tries, retry: Extract<Decision, { type: "retry" }>): Decision {
  if (retry.readyAt < tries.deadline) return retry;
  return { type: "fail", counted: retry.counted, exhausted: "deadline" };
}

function failed(exhausted: "attempts" | null): Decision {
  return { type: "fail", counted: true, exhausted };
}

/**
 * The delay before the attempt after `used` attempts, in microseconds.
 * @param chance uniform in [0, 1)
 */
export function backoff(policy: RetryPolicy, used: number, chance: number): number {
  const grown =
    policy.backoff === "exponential" ? policy.initialDelay * 2 ** Math.min(used - 1, 60) : policy.initialDelay;
  const ceiling = Math.min(grown, policy.maxDelay);
  return Math.round(policy.jitter === "full" ? ceiling * chance : ceiling);
}
