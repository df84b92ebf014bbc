import { type JsonValue, type Operation, operations, stringifyJson } from "@opspawn/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../domain/context.ts";
import type { Handlers } from "../domain/operations.ts";
import { invalidField } from "../domain/request-fields.ts";
import type { Gate } from "./gate.ts";
import { readJson } from "./json-body.ts";
import type { RequestContext } from "./request-context.ts";
import { readPart } from "./request-input.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The id of the operation a route serves, for the log. */
    operation?: string;
  }
}

type AnyHandler = (context: Context, input: Input) => Promise<JsonValue>;

interface Input {
  readonly params: { readonly agentId?: string };
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Serves each operation of the contract at its path.
 * @param serves which of them; default all
 */
export function addOperationRoutes(
  app: FastifyInstance,
  handlers: Handlers,
  gate: Gate,
  serves: (operation: Operation) => boolean = () => true,
): void {
  for (const [noun, verbs] of Object.entries(operations)) {
    for (const [verb, operation] of Object.entries(verbs as Record<string, Operation>)) {
      if (!serves(operation)) continue;
      const handler = (handlers as unknown as Record<string, Record<string, AnyHandler>>)[noun]?.[verb];
      if (handler === undefined) throw new Error(`operation ${operation.id} has no handler`);
      app.route({
        method: operation.method,
        url: routePath(operation.path),
        config: { operation: operation.id, token: operation.permission.token === true },
        handler: serve(operation, handler, gate),
      });
    }
  }
}

/** `/agents/{agentId}` as the router writes it. */
export function routePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** Parse, authenticate, call, write; errors go to the error handler. */
function serve(operation: Operation, handler: AnyHandler, gate: Gate) {
  const read = inputReader(operation);
  const answer = async (context: RequestContext, request: FastifyRequest): Promise<JsonValue> => {
    if (operation.permission.token !== true) return handler(context, read(request));
    try {
      return await handler(context, read(request));
    } catch (error) {
      gate.failed(context, request, error);
      throw error;
    }
  };
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const context = await gate.enter(request, reply, operation);
    const output = await answer(context, request);
    if (context.replayed) reply.header("idempotent-replayed", "true");
    return reply.code(operation.status).type("application/json").send(stringifyJson(output));
  };
}

function inputReader({ method, params, query, body }: Operation): (request: FastifyRequest) => Input {
  const strictQuery = query?.strict();
  return (request) => ({
    params: params === undefined ? {} : readPart(params, "path", request.params),
    query: strictQuery === undefined ? noQuery(request) : readPart(strictQuery, "query", request.query),
    body: body === undefined ? noBody(method, request) : readPart(body, "body", readJson(request)),
  });
}

function noQuery(request: FastifyRequest): Record<string, never> {
  const [name] = Object.keys(request.query as object);
  if (name !== undefined) throw invalidField(["query", name], "this request takes no such parameter", "unknown_field");
  return {};
}

/** What an operation without input may be sent: nothing, or an empty object. Reads have no body to look at. */
function noBody(method: Operation["method"], request: FastifyRequest): undefined {
  if (method === "GET") return undefined;
  const body = readJson(request);
  const isEmpty = body === undefined || (typeof body === "object" && body !== null && Object.keys(body).length === 0);
  if (!isEmpty) throw invalidField(["body"], "this request takes no body", "unknown_field");
  return undefined;
}
