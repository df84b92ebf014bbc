import type { DeliveryStatus } from "./transitions.ts";

/**
 * What is sent out: a message to an agent; a task that Ops-Core elsewhere gave it; to whoever started a session, its
 * end; to Ops-Core elsewhere, the news of an agent, or what became of a task that went through this process.
 */
export type DeliveryKind = "message" | "task" | "webhook" | "notification" | "result";

/** One outgoing HTTP message that must arrive. Times are microseconds. */
export interface Delivery {
  readonly id: string;
  readonly kind: DeliveryKind;
  readonly url: string;
  /** Sent as they stand, beside the signature. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
  /** Messages to one aggregate at one endpoint arrive in order. */
  readonly aggregate: string;
  readonly agentId: string | null;
  readonly sessionId: string | null;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly createdAt: number;
  /** Null once ended. */
  readonly nextAt: number | null;
  readonly endedAt: number | null;
  readonly lastError: string | null;
}

/** A delivery and the one that goes to the same receiver before it, by id; null = none. */
export interface DeliveryRecord extends Delivery {
  readonly behind: string | null;
}

/** What its author says of a delivery; the rest begins with being stored. */
export type NewDelivery = Pick<
  Delivery,
  "id" | "kind" | "url" | "headers" | "body" | "aggregate" | "agentId" | "sessionId"
>;
