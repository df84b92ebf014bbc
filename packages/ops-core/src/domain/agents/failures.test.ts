import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MINUTE } from "../clock.ts";
import type { FailureReason } from "../tasks/task.ts";
import { type AttemptEnd, blamesAgent, OUTCOMES_KEPT, tooManyFailures, withEnd } from "./failures.ts";
import { holds } from "./probe.ts";
import { isTrialDue, readmissionDelay } from "./quarantine.ts";

/** `.` succeeded, `x` failed; one a second. */
function endsOf(text: string, every = 1_000_000): readonly AttemptEnd[] {
  let ends: readonly AttemptEnd[] = [];
  for (const [i, sign] of [...text].entries())
    ends = withEnd(ends, [i * every, `t${i}`, sign === "x" ? "silent" : null]);
  return ends;
}

test("an agent that succeeds is remembered for nothing", () => {
  assert.deepEqual(endsOf("......"), []);
  assert.equal(endsOf("..x..").length, 3, "from the first failure on");
  assert.deepEqual(endsOf(`x${".".repeat(OUTCOMES_KEPT)}`), [], "a failure long before is forgotten");
  assert.deepEqual(endsOf("xx.", 11 * MINUTE), [], "so is one of ten minutes ago");
});

test("five failures in a row are too many, four are not", () => {
  assert.equal(tooManyFailures(endsOf("xxxx")), null);
  assert.deepEqual(tooManyFailures(endsOf("xxxxx")), { failed: 5, of: 5 });
  assert.equal(tooManyFailures(endsOf("xxxx.xxxx")), null);
  assert.deepEqual(tooManyFailures(endsOf("...xx.xxxxx")), { failed: 5, of: 5 });
});

test("so are four fifths of ten or more", () => {
  assert.deepEqual(tooManyFailures(endsOf("xxxx.xxx.x")), { failed: 8, of: 10 });
  assert.equal(tooManyFailures(endsOf("xxxx.xxx..")), null);
  assert.equal(tooManyFailures(endsOf("xxxx.xxx.")), null, "nine are too few to tell");
});

test("whatever happens, the ends begin with a failure, are few and recent", () => {
  const gaps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 * MINUTE }), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(gaps, (given) => {
      let at = 0;
      let ends: readonly AttemptEnd[] = [];
      for (const [gap, failed] of given) {
        at += gap;
        ends = withEnd(ends, [at, "t", failed ? "x" : null]);
        assert.ok(ends.length <= OUTCOMES_KEPT);
        assert.ok(ends.length === 0 || ends[0]?.[2] !== null);
        assert.ok(ends.every(([then]) => then > at - 10 * MINUTE));
      }
    }),
  );
});

test("an agent is blamed for what it does itself, not for its endpoint, nor for a failure that it says may pass", () => {
  const failed = (reason: FailureReason, retryable?: boolean) =>
    blamesAgent({
      type: "failed",
      reason,
      error: { code: reason, message: "", ...(retryable === undefined ? {} : { retryable }) },
      evidence: null,
    });
  for (const reason of ["timeout", "lost", "agent_error"] as const) assert.equal(failed(reason), true, reason);
  assert.equal(failed("agent_error", false), true);
  assert.equal(failed("agent_error", true), false);
  for (const reason of ["unavailable", "rejected"] as const) assert.equal(failed(reason), false, reason);
  assert.equal(blamesAgent({ type: "undelivered", error: { code: "undelivered", message: "" } }), false);
});

test("a quarantined agent is tried after 30 s, then twice as long each time, up to ten minutes", () => {
  const seconds = [0, 1, 2, 3, 4, 5, 50].map((tries) => readmissionDelay(tries) / 1_000_000);
  assert.deepEqual(seconds, [30, 60, 120, 240, 480, 600, 600]);
  const quarantine = { since: 0, cause: "manual", failed: 0, of: 0, by: null, reason: null, tries: 0 } as const;
  assert.equal(isTrialDue({ ...quarantine, nextTryAt: null, trial: null }, 1), false, "somebody has to readmit it");
});

test("a probe's result may hold more than is expected, and nothing else", () => {
  assert.ok(holds({ pong: 1, at: "noon" }, { pong: 1 }));
  assert.ok(holds([{ a: 1, b: 2 }], [{ a: 1 }]));
  assert.ok(holds(null, null));
  const wrong: Parameters<typeof holds>[] = [
    [{ pong: 2 }, { pong: 1 }],
    [{}, { pong: null }],
    ["pong", { pong: 1 }],
    [[1, 2], [1]],
    [null, { toString: null }],
    [{}, { toString: {} }],
  ];
  for (const [result, expected] of wrong) assert.equal(holds(result, expected), false, JSON.stringify(result));
});
