import { type Operation, operations } from "@opspawn/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Handlers } from "../domain/operations.ts";
import type { Gate } from "./gate.ts";
import { handlerOf, type Run, runner } from "./operation-runner.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The id of the operation a route serves, for the log. */
    operation?: string;
  }
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
  for (const verbs of Object.values(operations)) {
    for (const operation of Object.values(verbs) as Operation[]) {
      if (!serves(operation)) continue;
      app.route({
        method: operation.method,
        url: routePath(operation.path),
        config: { operation: operation.id, token: operation.permission.token === true },
        handler: serve(operation.status, runner(operation, handlerOf(handlers, operation), gate)),
      });
    }
  }
}

/** `/agents/{agentId}` as the router writes it. */
export function routePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** Errors go to the error handler. */
function serve(status: number, run: Run) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { text, replayed } = await run(request, reply.raw);
    if (replayed) reply.header("idempotent-replayed", "true");
    return reply.code(status).type("application/json").send(text);
  };
}
