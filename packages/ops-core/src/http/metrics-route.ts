import { type MetricView, type OperationOutput, operations } from "@opspawn/contract";
import type { FastifyInstance } from "fastify";
import type { Handlers } from "../domain/operations.ts";
import type { Gate } from "./gate.ts";
import { handlerOf, runner } from "./operation-runner.ts";

/** The text format that every Prometheus reads. */
const TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `GET /metrics`: what the operation `metrics.read` answers, for Prometheus, under the same permission. */
export function addMetricsRoute(app: FastifyInstance, handlers: Handlers, gate: Gate): void {
  const operation = operations.metrics.read;
  const run = runner(operation, handlerOf(handlers, operation), gate, (answer) =>
    prometheusText((answer as OperationOutput<typeof operation>).items),
  );
  app.get("/metrics", { config: { operation: operation.id } }, async (request, reply) => {
    const { text } = await run(request, reply.raw);
    return reply.type(TYPE).send(text);
  });
}

function prometheusText(metrics: readonly MetricView[]): string {
  return metrics
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`),
    ])
    .map((line) => `${line}\n`)
    .join("");
}

/** Values may be words of agents: they cannot end their line or their quotes. */
function labelText(labels: MetricView["samples"][number]["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
