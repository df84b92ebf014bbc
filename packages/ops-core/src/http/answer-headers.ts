import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** What the transport needs from outside. */
export interface Timing {
  /** Milliseconds that only grow. */
  readonly elapsed: () => number;
  readonly requestId: () => string;
}

declare module "fastify" {
  interface FastifyRequest {
    /** `Timing.elapsed` when the request came. */
    startedAt: number;
  }
}

const FASTIFY_JSON = "application/json; charset=utf-8";

/** Puts `x-request-id` and `x-process-time` (seconds) on every answer, and takes the charset off JSON. */
export function addAnswerHeaders(app: FastifyInstance, timing: Timing): void {
  app.decorateRequest("startedAt", 0);
  app.addHook("onRequest", (request, _reply, done) => {
    request.startedAt = timing.elapsed();
    done();
  });
  app.addHook("onSend", (request, reply, _payload, done) => {
    setAnswerHeaders(request, reply, timing);
    done();
  });
}

export function setAnswerHeaders(request: FastifyRequest, reply: FastifyReply, timing: Timing): void {
  reply.header("x-request-id", request.id);
  reply.header("x-process-time", processTime(timing.elapsed() - request.startedAt));
  // The originals answer plain `application/json`, and the framework cannot be told to.
  if (reply.getHeader("content-type") === FASTIFY_JSON) reply.header("content-type", "application/json");
}

/** @param ms what it took */
export function processTime(ms: number): string {
  return (ms / 1000).toFixed(6);
}
