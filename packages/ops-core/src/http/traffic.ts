import { OpspawnError } from "@opspawn/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../domain/log.ts";

export interface TrafficOptions {
  readonly log: Log;
  /** Requests at once; more are answered 503. */
  readonly maxInFlight: number;
  /** Milliseconds on a monotonic clock. */
  readonly elapsed: () => number;
}

/** Paths that must answer when everything else is refused, and whose calls are no news. */
export const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/health"]);

/** Bounds the requests that are served at once, and writes one log line for each. */
export function watchTraffic(app: FastifyInstance, options: TrafficOptions): void {
  let inFlight = 0;
  app.addHook("onRequest", (request, reply, done) => {
    if (PROBES.has(request.url)) return done();
    inFlight += 1;
    // `close` comes once for every answer, whether it was read or the caller went away.
    reply.raw.on("close", () => {
      inFlight -= 1;
      logRequest(request, reply, options);
    });
    if (inFlight <= options.maxInFlight) return done();
    done(new OpspawnError("overloaded", "The server has too much to do.", { retryAfter: 1 }));
  });
}

/** Who did what, how it went, how long it took; never a query, a header or a body. */
function logRequest(request: FastifyRequest, reply: FastifyReply, { log, elapsed }: TrafficOptions): void {
  const { url } = request;
  const query = url.indexOf("?");
  const fields = {
    requestId: request.id,
    method: request.method,
    path: query === -1 ? url : url.slice(0, query),
    operation: request.routeOptions.config?.operation,
    status: reply.raw.writableEnded ? reply.statusCode : 499,
    ms: Math.round((elapsed() - request.startedAt) * 1000) / 1000,
  };
  if (reply.statusCode >= 500) log.warn(fields, "request");
  else log.info(fields, "request");
}
