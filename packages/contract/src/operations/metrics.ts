import { z } from "zod";
import { operation } from "../operation.ts";

const metric = z.object({
  /** As Prometheus wants it. */
  name: z.string(),
  help: z.string(),
  type: z.literal("gauge"),
  samples: z.array(z.object({ labels: z.record(z.string(), z.string()), value: z.number() })),
});
export type MetricView = z.infer<typeof metric>;

export const metricsOperations = {
  read: operation({
    id: "metrics.read",
    summary: "What is open now, by status and by the reason it waits for; `GET /metrics` is the same for Prometheus.",
    method: "GET",
    path: "/v1/opscore/metrics",
    output: z.object({ items: z.array(metric) }),
    permission: { scope: "metrics:read" },
    idempotency: "read",
  }),
};
