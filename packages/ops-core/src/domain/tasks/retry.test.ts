import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HOUR, MINUTE, SECOND } from "../clock.ts";
import type { RetryPolicy, RetryReason } from "../workflows/plan.ts";
import {
  backoff,
  blamesEndpoint,
  decideRetry,
  type FailedOutcome,
  STEP_RETRY,
  type Tries,
  UNDELIVERED_PER_ATTEMPT,
} from "./retry.ts";
import type { FailureReason } from "./task.ts";

const NOW = 1_750_000_000_000_000;
const REASONS: readonly RetryReason[] = ["timeout", "lost", "unavailable", "agent_error"];
const FIXED: RetryPolicy = { ...STEP_RETRY, backoff: "fixed", jitter: "none" };
const chance = (value: number) => ({ random: () => value });

function tries(rest: Partial<Tries> = {}): Tries {
  return { used: 0, max: 4, undelivered: 0, lost: 0, deadline: NOW + HOUR, hasFallback: false, probe: false, ...rest };
}

function failed(reason: FailureReason, rest: { retryAfter?: number; retryable?: boolean } = {}): FailedOutcome {
  const { retryAfter, retryable } = rest;
  const error = { code: reason, message: "", ...(retryable === undefined ? {} : { retryable }) };
  return { type: "failed", reason, error, evidence: null, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

const UNDELIVERED: FailedOutcome = { type: "undelivered", error: { code: "undelivered", message: "" } };

const policies: fc.Arbitrary<RetryPolicy> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 100 }),
  backoff: fc.constantFrom("exponential", "fixed"),
  initialDelay: fc.integer({ min: 0, max: MINUTE }),
  maxDelay: fc.integer({ min: 0, max: HOUR }),
  jitter: fc.constantFrom("full", "none"),
  on: fc.subarray([...REASONS], { minLength: 1 }),
});
const outcomes: fc.Arbitrary<FailedOutcome> = fc.oneof(
  fc.constant(UNDELIVERED),
  fc
    .record({
      reason: fc.constantFrom<FailureReason>(...REASONS, "rejected"),
      retryAfter: fc.option(fc.integer({ min: 0, max: HOUR }), { nil: undefined }),
      retryable: fc.option(fc.boolean(), { nil: undefined }),
    })
    .map(({ reason, retryAfter, retryable }) =>
      failed(reason, {
        ...(retryAfter === undefined ? {} : { retryAfter }),
        ...(retryable === undefined ? {} : { retryable }),
      }),
    ),
);
const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("the backoff doubles from its first delay to its cap, and full jitter is somewhere below it", () => {
  const plain = { ...STEP_RETRY, jitter: "none" as const };
  assert.deepEqual(
    [1, 2, 3, 6, 7, 100].map((used) => backoff(plain, used, 0.5) / SECOND),
    [1, 2, 4, 32, 60, 60],
  );
  assert.equal(backoff(FIXED, 9, 0.5), SECOND);
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 1_000 }), chances, (policy, used, value) => {
      const delay = backoff(policy, used, value);
      assert.ok(Number.isSafeInteger(delay) && delay >= 0 && delay <= policy.maxDelay);
      if (policy.jitter === "none") assert.ok(delay >= Math.min(policy.initialDelay, policy.maxDelay));
      assert.ok(delay <= backoff({ ...policy, jitter: "none" }, used, 0));
    }),
  );
});

test("attempts never exceed their bound, and every task comes to an end or to a fallback", () => {
  fc.assert(
    fc.property(policies, fc.boolean(), fc.infiniteStream(outcomes), chances, (policy, hasFallback, stream, value) => {
      let state = tries({ max: policy.maxAttempts, deadline: Number.MAX_SAFE_INTEGER, hasFallback });
      let rounds = 0;
      for (const outcome of stream) {
        const decision = decideRetry(state, policy, outcome, NOW, chance(value));
        const used = state.used + (decision.counted ? 1 : 0);
        assert.ok(used <= policy.maxAttempts, `${used} of ${policy.maxAttempts}`);
        rounds += 1;
        assert.ok(rounds <= policy.maxAttempts * UNDELIVERED_PER_ATTEMPT);
        if (decision.type === "fail") {
          assert.equal(hasFallback, false);
          return;
        }
        if (decision.type === "fall_back") {
          assert.equal(hasFallback, true);
          return;
        }
        assert.ok(decision.readyAt >= NOW);
        const lost = outcome.type === "failed" && outcome.reason === "lost" ? 1 : 0;
        state = { ...state, used, undelivered: decision.undelivered, lost: state.lost + lost };
      }
    }),
  );
});

test("a retry is not earlier than the other side asked for, nor later than ten minutes because of that", () => {
  for (const [asked, expected] of [
    [0, SECOND],
    [5 * SECOND, 5 * SECOND],
    [HOUR, 10 * MINUTE],
  ] as const) {
    const decision = decideRetry(tries(), FIXED, failed("unavailable", { retryAfter: asked }), NOW, chance(0));
    assert.deepEqual(decision, { type: "retry", readyAt: NOW + expected, counted: true, undelivered: 0 });
  }
});

test("the first loss is offered again at once, the next takes the backoff", () => {
  const at = (lost: number) => decideRetry(tries({ lost }), FIXED, failed("lost"), NOW, chance(0));
  assert.deepEqual(at(0), { type: "retry", readyAt: NOW, counted: true, undelivered: 0 });
  assert.deepEqual(at(1), { type: "retry", readyAt: NOW + SECOND, counted: true, undelivered: 0 });
});

test("what the policy does not retry, was rejected, or says that it is not retryable, fails for good", () => {
  const only: RetryPolicy = { ...FIXED, on: ["timeout"] };
  const end = { type: "fail", counted: true, exhausted: null };
  assert.deepEqual(decideRetry(tries(), only, failed("agent_error"), NOW, chance(0)), end);
  assert.deepEqual(decideRetry(tries(), FIXED, failed("rejected"), NOW, chance(0)), end);
  assert.deepEqual(decideRetry(tries(), FIXED, failed("agent_error", { retryable: false }), NOW, chance(0)), end);
  assert.equal(decideRetry(tries(), FIXED, failed("agent_error", { retryable: true }), NOW, chance(0)).type, "retry");
  assert.deepEqual(decideRetry(tries({ hasFallback: true }), FIXED, failed("rejected"), NOW, chance(0)), {
    type: "fall_back",
    counted: true,
  });
});

test("when attempts run out the fallback takes over, or the task is a dead letter", () => {
  const last = tries({ used: 3 });
  assert.deepEqual(decideRetry(last, FIXED, failed("timeout"), NOW, chance(0)), {
    type: "fail",
    counted: true,
    exhausted: "attempts",
  });
  assert.equal(decideRetry({ ...last, hasFallback: true }, FIXED, failed("timeout"), NOW, chance(0)).type, "fall_back");
});

test("a retry that could only start after the deadline is none", () => {
  const close = tries({ deadline: NOW + SECOND });
  assert.deepEqual(decideRetry(close, FIXED, failed("timeout"), NOW, chance(0)), {
    type: "fail",
    counted: true,
    exhausted: "deadline",
  });
  const after = { ...close, deadline: NOW + SECOND + 1 };
  assert.equal(decideRetry(after, FIXED, failed("timeout"), NOW, chance(0)).type, "retry");
  assert.deepEqual(decideRetry(tries({ deadline: NOW }), FIXED, UNDELIVERED, NOW, chance(0)), {
    type: "fail",
    counted: false,
    exhausted: "deadline",
  });
});

test("undelivered tries wait from an eighth of a second to half a minute, and five count as one", () => {
  const delays = [0, 1, 2, 3].map((undelivered) => {
    const decision = decideRetry(tries({ undelivered }), FIXED, UNDELIVERED, NOW, chance(0));
    assert.ok(decision.type === "retry" && !decision.counted && decision.undelivered === undelivered + 1);
    return (decision.readyAt - NOW) / SECOND;
  });
  assert.deepEqual(delays, [0.125, 0.25, 0.5, 1]);
  const fifth = decideRetry(tries({ undelivered: 4 }), FIXED, UNDELIVERED, NOW, chance(0));
  assert.deepEqual(fifth, { type: "retry", readyAt: NOW + SECOND, counted: true, undelivered: 0 });
  const last = tries({ undelivered: 4, used: 3 });
  assert.deepEqual(decideRetry(last, FIXED, UNDELIVERED, NOW, chance(0)), {
    type: "fail",
    counted: true,
    exhausted: "attempts",
  });
  const fallback = { ...last, hasFallback: true };
  assert.deepEqual(decideRetry(fallback, FIXED, UNDELIVERED, NOW, chance(0)), { type: "fall_back", counted: true });
  const never: RetryPolicy = { ...FIXED, on: ["timeout"] };
  assert.equal(decideRetry(tries({ undelivered: 3 }), never, UNDELIVERED, NOW, chance(0)).type, "retry");
  assert.equal(decideRetry(tries({ undelivered: 4 }), never, UNDELIVERED, NOW, chance(0)).type, "fail");
});

test("a probe whose endpoint fails again uses nothing up; everything else of a probe counts", () => {
  const probe = tries({ probe: true, used: 3 });
  for (const outcome of [failed("unavailable"), failed("timeout"), UNDELIVERED]) {
    assert.ok(blamesEndpoint(outcome));
    const waiting = { type: "retry", readyAt: NOW, counted: false, undelivered: 0 };
    assert.deepEqual(decideRetry(probe, FIXED, outcome, NOW, chance(0)), waiting);
    const elsewhere = decideRetry({ ...probe, hasFallback: true }, FIXED, outcome, NOW, chance(0));
    assert.deepEqual(elsewhere, { type: "fall_back", counted: false });
  }
  for (const outcome of [failed("agent_error"), failed("lost"), failed("rejected")]) {
    assert.ok(!blamesEndpoint(outcome));
    assert.equal(decideRetry(probe, FIXED, outcome, NOW, chance(0)).counted, true);
  }
  const never: RetryPolicy = { ...FIXED, on: ["lost"] };
  assert.equal(decideRetry(probe, never, failed("timeout"), NOW, chance(0)).type, "fail");
});
