import { z } from "zod";
import { operation } from "../operation.ts";
import { blocked, explained, id, listOf, page, time } from "./common.ts";

const deliveryStatus = z.enum(["pending", "delivered", "failed"]);

/** One outgoing HTTP message that must arrive. */
const delivery = z.object({
  deliveryId: id,
  /**
   * `message` to an agent; `webhook`: a session's end; between AgentKit and Ops-Core in two processes: a `task` for an
   * agent, the `notification` of an agent, the `result` of a task.
   */
  kind: z.enum(["message", "task", "webhook", "notification", "result"]),
  url: z.string(),
  agentId: id.nullable(),
  sessionId: id.nullable(),
  status: deliveryStatus,
  attempts: z.number().int(),
  createdAt: time,
  nextAttemptAt: time.nullable(),
  endedAt: time.nullable(),
  lastError: z.string().nullable(),
  blocked: blocked.nullable(),
});
export type DeliveryView = z.infer<typeof delivery>;

export const deliveryOperations = {
  list: operation({
    id: "deliveries.list",
    summary: "List what is sent out and must arrive (messages, tasks, webhooks, notifications, results), newest first.",
    method: "GET",
    path: "/v1/opscore/deliveries",
    query: z.object({
      ...page,
      status: deliveryStatus.optional(),
      agent: z.string().optional(),
      session: z.string().optional(),
      /** `delivery_due`, `delivery_backoff`, `delivery_behind`. */
      blockedReason: z.string().optional(),
    }),
    output: listOf(delivery),
    permission: { scope: "deliveries:read" },
    idempotency: "read",
  }),
  get: operation({
    id: "deliveries.get",
    summary: "One outgoing message, webhook, notification or result.",
    method: "GET",
    path: "/v1/opscore/deliveries/{deliveryId}",
    params: z.object({ deliveryId: id }),
    output: delivery,
    errors: ["delivery_not_found"],
    permission: { scope: "deliveries:read" },
    idempotency: "read",
  }),
  why: operation({
    id: "deliveries.why",
    summary: "Why a delivery has not arrived yet: what goes before it, or what became of its sends.",
    method: "GET",
    path: "/v1/opscore/deliveries/{deliveryId}/why",
    params: z.object({ deliveryId: id }),
    output: z.object({ deliveryId: id, status: deliveryStatus, ...explained }),
    errors: ["delivery_not_found"],
    permission: { scope: "deliveries:read" },
    idempotency: "read",
  }),
};
