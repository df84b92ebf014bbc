import { OpspawnError } from "@opspawn/contract";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Call } from "./call.ts";

/** The least a route may set: most bodies are smaller, and the route need not be asked for its limit. */
export const SMALLEST_LIMIT = 65_536;
/**
 * How much of a body that is too large is read and thrown away, so that its sender, who writes before it reads, sees
 * the answer instead of a reset connection.
 */
const MAX_DISCARDED = 16_777_216;

const EMPTY = Buffer.alloc(0);

type Done = (error: Error | null, body?: Buffer) => void;

/**
 * Takes the bytes of every body, whatever its content type; routes decide what to make of them (`json-body.ts`).
 * A route's `bodyLimit` (64 KB at least) holds; a larger body is answered `body_too_large`.
 */
export function takeRawBodies(app: FastifyInstance): void {
  app.addHook("onRoute", ({ url, bodyLimit = SMALLEST_LIMIT }) => {
    if (bodyLimit < SMALLEST_LIMIT) throw new Error(`the bodyLimit of ${url} is below ${SMALLEST_LIMIT}`);
  });
  app.removeAllContentTypeParsers();
  // What is found for a named type is remembered; for `*` alone, the type of every request would be parsed.
  app.addContentTypeParser(["application/json", "*"], take);
}

function take(request: FastifyRequest, payload: NodeJS.ReadableStream, done: Done): void {
  const declared = Number(request.headers["content-length"]);
  const limit = declared <= SMALLEST_LIMIT ? SMALLEST_LIMIT : request.routeOptions.bodyLimit;
  if (declared > limit + MAX_DISCARDED) done(tooLarge(limit));
  else collect(payload, limit, done);
}

/** The body as it came, empty when there was none. */
export function rawBody({ body }: Pick<Call, "body">): Buffer {
  return Buffer.isBuffer(body) ? body : EMPTY;
}

/** Reads a whole body. @param limit more bytes than this are not kept, and answered `body_too_large` */
export function collect(payload: NodeJS.ReadableStream, limit: number, done: Done): void {
  let chunks: Buffer[] = [];
  let length = 0;
  const finish = (error: Error | null) => {
    payload.removeListener("data", take).removeListener("end", end).removeListener("error", finish);
    if (error !== null) done(error);
    else done(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length));
  };
  const take = (chunk: Buffer) => {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
    else chunks = [];
    if (length > limit + MAX_DISCARDED) finish(tooLarge(limit));
  };
  const end = () => finish(length > limit ? tooLarge(limit) : null);
  payload.on("data", take).on("end", end).on("error", finish);
}

function tooLarge(limit: number): OpspawnError {
  return new OpspawnError("body_too_large", `The body has more than ${limit} bytes.`);
}
