import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { type Operation, operations } from "@opspawn/contract";
import type { Log } from "../domain/log.ts";
import type { Handlers } from "../domain/operations.ts";
import { processTime, type Timing } from "./answer-headers.ts";
import type { Call } from "./call.ts";
import { errorReply } from "./errors.ts";
import type { Gate } from "./gate.ts";
import { handlerOf, type Run, runner } from "./operation-runner.ts";
import { collect, SMALLEST_LIMIT } from "./raw-body.ts";
import type { Traffic } from "./traffic.ts";

/** What running work consists of: these are asked for several times in each session, everything else now and then. */
const BUSIEST: readonly Operation[] = [
  operations.sessions.start,
  operations.sessions.get,
  operations.agents.claim,
  operations.tasks.result,
];

export interface DirectOptions extends Timing {
  readonly handlers: Handlers;
  readonly gate: Gate;
  readonly traffic: Traffic;
  readonly log: Log;
}

interface Route {
  readonly operation: Operation;
  readonly run: Run;
  readonly prefix: string;
  readonly suffix: string;
  /** Null when the path has none. */
  readonly param: string | null;
}

const NAME = /^[\w-]+$/;
const WAIT = /^\?wait=(\w+)$/;
const JSON_TYPE = "application/json";

/**
 * Takes plain requests for the busiest operations past the framework, whose general machinery is a good part of what a
 * session costs. They run the same operation behind the same gate. Whatever is the least unusual about a request (no key, an escape in its path,
 * another content type, a large body) is left to the framework, so nothing is decided here that is decided there.
 */
export class DirectRequests {
  readonly #options: DirectOptions;
  readonly #routes: ReadonlyMap<string, readonly Route[]>;
  #closed = false;

  constructor(options: DirectOptions) {
    this.#options = options;
    const routes = BUSIEST.map((operation) => routeOf(operation, options));
    this.#routes = Map.groupBy(routes, ({ operation }) => operation.method);
  }

  /** True when the request is taken care of; else nothing was done. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#closed) return false;
    const { method = "", url = "", headers } = request;
    const routes = this.#routes.get(method);
    if (routes === undefined || headers.authorization === undefined) return false;
    if (method === "GET" ? hasBody(headers) : !hasPlainBody(headers)) return false;
    const search = method === "GET" ? url.indexOf("?") : -1;
    const path = search === -1 ? url : url.slice(0, search);
    const query = search === -1 ? {} : waitOf(url.slice(search));
    if (query === null) return false;
    for (const route of routes) {
      const params = paramsOf(route, path);
      if (params === null) continue;
      this.#serve(route, new DirectCall(request, this.#options, params, query), response);
      return true;
    }
    return false;
  }

  /** Leaves everything to the framework from now on: it ends the connections after their last answer. */
  close(): void {
    this.#closed = true;
  }

  #serve(route: Route, call: DirectCall, response: ServerResponse): void {
    const { id, startedAt, raw } = call;
    const { url = "", method = "" } = raw;
    try {
      this.#options.traffic.begin(response, { id, method, url, startedAt, operation: route.operation.id });
    } catch (error) {
      this.#refuse(call, response, error);
      return;
    }
    if (method === "GET") {
      void this.#answer(route, call, response);
      return;
    }
    collect(raw, SMALLEST_LIMIT, (error, body) => {
      call.body = body;
      if (error === null) void this.#answer(route, call, response);
      else this.#refuse(call, response, error);
    });
  }

  async #answer({ operation, run }: Route, call: DirectCall, response: ServerResponse): Promise<void> {
    try {
      const { text, replayed } = await run(call, response);
      this.#write(call, response, operation.status, text, replayed ? ["idempotent-replayed", "true"] : []);
    } catch (error) {
      this.#refuse(call, response, error);
    }
  }

  #refuse(call: DirectCall, response: ServerResponse, error: unknown): void {
    const { status, code, body, retryAfter, unexpected } = errorReply(error, false, call.id);
    if (unexpected === true) {
      this.#options.log.error({ err: error, requestId: call.id, url: call.raw.url }, "request failed");
    }
    const headers = ["x-error-code", code];
    if (retryAfter !== undefined) headers.push("retry-after", String(Math.ceil(retryAfter)));
    this.#write(call, response, status, JSON.stringify(body), headers);
  }

  #write(call: DirectCall, response: ServerResponse, status: number, text: string, more: readonly string[]): void {
    if (response.headersSent) return;
    const time = processTime(this.#options.elapsed() - call.startedAt);
    const length = String(Buffer.byteLength(text));
    const own = ["content-type", JSON_TYPE, "x-request-id", call.id, "x-process-time", time, "content-length", length];
    response.writeHead(status, more.length === 0 ? own : own.concat(more));
    response.end(text);
  }
}

class DirectCall implements Call {
  readonly id: string;
  readonly startedAt: number;
  readonly raw: IncomingMessage;
  readonly params: object;
  readonly query: object;
  body: Buffer | undefined;

  constructor(raw: IncomingMessage, { elapsed, requestId }: Timing, params: object, query: object) {
    this.startedAt = elapsed();
    this.id = requestId();
    this.raw = raw;
    this.params = params;
    this.query = query;
  }

  get headers(): IncomingHttpHeaders {
    return this.raw.headers;
  }

  get ip(): string {
    return this.raw.socket.remoteAddress ?? "";
  }
}

function routeOf(operation: Operation, { handlers, gate }: DirectOptions): Route {
  const [prefix = "", param = null, suffix = ""] = operation.path.split(/\{(\w+)\}/);
  return { operation, run: runner(operation, handlerOf(handlers, operation), gate), prefix, suffix, param };
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

function hasPlainBody(headers: IncomingHttpHeaders): boolean {
  const length = Number(headers["content-length"]);
  return headers["content-type"] === JSON_TYPE && headers["content-encoding"] === undefined && length <= SMALLEST_LIMIT;
}

/** Null for any other query. */
function waitOf(search: string): { readonly wait: string } | null {
  const wait = WAIT.exec(search)?.[1];
  return wait === undefined ? null : { wait };
}

/** Null when it is another path. */
function paramsOf({ prefix, suffix, param }: Route, path: string): object | null {
  if (param === null) return path === prefix ? {} : null;
  if (!path.startsWith(prefix) || !path.endsWith(suffix)) return null;
  const value = path.slice(prefix.length, path.length - suffix.length);
  return NAME.test(value) ? { [param]: value } : null;
}
