import { type Operation, OpspawnError } from "@opspawn/contract";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { StreamHandler, StreamHandlers, StreamInput } from "../domain/events/stream-handlers.ts";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import { processTime } from "./answer-headers.ts";
import { EventStreamWriter, STREAM_TYPE } from "./event-stream-writer.ts";
import type { Gate } from "./gate.ts";
import { readPart } from "./request-input.ts";

/** Milliseconds for which who follows is believed to be allowed to; a revocation reaches open streams within 5 s. */
const BELIEVED_MS = 3_000;
const NOT_ACCEPTED = /^\s*q=0(?:\.0*)?\s*$/i;

export interface StreamingOptions {
  readonly handlers: StreamHandlers;
  readonly gate: Gate;
  readonly timers: Timers;
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
  readonly log: Log;
}

/** Whether `accept` names the type of a stream; wildcards mean the page. */
export function asksForStream(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  return accept.split(",").some((range) => {
    const [type = "", ...parameters] = range.split(";");
    return type.trim().toLowerCase() === STREAM_TYPE && !parameters.some((each) => NOT_ACCEPTED.test(each));
  });
}

/** Serves operations as server-sent events. Until the stream begins, errors are answered as everywhere. */
export class Streaming {
  readonly #options: StreamingOptions;

  constructor(options: StreamingOptions) {
    this.#options = options;
  }

  serve(operation: Operation): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
    const { handlers, gate } = this.#options;
    const handler = handlers[operation.id];
    if (handler === undefined) throw new Error(`operation ${operation.id} has no stream`);
    const read = inputReader(operation);
    return async (request, reply) => {
      const context = await gate.enter(request, reply.raw, operation);
      const stream = await handler(context, read(request));
      // What keeps a browser from coming back again and again.
      if (stream === null) return reply.code(204).send();
      reply.hijack();
      void this.#run(stream, operation, request, reply);
      return reply;
    };
  }

  async #run(
    stream: NonNullable<Awaited<ReturnType<StreamHandler>>>,
    operation: Operation,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const { timers, closing, log, gate } = this.#options;
    const writer = new EventStreamWriter(reply.raw, { timers, closing });
    try {
      writer.begin({
        "x-request-id": request.id,
        "x-process-time": processTime(timers.now() - request.startedAt),
        vary: "accept",
      });
      let believed = timers.now();
      for (let item = await stream.next(); item !== null; item = await stream.next()) {
        if (timers.now() - believed >= BELIEVED_MS) {
          await gate.checkAgain(request, operation);
          believed = timers.now();
        }
        if (!(await writer.write(item)) || item.type === "end") break;
      }
      writer.end();
    } catch (error) {
      // Whoever follows comes back, and is told what is wrong in an answer of its own.
      writer.abandon();
      if (error instanceof OpspawnError && error.code !== "internal") return;
      log.error({ err: error, requestId: request.id, url: request.url }, "stream failed");
    } finally {
      stream.close();
    }
  }
}

function inputReader({ params, stream }: Operation): (request: FastifyRequest) => StreamInput {
  const query = stream?.query.strict();
  return (request) => ({
    params: params === undefined ? {} : readPart(params, "path", request.params),
    query: query === undefined ? {} : readPart(query, "query", request.query),
    lastEventId: headerOf(request.headers["last-event-id"]),
  });
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
