import type { TransitionTable } from "../transition-table.ts";

export type DeliveryStatus = "pending" | "delivered" | "failed";
export type DeliveryEvent = "deliver" | "postpone" | "fail";

export const deliveryTable: TransitionTable<DeliveryStatus, DeliveryEvent> = {
  noun: "delivery",
  states: ["pending", "delivered", "failed"],
  initial: ["pending"],
  transitions: {
    deliver: { from: ["pending"], to: "delivered" },
    postpone: { from: ["pending"], to: "pending" },
    fail: { from: ["pending"], to: "failed" },
  },
};
