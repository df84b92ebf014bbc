import { type CancelNoticeView, ERRORS, type Issue } from "@opspawn/contract";

/** What the server said no with. */
export interface ApiErrorParts {
  readonly status: number;
  /** A code of the catalogue, or `unknown` when something else answered (a proxy, say). */
  readonly code: string;
  readonly detail: string;
  readonly issues?: readonly Issue[] | undefined;
  readonly requestId?: string | undefined;
  /** Microseconds the server asked to wait. */
  readonly retryAfter?: number | undefined;
  readonly cancellation?: CancelNoticeView | undefined;
}

// Where no code of ours came with the answer, these usually pass.
const PASSING_STATUSES: readonly number[] = [429, 502, 503, 504];

function specOf(code: string): { readonly retryable: boolean; readonly help: string } | undefined {
  return Object.entries(ERRORS).find(([known]) => known === code)?.[1];
}

/** The server answered, and the answer is an error. */
export class OpspawnApiError extends Error {
  override readonly name = "OpspawnApiError";
  readonly status: number;
  /** A code of the catalogue (`ErrorCode`), or `unknown`. */
  readonly code: string;
  /** What is wrong, in the server's words. */
  readonly detail: string;
  /** The wrong places, for errors about input; else empty. */
  readonly issues: readonly Issue[];
  /** Names the call in the server's log. */
  readonly requestId: string | undefined;
  /** Microseconds the server asked to wait before a retry. */
  readonly retryAfter: number | undefined;
  /** Of a `lease_lost`: the cancellation of the attempt, where that is the reason. */
  readonly cancellation: CancelNoticeView | undefined;
  /** The same request may succeed later. */
  readonly retryable: boolean;
  /** What the reader can do about it. */
  readonly help: string;

  constructor(parts: ApiErrorParts) {
    super(`${parts.status} ${parts.code}: ${parts.detail}`);
    const spec = specOf(parts.code);
    this.status = parts.status;
    this.code = parts.code;
    this.detail = parts.detail;
    this.issues = parts.issues ?? [];
    this.requestId = parts.requestId;
    this.retryAfter = parts.retryAfter;
    this.cancellation = parts.cancellation;
    this.retryable = spec?.retryable ?? PASSING_STATUSES.includes(parts.status);
    this.help = spec?.help ?? "";
  }
}

export type ConnectionProblem = "unreachable" | "timeout" | "not_opspawn";

/** No answer, or none of Opspawn's. */
export class OpspawnConnectionError extends Error {
  override readonly name = "OpspawnConnectionError";
  readonly problem: ConnectionProblem;
  /** Where the client was told to find the server. */
  readonly baseUrl: string;

  constructor(problem: ConnectionProblem, baseUrl: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.problem = problem;
    this.baseUrl = baseUrl;
  }
}

/** The time to wait ran out before what was waited for happened. */
export class OpspawnWaitError extends Error {
  override readonly name = "OpspawnWaitError";
}

/**
 * The events that follow the place one asked for are not to be had: removed (`expired`), or that place is not one of this
 * server's data (`foreign`: another server, or data restored from an older copy). Following without a place begins with
 * the first event kept.
 */
export class OpspawnResetError extends Error {
  override readonly name = "OpspawnResetError";
  readonly reason: string;

  constructor(reason: string) {
    const why = reason === "expired" ? "what follows it was removed" : "it is not one of this server's data";
    super(`The events cannot be followed from the place that was given: ${why}`);
    this.reason = reason;
  }
}

/** True for errors after which the same call may succeed: nobody answered, or the server said so. */
export function isPassing(error: unknown): boolean {
  if (error instanceof OpspawnApiError) return error.retryable;
  return error instanceof OpspawnConnectionError && error.problem !== "not_opspawn";
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_SOCKET: "the connection was closed",
};

/** Turns what `fetch` threw into an error that says what to do. */
export function unreachable(baseUrl: string, error: unknown): OpspawnConnectionError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  const reason = REASONS[code] ?? (cause instanceof Error && cause.message !== "" ? cause.message : "no connection");
  const message = `Cannot reach ${baseUrl}: ${reason}. Is the server running? Start it with: opspawn dev`;
  return new OpspawnConnectionError("unreachable", baseUrl, message, error);
}
