import { type DeliveryView, formatTime, OpspawnError } from "@opspawn/contract";
import { blockedView, timeOrNull } from "../blocked-view.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import type { DeliveryRecord } from "./delivery.ts";
import { deliveryBlock, explainDelivery } from "./waiting.ts";

export function deliveryHandlers({ store, clock }: Ports): NounHandlers<"deliveries"> {
  const needDelivery = async (id: string): Promise<DeliveryRecord> => {
    const delivery = await store.deliveries.get(id);
    if (delivery === null) throw new OpspawnError("delivery_not_found", `Delivery not found: ${id}`);
    return delivery;
  };
  const view = (delivery: DeliveryRecord): DeliveryView => deliveryView(delivery, clock.now());
  return {
    async list(_context, { query }) {
      const { limit, cursor, ...filter } = query;
      const { items, nextCursor } = await store.deliveries.list({ limit, cursor }, filter);
      return { items: items.map(view), nextCursor };
    },
    async get(_context, { params }) {
      return view(await needDelivery(params.deliveryId));
    },
    async why(_context, { params }) {
      const delivery = await needDelivery(params.deliveryId);
      const now = clock.now();
      const blocked = blockedView(deliveryBlock(delivery, now));
      const explanation = explainDelivery(delivery, now);
      return { deliveryId: delivery.id, status: delivery.status, blocked, explanation };
    },
  };
}

/** Without headers and body: they hold signatures and other people's data. */
function deliveryView(delivery: DeliveryRecord, now: number): DeliveryView {
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
    blocked: blockedView(deliveryBlock(delivery, now)),
  };
}
