import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** A request as far as operations care, however it was taken in. */
export interface Call {
  /** The request's id. */
  readonly id: string;
  /** Of the caller. */
  readonly ip: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the path. */
  readonly params: unknown;
  readonly query: unknown;
  /** Its bytes; anything else when there was none. */
  readonly body: unknown;
  readonly raw: IncomingMessage;
}
