import { beginning, JSON_LIMITS } from "@opspawn/contract";
import type { AttemptOutcome, FailureReason } from "../tasks/task.ts";

/** What the result route takes. */
const MAX_CODE = 100;
const MAX_MESSAGE = 10_000;
const SECOND = 1_000_000;

const DELIVERY: Readonly<Partial<Record<FailureReason, string>>> = { unavailable: "unavailable", rejected: "rejected" };

/** An outcome as a gateway posts it to an attempt's `resultUrl`: the result goes as the text that came. */
export function outcomeBody(token: string, outcome: AttemptOutcome): string {
  if (outcome.type === "failed") return failureBody(token, outcome);
  const body = `{"token":${JSON.stringify(token)},"status":"completed","delivery":"answered","result":${outcome.result}}`;
  if (Buffer.byteLength(body) <= JSON_LIMITS.maxBytes) return body;
  const error = { code: "answer_too_large", message: "The agent's answer was too large to forward." };
  return failureBody(token, { type: "failed", reason: "rejected", error, evidence: null });
}

function failureBody(token: string, outcome: Extract<AttemptOutcome, { type: "failed" }>): string {
  const { code, message, retryable } = outcome.error;
  return JSON.stringify({
    token,
    status: "failed",
    delivery: DELIVERY[outcome.reason] ?? "answered",
    error: {
      code: beginning(code, MAX_CODE),
      message: beginning(message, MAX_MESSAGE),
      ...(retryable === undefined ? {} : { retryable }),
      ...(outcome.retryAfter === undefined ? {} : { retryAfter: Math.min(outcome.retryAfter / SECOND, 86_400) }),
    },
  });
}
