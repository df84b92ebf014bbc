import type { IncomingMessage } from "node:http";
import { Refusal } from "./refusal.ts";

/**
 * Reads a request body whole.
 * @param limit bytes
 * @throws Refusal 413 when it is longer
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(limit: number): Refusal {
  // The rest of the body is not read, so the connection cannot be used again.
  return new Refusal(413, "body_too_large", `The body may hold at most ${limit} bytes.`, { connection: "close" });
}
