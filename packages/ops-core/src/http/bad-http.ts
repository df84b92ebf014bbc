import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { ERRORS, type ErrorCode } from "@opspawn/contract";

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** Answers what never became a request, in JSON like everything else, and ends the connection. */
export function answerBadHttp(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  // Node keeps the answer under way here, and looks at it for the same reason: not to write into its middle.
  const { _httpMessage: underWay } = socket as Socket & { readonly _httpMessage?: ServerResponse };
  if (socket.writable && underWay?.headersSent !== true) {
    const code = CODES[error.code ?? ""] ?? "malformed_http";
    const { status } = ERRORS[code];
    const body = JSON.stringify({ detail: STATUS_CODES[status] });
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "content-type: application/json",
      `content-length: ${body.length}`,
      `x-error-code: ${code}`,
      `x-request-id: ${requestId}`,
      "x-process-time: 0.000000",
      "connection: close",
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}
