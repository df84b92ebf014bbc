import { type JsonObject, stringifyJson } from "@opspawn/contract";
import type { Context } from "../context.ts";
import type { NewDelivery } from "../deliveries/delivery.ts";
import { idempotencyOf } from "../idempotency.ts";
import type { Ports } from "../ports.ts";
import type { AgentRecord, Idempotency } from "../store.ts";
import { type Ticket, writeTicket } from "./ticket.ts";

/** An AgentKit message, all keys present. */
export interface AgentMessage {
  readonly senderId: string;
  readonly timestamp: string;
  readonly messageType: string;
  readonly payload: JsonObject;
  readonly sessionContext: {
    readonly sessionId: string | null;
    readonly priorMessages: readonly string[] | null;
  } | null;
  readonly task_name: string | null;
  readonly opscore_session_id: string | null;
  readonly opscore_task_id: string | null;
}

/**
 * Stores a message for an agent; the outbox delivers it, in order, and tries again until it has arrived.
 * @param agent must have an endpoint
 * @param idempotency makes a repeated request a repetition, not a second message
 */
export async function sendMessage(
  ports: Ports,
  agent: AgentRecord,
  message: AgentMessage,
  idempotency: Idempotency | undefined,
): Promise<{ replayed: boolean }> {
  const id = deliveryId(ports);
  const body = stringifyJson(messageBody(message));
  const headers = { "idempotency-key": id };
  const delivery = newDelivery(agent, { id, kind: "message", headers, body, aggregate: agent.id });
  return ports.store.deliveries.enqueue(delivery, idempotency);
}

/** A task that Ops-Core elsewhere sends, with what it says of the attempt. */
export interface SentTask {
  readonly message: AgentMessage;
  readonly ticket: Ticket;
  /** As it came; null when there was none, or none worth forwarding. */
  readonly traceparent: string | null;
}

/**
 * Stores the message of a task for an agent; the relay delivers it. Sent again for the same attempt it is a repetition.
 * Attempts do not wait for each other: the agent has a slot for each.
 */
export async function sendTask(
  ports: Ports,
  agent: AgentRecord,
  { message, ticket, traceparent }: SentTask,
  { actor }: Pick<Context, "actor">,
): Promise<{ replayed: boolean }> {
  const attempt = `${ticket.taskId}/${ticket.attempt}`;
  const headers = {
    "idempotency-key": ticket.taskId,
    "x-opspawn-attempt": String(ticket.attempt),
    "x-opspawn-token": ticket.token,
    ...(traceparent === null ? {} : { traceparent }),
  };
  const body = stringifyJson({ ...messageBody(message), opspawn: writeTicket(ticket) });
  const delivery = newDelivery(agent, {
    id: deliveryId(ports),
    kind: "task",
    headers,
    body,
    aggregate: attempt,
  });
  // By its token, not by the whole body: the sender may have another address after a restart, and means the same attempt.
  const key = { actor, idempotencyKey: `${ticket.taskId}/${ticket.token}` };
  return ports.store.deliveries.enqueue(delivery, idempotencyOf(key, "messages.send", agent.id));
}

function deliveryId({ ids }: Ports): string {
  return `dlv_${ids.uuid()}`;
}

type OwnParts = Pick<NewDelivery, "id" | "kind" | "headers" | "body" | "aggregate">;

function newDelivery(agent: AgentRecord, parts: OwnParts): NewDelivery {
  if (agent.endpoint === null) throw new Error(`agent ${agent.id} has no endpoint`);
  return {
    ...parts,
    url: agent.endpoint,
    agentId: agent.id,
    sessionId: null,
  };
}

/** The eight keys, in the originals' order. */
function messageBody(message: AgentMessage): JsonObject {
  const { sessionContext } = message;
  return {
    senderId: message.senderId,
    timestamp: message.timestamp,
    messageType: message.messageType,
    payload: message.payload,
    sessionContext:
      sessionContext === null
        ? null
        : {
            sessionId: sessionContext.sessionId,
            priorMessages: sessionContext.priorMessages === null ? null : [...sessionContext.priorMessages],
          },
    task_name: message.task_name,
    opscore_session_id: message.opscore_session_id,
    opscore_task_id: message.opscore_task_id,
  };
}
