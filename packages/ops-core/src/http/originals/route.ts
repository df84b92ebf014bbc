import { type JsonValue, type OriginalOperation, stringifyJson } from "@opspawn/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../../domain/context.ts";
import type { Gate } from "../gate.ts";
import { readOriginalJson } from "../json-body.ts";
import { routePath } from "../operation-routes.ts";

export interface OriginalRequest {
  readonly context: Context;
  /** Of the path; empty where the path has none. */
  readonly agentId: string;
  /** Undefined when empty, a text when it was not sent as JSON. */
  readonly body: JsonValue | undefined;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface OriginalAnswer {
  readonly status: number;
  readonly body: JsonValue;
}

/** Bytes of a state report. */
export const STATE_BYTES = 262_144;

/**
 * Serves a route of the originals in their order of checks: the JSON's syntax (422), then the key (401), and only then
 * what the body says.
 */
export function addOriginalRoute(
  app: FastifyInstance,
  gate: Gate,
  operation: OriginalOperation,
  handle: (request: OriginalRequest) => Promise<OriginalAnswer>,
  options: { readonly bodyLimit?: number } = {},
): void {
  app.route({
    method: operation.method,
    url: routePath(operation.path),
    config: { original: true, operation: operation.id },
    ...options,
    handler: async (request: FastifyRequest<{ Params: { agentId?: string } }>, reply) => {
      const body = operation.method === "GET" ? undefined : readOriginalJson(request);
      const context = await gate.enter(request, reply.raw, operation);
      const agentId = request.params.agentId ?? "";
      const answer = await handle({ context, agentId, body, request, reply });
      if (context.replayed) reply.header("idempotent-replayed", "true");
      return reply.code(answer.status).type("application/json").send(stringifyJson(answer.body));
    },
  });
}
