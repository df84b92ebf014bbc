import { formatDuration } from "@opspawn/contract";
import type { Fields } from "./fields.ts";
import { ATTEMPTS_MAX, DELAY_MAX } from "./limits.ts";
import type { RetryPolicy, RetryReason } from "./plan.ts";

const RETRY_FIELDS = ["maxAttempts", "backoff", "initialDelay", "maxDelay", "jitter", "on"] as const;
const RETRY_REASONS: readonly RetryReason[] = ["timeout", "lost", "unavailable", "agent_error"];

/** What a step does about failure when it says nothing: three retries, as the originals' tasks. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 4,
  backoff: "exponential",
  initialDelay: 1_000_000,
  maxDelay: 60_000_000,
  jitter: "full",
  on: RETRY_REASONS,
};

export function readRetry(step: Fields): RetryPolicy {
  const retry = step.inside("retry", "{ maxAttempts: 4 }");
  if (retry === undefined) return DEFAULT_RETRY;
  retry.closed(RETRY_FIELDS);
  const policy: RetryPolicy = {
    maxAttempts: retry.whole("maxAttempts", { min: 1, max: ATTEMPTS_MAX }) ?? DEFAULT_RETRY.maxAttempts,
    backoff: retry.choice("backoff", ["exponential", "fixed"]) ?? DEFAULT_RETRY.backoff,
    initialDelay: retry.duration("initialDelay", { min: 0, max: DELAY_MAX }) ?? DEFAULT_RETRY.initialDelay,
    maxDelay: retry.duration("maxDelay", { min: 0, max: DELAY_MAX }) ?? DEFAULT_RETRY.maxDelay,
    jitter: retry.choice("jitter", ["full", "none"]) ?? DEFAULT_RETRY.jitter,
    on: readReasons(retry) ?? DEFAULT_RETRY.on,
  };
  if (policy.initialDelay > policy.maxDelay) {
    const initial = formatDuration(policy.initialDelay);
    retry.refuse(
      "initialDelay",
      "out_of_order",
      `${initial} is longer than maxDelay, ${formatDuration(policy.maxDelay)}`,
    );
  }
  return policy;
}

function readReasons(retry: Fields): RetryReason[] | undefined {
  const names = retry.names("on");
  if (names === undefined) return undefined;
  const reasons = RETRY_REASONS.filter((reason) => names.includes(reason));
  if (names.length > 0 && reasons.length === names.length) return reasons;
  return retry.refuse(
    "on",
    "wrong_value",
    `must name some of ${RETRY_REASONS.join(", ")}; for no retry say maxAttempts: 1`,
  );
}
