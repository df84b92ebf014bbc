import type { IncomingMessage } from "node:http";

/** Hands the whole body over as text, once it is there; it must be announced by `content-length`, and not be empty. */
export function readBody(request: IncomingMessage, done: (body: string) => void): void {
  const length = Number(request.headers["content-length"]);
  let body: Buffer | null = null;
  request.on("data", (chunk: Buffer) => {
    body = body === null ? chunk : Buffer.concat([body, chunk]);
    if (body.length >= length) done(body.toString("utf8"));
  });
}
