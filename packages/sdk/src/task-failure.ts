export interface TaskFailureOptions {
  /** Default `agent_error`. */
  readonly code?: string;
  /** False: another try would fail too. Default: the server's policy decides. */
  readonly retryable?: boolean;
  /** Seconds before another try makes sense. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** Thrown by a handler to say how its task failed. Any other error fails it as `agent_error` with its message. */
export class TaskFailure extends Error {
  override readonly name = "TaskFailure";
  readonly code: string;
  readonly retryable: boolean | undefined;
  readonly retryAfter: number | undefined;

  constructor(message: string, options: TaskFailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? "agent_error";
    this.retryable = options.retryable;
    this.retryAfter = options.retryAfter;
  }
}
