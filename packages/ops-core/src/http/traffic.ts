import type { ServerResponse } from "node:http";
import { OpspawnError } from "@opspawn/contract";
import type { FastifyInstance } from "fastify";
import type { Log } from "../domain/log.ts";

export interface TrafficOptions {
  readonly log: Log;
  /** Requests at once; more are answered 503. */
  readonly maxInFlight: number;
  /** Milliseconds on a monotonic clock. */
  readonly elapsed: () => number;
}

/** What the log says of a request: never its query, a header or its body. */
export interface Entry {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  /** `elapsed` when it came. */
  readonly startedAt: number;
  /** Undefined when no operation is asked for. */
  readonly operation: string | undefined;
}

/** Paths that must answer when everything else is refused, and whose calls are no news. */
export const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/health"]);

/** Bounds the requests that are served at once, and writes one log line for each. */
export class Traffic {
  readonly #options: TrafficOptions;
  #inFlight = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** Watches everything that comes to the framework. */
  watch(app: FastifyInstance): void {
    app.addHook("onRequest", (request, reply, done) => {
      if (PROBES.has(request.url)) return done();
      const { id, method, url, startedAt } = request;
      const operation = request.routeOptions.config?.operation;
      try {
        this.begin(reply.raw, { id, method, url, startedAt, operation });
        done();
      } catch (error) {
        done(error as Error);
      }
    });
  }

  /** A request comes in, until its answer is out. @throws OpspawnError `overloaded` */
  begin(response: ServerResponse, entry: Entry): void {
    this.#inFlight += 1;
    // `close` comes once for every answer, whether it was read or the caller went away.
    response.on("close", () => {
      this.#inFlight -= 1;
      this.#note(response, entry);
    });
    if (this.#inFlight <= this.#options.maxInFlight) return;
    throw new OpspawnError("overloaded", "The server has too much to do.", { retryAfter: 1 });
  }

  /** Who did what, how it went, how long it took. */
  #note(response: ServerResponse, { id, method, url, startedAt, operation }: Entry): void {
    const { log, elapsed } = this.#options;
    const query = url.indexOf("?");
    const fields = {
      requestId: id,
      method,
      path: query === -1 ? url : url.slice(0, query),
      operation,
      status: response.writableEnded ? response.statusCode : 499,
      ms: Math.round((elapsed() - startedAt) * 1000) / 1000,
    };
    if (response.statusCode >= 500) log.warn(fields, "request");
    else log.info(fields, "request");
  }
}
