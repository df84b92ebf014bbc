import { formatTime } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import type { DeliveryRecord } from "./delivery.ts";

/** What a pending delivery can wait for. */
export const DELIVERY_REASONS = ["delivery_behind", "delivery_backoff", "delivery_due"] as const;

/** Why a delivery has not arrived yet; null once it has, or was given up. */
export function deliveryBlock(delivery: DeliveryRecord, now: number): Blocked | null {
  const { nextAt, behind, attempts, createdAt: since } = delivery;
  if (nextAt === null) return null;
  if (behind !== null) {
    const message = `Delivery ${behind} goes to the same receiver before it.`;
    return { reason: "delivery_behind", message, since, details: { deliveryId: behind } };
  }
  if (nextAt <= now) {
    const message = attempts === 0 ? "It is due, and is sent as soon as there is room." : "Its next send is due.";
    return { reason: "delivery_due", message, since, details: { attempts } };
  }
  const failed = attempts === 1 ? "Its first send failed" : `${attempts} of its sends failed, the last one`;
  return {
    reason: "delivery_backoff",
    message: `${failed} with: ${delivery.lastError ?? "no answer"}. The next is due ${formatTime(nextAt)}.`,
    since,
    details: { attempts, nextAttemptAt: formatTime(nextAt) },
  };
}

/** The same in sentences, and how it ended when it has. */
export function explainDelivery(delivery: DeliveryRecord, now: number): string[] {
  const { status, endedAt, attempts, lastError, url } = delivery;
  const blocked = deliveryBlock(delivery, now);
  if (blocked !== null) return [`It goes to ${url}.`, blocked.message];
  const sends = attempts === 1 ? "1 send" : `${attempts} sends`;
  const at = endedAt === null ? "" : ` at ${formatTime(endedAt)}`;
  const why = lastError === null ? "" : `: ${lastError}`;
  return [status === "delivered" ? `It arrived${at}, with ${sends}.` : `It was given up${at} after ${sends}${why}`];
}
