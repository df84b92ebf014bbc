import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import type { AttemptOutcome } from "../tasks/task.ts";
import { outcomeBody } from "./outcome.ts";

test("a result is posted as the text that came", () => {
  const result = '{"big":12345678901234567890,"one":1.0}';
  assert.equal(
    outcomeBody("1.t", { type: "succeeded", result, evidence: "answer" }),
    `{"token":"1.t","status":"completed","delivery":"answered","result":${result}}`,
  );
  assert.equal(
    outcomeBody("1.t", { type: "succeeded", result: null, evidence: "answer" }),
    '{"token":"1.t","status":"completed","delivery":"answered","result":null}',
  );
});

function failure(rest: Partial<Extract<AttemptOutcome, { type: "failed" }>>): JsonObject {
  const error = { code: "c", message: "m" };
  const outcome = { type: "failed", reason: "agent_error", error, evidence: null, ...rest } as const;
  return JSON.parse(outcomeBody("1.t", outcome)) as JsonObject;
}

test("a failure is posted with whose it is, and with the wait that was asked for, in seconds", () => {
  assert.deepEqual(failure({ retryAfter: 1_500_000 }), {
    token: "1.t",
    status: "failed",
    delivery: "answered",
    error: { code: "c", message: "m", retryAfter: 1.5 },
  });
  assert.equal(failure({ reason: "unavailable" }).delivery, "unavailable");
  assert.equal(failure({ reason: "rejected" }).delivery, "rejected");
});

test("nothing is posted that the result route would refuse for its length", () => {
  const long = failure({
    error: { code: "c".repeat(200), message: "m".repeat(20_000), retryable: false },
    retryAfter: Number.MAX_SAFE_INTEGER,
  }).error as { code: string; message: string; retryable: boolean; retryAfter: number };
  assert.deepEqual(
    [long.code.length, long.message.length, long.retryable, long.retryAfter],
    [100, 10_000, false, 86_400],
  );
  const result = JSON.stringify("x".repeat(1_048_576));
  const body = outcomeBody("1.t", { type: "succeeded", result, evidence: "answer" });
  assert.partialDeepStrictEqual(JSON.parse(body), { delivery: "rejected", error: { code: "answer_too_large" } });
});
