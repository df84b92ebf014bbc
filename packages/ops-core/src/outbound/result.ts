import type { IncomingHttpHeaders } from "node:http";
import type { Refusal } from "./policy.ts";

/** Why a request did not get its answer. */
export type FaultCode =
  // Nothing of the request left:
  | "invalid_request"
  | "pool_full"
  | "dns_failed"
  | "connect_failed"
  | "connect_timeout"
  | "tls_failed"
  | "withdrawn"
  // At any time; `unsent` or `broken` says whether bytes may have left:
  | "timeout"
  | "aborted"
  | "connection_lost"
  | "shutdown"
  // While the answer was read:
  | "protocol_error";

export interface Fault {
  readonly code: FaultCode;
  /** Safe to show to whoever chose the URL: no addresses, nothing the other side wrote. */
  readonly message: string;
  /** For the log. */
  readonly cause: unknown;
}

/** What became of a request. Trouble on the way is data, never an exception. */
export type OutboundResult =
  | {
      readonly kind: "response";
      /** 200 to 599; redirects are answers like any other. */
      readonly status: number;
      /** Names in lower case. */
      readonly headers: IncomingHttpHeaders;
      /** Decoded; what came of it when `truncated`. */
      readonly body: Buffer;
      /** The body was longer than the cap, or in an encoding that could not be read. */
      readonly truncated: boolean;
    }
  /** The guard said no. Nothing was sent; trying again changes nothing. */
  | { readonly kind: "refused"; readonly reason: string; readonly setting: Refusal["setting"] }
  /** Certainly no byte of the request left this process. */
  | { readonly kind: "unsent"; readonly error: Fault }
  /** Bytes of the request may have arrived, and no whole answer came back. */
  | { readonly kind: "broken"; readonly error: Fault };

const MESSAGES: Record<FaultCode, string> = {
  invalid_request: "The request could not be written as HTTP.",
  pool_full: "Too many requests are open; this one was not sent.",
  dns_failed: "The host name could not be resolved.",
  connect_failed: "No connection could be made.",
  connect_timeout: "No connection could be made in time.",
  tls_failed: "No secure connection could be made.",
  withdrawn: "The request was withdrawn before it was sent.",
  timeout: "No answer came in time.",
  aborted: "The request was given up.",
  connection_lost: "The connection was lost before the answer was complete.",
  shutdown: "The client is closing.",
  protocol_error: "The answer was not well-formed HTTP.",
};

export function fault(code: FaultCode, cause: unknown = null): Fault {
  return { code, message: MESSAGES[code], cause };
}

/** How the connector reports that there is no connection to write to. */
export class ConnectFailure extends Error {
  override readonly name = "ConnectFailure";
  readonly fault: FaultCode;

  constructor(code: FaultCode, cause?: unknown) {
    super(MESSAGES[code], { cause });
    this.fault = code;
  }
}

/** How the connector reports that the guard said no. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

const LOST = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_SOCKET",
  "ECONNABORTED",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
const CLOSING = new Set(["UND_ERR_DESTROYED", "UND_ERR_CLOSED"]);
const UNWRITABLE = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"]);

/** Names what undici, the connector or the socket complained about. */
export function faultOf(error: Error): Fault {
  if (error instanceof ConnectFailure) return fault(error.fault, error.cause);
  const code = "code" in error ? String(error.code) : "";
  if (LOST.has(code)) return fault("connection_lost", error);
  if (CLOSING.has(code)) return fault("shutdown", error);
  return fault(UNWRITABLE.has(code) ? "invalid_request" : "protocol_error", error);
}
