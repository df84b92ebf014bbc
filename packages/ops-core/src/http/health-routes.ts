import type { FastifyInstance } from "fastify";

/** What a process can say of itself. */
export type Readiness = "ready" | "starting" | "stopping";

/** `/healthz`: the process answers. `/readyz`: it may be given work: its store is open and its loops run. */
export function addHealthRoutes(app: FastifyInstance, readiness: () => Readiness): void {
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", (_request, reply) => {
    const status = readiness();
    return reply.code(status === "ready" ? 200 : 503).send({ status });
  });
}
