import { beginning } from "@opspawn/contract";
import { TaskFailure } from "@opspawn/sdk";

/**
 * How a task ended. `body` is the JSON text `{"status":"completed","result":...}` or
 * `{"status":"failed","error":{"code","message","retryable"?,"retryAfter"?}}`, the answer to a delivery as it stands.
 */
export interface Outcome {
  readonly status: "completed" | "failed";
  readonly body: string;
}

/** The outcome of a handler that returned. A value that JSON cannot hold fails the task. */
export function completed(result: unknown): Outcome {
  try {
    const json: string | undefined = JSON.stringify(result ?? null);
    if (json === undefined) return notJson(`a ${typeof result}`);
    return { status: "completed", body: `{"status":"completed","result":${json}}` };
  } catch (error) {
    return notJson(messageOf(error));
  }
}

/** The outcome of a handler that threw. */
export function failed(thrown: unknown): Outcome {
  return failure(thrown instanceof TaskFailure ? thrown : new TaskFailure(messageOf(thrown)));
}

/** What a platform takes; beyond it, it would refuse the outcome as a whole. */
const LONGEST_CODE = 100;
const LONGEST_MESSAGE = 10_000;

function failure({ code, message, retryable, retryAfter }: TaskFailure): Outcome {
  const error = {
    code: beginning(code, LONGEST_CODE),
    message: beginning(message, LONGEST_MESSAGE),
    retryable,
    retryAfter,
  };
  return { status: "failed", body: JSON.stringify({ status: "failed", error }) };
}

function notJson(reason: string): Outcome {
  const message = `The handler's result is no JSON value: ${reason}`;
  return failure(new TaskFailure(message, { code: "result_invalid", retryable: false }));
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
