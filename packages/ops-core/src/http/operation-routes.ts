import { type Operation, operations } from "@opspawn/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Handlers } from "../domain/operations.ts";
import type { Gate } from "./gate.ts";
import { handlerOf, type Run, runner } from "./operation-runner.ts";
import { asksForStream, type Streaming } from "./streaming.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The id of the operation a route serves, for the log. */
    operation?: string;
  }
}

export interface OperationRoutes {
  readonly handlers: Handlers;
  readonly gate: Gate;
  readonly streaming: Streaming;
}

/**
 * Serves each operation of the contract at its path, and as a stream where it is one and a stream is asked for.
 * @param serves which of them; default all
 */
export function addOperationRoutes(
  app: FastifyInstance,
  { handlers, gate, streaming }: OperationRoutes,
  serves: (operation: Operation) => boolean = () => true,
): void {
  for (const verbs of Object.values(operations)) {
    for (const operation of Object.values(verbs) as Operation[]) {
      if (!serves(operation)) continue;
      app.route({
        method: operation.method,
        url: routePath(operation.path),
        config: { operation: operation.id, token: operation.permission.token === true },
        handler: either(
          serve(operation.status, runner(operation, handlerOf(handlers, operation), gate)),
          operation.stream === undefined ? null : streaming.serve(operation),
        ),
      });
    }
  }
}

/** `/agents/{agentId}` as the router writes it. */
export function routePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

type Serve = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Which of the two it is, the client's `accept` says. */
function either(page: Serve, stream: Serve | null): Serve {
  if (stream === null) return page;
  return (request, reply) => {
    reply.header("vary", "accept");
    return asksForStream(request.headers.accept) ? stream(request, reply) : page(request, reply);
  };
}

/** Errors go to the error handler. */
function serve(status: number, run: Run): Serve {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { text, replayed } = await run(request, reply.raw);
    if (replayed) reply.header("idempotent-replayed", "true");
    return reply.code(status).type("application/json").send(text);
  };
}
