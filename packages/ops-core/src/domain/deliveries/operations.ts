import { type DeliveryView, formatTime, OpspawnError } from "@opspawn/contract";
import { timeOrNull } from "../blocked-view.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import type { Delivery } from "./delivery.ts";

export function deliveryHandlers({ store }: Ports): NounHandlers<"deliveries"> {
  return {
    async list(_context, { query }) {
      const { status, agent, session, ...page } = query;
      const { items, nextCursor } = await store.deliveries.list(page, { status, agent, session });
      return { items: items.map(deliveryView), nextCursor };
    },
    async get(_context, { params }) {
      const delivery = await store.deliveries.get(params.deliveryId);
      if (delivery === null) {
        throw new OpspawnError("delivery_not_found", `Delivery not found: ${params.deliveryId}`);
      }
      return deliveryView(delivery);
    },
  };
}

/** Without headers and body: they hold signatures and other people's data. */
function deliveryView(delivery: Delivery): DeliveryView {
  return {
    deliveryId: delivery.id,
    kind: delivery.kind,
    url: delivery.url,
    agentId: delivery.agentId,
    sessionId: delivery.sessionId,
    status: delivery.status,
    attempts: delivery.attempts,
    createdAt: formatTime(delivery.createdAt),
    nextAttemptAt: timeOrNull(delivery.nextAt),
    endedAt: timeOrNull(delivery.endedAt),
    lastError: delivery.lastError,
    blocked: deliveryBlocked(delivery),
  };
}

function deliveryBlocked(delivery: Delivery): DeliveryView["blocked"] {
  const { nextAt, attempts, lastError, createdAt } = delivery;
  if (nextAt === null || attempts === 0) return null;
  return {
    reason: "delivery_backoff",
    message: `${attempts} of its sends failed, the last one with: ${lastError ?? "no answer"}. The next is due ${formatTime(nextAt)}.`,
    since: formatTime(createdAt),
  };
}
