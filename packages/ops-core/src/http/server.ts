import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { ERRORS, type ErrorCode, OpspawnError } from "@opspawn/contract";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Log } from "../domain/log.ts";
import { AllowedMethods } from "./allowed-methods.ts";
import { addAnswerHeaders, setAnswerHeaders, type Timing } from "./answer-headers.ts";
import { answerBadHttp } from "./bad-http.ts";
import { type ErrorReply, errorReply } from "./errors.ts";
import { takeRawBodies } from "./raw-body.ts";

export interface ServerOptions extends Timing {
  readonly log: Log;
  /** Sees every request first; those it takes go no further. */
  readonly take?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

const BODY_LIMIT = 1_048_576;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
// Longer than any client keeps an idle connection, so that it is not closed under a request just sent.
const KEEP_ALIVE_MS = 75_000;
// Node looks for late ones only this often.
const TIMEOUT_CHECK_MS = 2_000;
const MAX_HEADER_BYTES = 16_384;
const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/;

/**
 * An HTTP server without routes that answers as the originals did wherever no route decides: JSON `{detail}` for every
 * error, 404 and 405 with `allow`, both slash forms without redirect, `application/json` without charset, and
 * `x-request-id`, `x-process-time`, `x-error-code`. Bodies are 1 MB at most, or a route's `bodyLimit`; routes read them
 * by `json-body.ts`. Those of the originals set `config: { original: true }`.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    serverFactory: (handle) => httpServer(options.take, handle),
    // Ids are as long as the header block allows; there are no patterns a long one could slow down.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_HEADER_BYTES },
    genReqId: options.requestId,
    clientErrorHandler: (error, socket) => answerBadHttp(error, socket, options.requestId()),
    frameworkErrors: (error, request, reply) => {
      // No hook runs for these, and only bytes keep the content type they are given.
      request.startedAt = options.elapsed();
      const answer = errorReply(error, true, request.id);
      setAnswerHeaders(request, reply, options);
      reply.header("content-type", "application/json");
      send(reply, { ...answer, body: Buffer.from(JSON.stringify(answer.body)) });
    },
  });
  takeRawBodies(app);
  addAnswerHeaders(app, options);
  answerErrors(app, options.log);
  answerUnknownPaths(app);
  answerOddRequests(app);
  return app;
}

type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

function httpServer(take: ServerOptions["take"], handle: HttpHandler): Server {
  const settings = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: false,
  };
  if (take === undefined) return createHttpServer(settings, handle);
  return createHttpServer(settings, (request, response) => {
    if (!take(request, response)) handle(request, response);
  });
}

function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const answer = errorReply(error, request.routeOptions.config.original === true || request.is404, request.id);
    // Without its query: that may hold the token of a link.
    const [path] = request.url.split("?", 1);
    if (answer.unexpected === true) log.error({ err: error, requestId: request.id, url: path }, "request failed");
    send(reply, answer);
  });
}

function answerUnknownPaths(app: FastifyInstance): void {
  const allowed = new AllowedMethods(app);
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const allow = allowed.of(request.url);
    if (allow !== null) reply.header("allow", allow);
    const code: ErrorCode = allow === null ? "not_found" : "method_not_allowed";
    const detail = allow === null ? "Not Found" : "Method Not Allowed";
    send(reply, { status: ERRORS[code].status, code, body: { detail } });
  });
}

/** Requests that Node or Fastify would answer by themselves, not in JSON, or pass on to harm. */
function answerOddRequests(app: FastifyInstance): void {
  app.server.on("checkExpectation", (request, response) => app.routing(request, response));
  app.addHook("onRequest", (request, _reply, done) => {
    normalizeContentType(request.raw.headers);
    done(request.url.includes("%00") ? nulInUrl(request.url) : undefined);
  });
}

/** An empty type counts as absent and a malformed one as text, as the originals had it; Fastify would refuse both. */
function normalizeContentType(headers: IncomingHttpHeaders): void {
  const type = headers["content-type"];
  if (type === undefined || type === "application/json" || MEDIA_TYPE.test(type)) return;
  if (type === "") delete headers["content-type"];
  else headers["content-type"] = "text/plain";
}

function nulInUrl(url: string): OpspawnError {
  const part = url.indexOf("%00") < url.concat("?").indexOf("?") ? "path" : "query";
  const msg = "NUL characters are not allowed.";
  return new OpspawnError("invalid_text", msg, { issues: [{ loc: [part], msg, type: "invalid_text" }] });
}

function send(reply: FastifyReply, answer: ErrorReply): void {
  reply.code(answer.status).header("x-error-code", answer.code);
  if (answer.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(answer.retryAfter)));
  reply.send(answer.body);
}
