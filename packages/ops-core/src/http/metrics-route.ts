import { isJsonObject, type MetricView, operations, parseJson } from "@opspawn/contract";
import type { FastifyInstance } from "fastify";
import type { Handlers } from "../domain/operations.ts";
import type { Gate } from "./gate.ts";
import { handlerOf, runner } from "./operation-runner.ts";

/** The text format that every Prometheus reads. */
const TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `GET /metrics`: what the operation `metrics.read` answers, for Prometheus, under the same permission. */
export function addMetricsRoute(app: FastifyInstance, handlers: Handlers, gate: Gate): void {
  const operation = operations.metrics.read;
  const run = runner(operation, handlerOf(handlers, operation), gate);
  app.get("/metrics", { config: { operation: operation.id } }, async (request, reply) => {
    const { text } = await run(request, reply.raw);
    return reply.type(TYPE).send(prometheusText(readMetrics(text)));
  });
}

function readMetrics(text: string): readonly MetricView[] {
  const answer = parseJson(text);
  if (!isJsonObject(answer) || !Array.isArray(answer.items)) throw new Error("metrics.read answers no items");
  return answer.items as unknown as MetricView[];
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
