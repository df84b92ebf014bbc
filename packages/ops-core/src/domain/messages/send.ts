import { type JsonObject, stringifyJson } from "@opspawn/contract";
import type { Delivery } from "../deliveries/delivery.ts";
import type { Ports } from "../ports.ts";
import type { AgentRecord, Idempotency } from "../store.ts";

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
  if (agent.endpoint === null) throw new Error(`agent ${agent.id} has no endpoint`);
  const id = `dlv_${ports.ids.uuid()}`;
  const delivery: Delivery = {
    id,
    kind: "message",
    url: agent.endpoint,
    headers: { "idempotency-key": id },
    body: stringifyJson(messageBody(message)),
    aggregate: agent.id,
    agentId: agent.id,
    sessionId: null,
    status: "pending",
    attempts: 0,
    createdAt: ports.clock.now(),
    nextAt: null,
    endedAt: null,
    lastError: null,
  };
  return ports.store.deliveries.enqueue(delivery, idempotency);
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
