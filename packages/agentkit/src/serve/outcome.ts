/**
 * How a task ended. `body` is the JSON text `{"status":"completed","result":...}` or
 * `{"status":"failed","error":{"code","message","retryable","retryAfter"?}}`, the answer to a delivery as it stands.
 */
export interface Outcome {
  readonly status: "completed" | "failed";
  readonly body: string;
}

export interface TaskErrorOptions {
  /** False when trying again cannot help; default true. */
  readonly retryable?: boolean;
  /** Seconds the sender should wait before it tries again. */
  readonly retryAfter?: number;
}

/**
 * Thrown by a handler to say how its task failed. `code` is a stable word for programs, `message` is for people; both
 * are shown to whoever sent the task. Any other error counts as `agent_error`, worth another try.
 */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly code: string;
  readonly options: TaskErrorOptions;

  constructor(code: string, message: string, options: TaskErrorOptions = {}) {
    super(message);
    this.code = code;
    this.options = options;
  }
}

/** The outcome of a handler that returned. A value that JSON cannot hold fails the task. */
export function completed(result: unknown): Outcome {
  try {
    const json: string | undefined = JSON.stringify(result ?? null);
    if (json === undefined) return notJson(`a ${typeof result}`);
    return { status: "completed", body: `{"status":"completed","result":${json}}` };
  } catch (error) {
    return notJson(error instanceof Error ? error.message : String(error));
  }
}

/** The outcome of a handler that threw. */
export function failed(thrown: unknown): Outcome {
  if (thrown instanceof TaskError) return failure(thrown.code, thrown.message, thrown.options);
  return failure("agent_error", thrown instanceof Error ? thrown.message : String(thrown));
}

/** What a platform takes; beyond it, it would refuse the outcome as a whole. */
const LONGEST_CODE = 100;
const LONGEST_MESSAGE = 10_000;

export function failure(code: string, message: string, options: TaskErrorOptions = {}): Outcome {
  const error = {
    code: code.slice(0, LONGEST_CODE),
    message: message.slice(0, LONGEST_MESSAGE).toWellFormed().replaceAll("\0", "\uFFFD"),
    retryable: options.retryable ?? true,
    retryAfter: options.retryAfter,
  };
  return { status: "failed", body: JSON.stringify({ status: "failed", error }) };
}

function notJson(reason: string): Outcome {
  return failure("result_invalid", `The handler's result is no JSON value: ${reason}`, { retryable: false });
}

/** The body of a result call: the outcome under the attempt's token. */
export function underToken(token: string, outcome: Outcome): string {
  return `{"token":${JSON.stringify(token)},${outcome.body.slice(1)}`;
}
