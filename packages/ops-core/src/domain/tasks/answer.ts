import {
  beginning,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  OpspawnError,
  parseJson,
  stringifyJson,
} from "@opspawn/contract";
import type { HttpResponse } from "../http-client.ts";
import type { AttemptOutcome, TaskError } from "./task.ts";

const RETRYABLE = new Set([408, 425, 429]);
const MAX_MESSAGE = 1_000;

/**
 * Reads an agent's answer to a delivery.
 * @param send counts the sends of this attempt; an agent that knows the task from an earlier one may say 409 or 425
 * @param now microseconds, for a `retry-after` date
 * @returns the outcome, or null when the agent only took the task
 */
export function readAnswer(response: HttpResponse, send: number, now: number): AttemptOutcome | null {
  const { status } = response;
  if (status >= 200 && status < 300) return readBody(response);
  if (send > 1 && (status === 409 || status === 425)) return null;
  return readRefusal("agent", response, now);
}

/**
 * What an answer that is no 2xx means.
 * @param who gave it
 * @param now microseconds, for a `retry-after` date
 */
export function readRefusal(who: "agent" | "tool", response: HttpResponse, now: number): AttemptOutcome {
  const { status } = response;
  const message = `The ${who} answered ${status}.`;
  if (RETRYABLE.has(status) || status >= 500) {
    const retryAfter = readRetryAfter(response.headers["retry-after"], now);
    return {
      type: "failed",
      reason: "unavailable",
      error: { code: `http_${status}`, message },
      evidence: null,
      ...(retryAfter === null ? {} : { retryAfter }),
    };
  }
  return rejected(`http_${status}`, message);
}

/** It will never be taken, or what came can never be an outcome. */
export function rejected(code: string, message: string): AttemptOutcome {
  return { type: "failed", reason: "rejected", error: { code, message, retryable: false }, evidence: null };
}

function readBody(response: HttpResponse): AttemptOutcome | null {
  if (response.truncated) return rejected("answer_too_large", "The agent's answer was too large to read.");
  // The shortest body that can hold an outcome is longer.
  if (response.body.length < 12) return null;
  let body: JsonValue;
  try {
    body = parseJson(response.body);
  } catch (error) {
    // Text that is no JSON says nothing; JSON beyond our limits may well be the outcome, and waiting brings no other.
    const unreadable = error instanceof OpspawnError && error.code !== "json_invalid";
    return unreadable ? rejected("answer_unreadable", `The agent's answer cannot be taken: ${error.message}`) : null;
  }
  if (!isJsonObject(body)) return null;
  switch (body.status) {
    case "completed":
      return { type: "succeeded", result: stringifyJson(body.result ?? null), evidence: "answer" };
    case "failed":
    case "error":
      return { type: "failed", reason: "agent_error", error: readError(body), evidence: "answer" };
    case "ignored":
    case "rejected":
      return {
        type: "failed",
        reason: "rejected",
        error: { ...readError(body), code: "rejected", retryable: false },
        evidence: "answer",
      };
    default:
      return null;
  }
}

/** `error` may be a text or an object; `message` and `reason` are what the originals' agents write. */
function readError(body: JsonObject): TaskError {
  const error = body.error;
  if (isJsonObject(error)) {
    const retryable = error.retryable;
    return {
      code: text(error.code) ?? "agent_error",
      message: text(error.message) ?? "The agent reported a failure.",
      ...(typeof retryable === "boolean" ? { retryable } : {}),
    };
  }
  const message = text(error) ?? text(body.message) ?? text(body.reason);
  return { code: "agent_error", message: message ?? "The agent reported a failure." };
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? beginning(value, MAX_MESSAGE) : undefined;
}

/** Seconds or an HTTP date; microseconds from now, or null. */
export function readRetryAfter(header: string | string[] | undefined, now: number): number | null {
  if (typeof header !== "string") return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(at * 1000 - now, 0);
}
