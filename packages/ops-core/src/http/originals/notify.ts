import { OpspawnError, type OriginalOperation, originalOperations, stringifyJson } from "@opspawn/contract";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { announceAgent } from "../../domain/agents/announcement.ts";
import { removeAgent } from "../../domain/agents/removal.ts";
import type { Ports } from "../../domain/ports.ts";
import { OriginalError } from "../errors.ts";
import type { Gate } from "../gate.ts";
import { readOriginalJson } from "../json-body.ts";
import { rawBody } from "../raw-body.ts";
import { notification } from "./bodies.ts";
import { readBody } from "./schema.ts";

export interface NotifyRules {
  /**
   * Verifies a message's signature over its raw bytes and that it is no copy; false when no secret is set.
   * @throws OpspawnError `signature_invalid`, `signature_replayed`
   */
  readonly verify: (request: { headers: FastifyRequest["headers"]; body: Uint8Array }) => Promise<boolean>;
}

const operation: OriginalOperation = originalOperations.notify;

/** AgentKit's notifications: signed when a secret is set; unsigned from this machine only, or with a key. */
export function addNotifyRoute(app: FastifyInstance, ports: Ports, gate: Gate, rules: NotifyRules): void {
  app.route({
    method: operation.method,
    url: operation.path,
    config: { original: true, operation: operation.id },
    handler: async (request, reply) => {
      const isSigned = await rules.verify({ headers: request.headers, body: rawBody(request) });
      const body = readOriginalJson(request);
      if (!isSigned) await gate.enter(request, reply.raw, operation);
      const message = await take(ports, readBody(notification, body));
      return reply
        .code(200)
        .type("application/json")
        .send(stringifyJson({ status: "success", message }));
    },
  });
}

type Notification = ReturnType<typeof readBody<typeof notification>>;

async function take(ports: Ports, { event_type: type, agent_details: details }: Notification): Promise<string> {
  switch (type.toUpperCase()) {
    case "REGISTER":
      return register(ports, details);
    case "DEREGISTER":
      await deregister(ports, details.agentId);
      return "DEREGISTER notification received but not fully processed.";
    default:
      throw new OriginalError("invalid_request", 400, `Unknown event type: ${type}`);
  }
}

async function register(ports: Ports, details: Notification["agent_details"]): Promise<string> {
  const { agentId, agentName, version, capabilities, contactEndpoint, metadata } = details;
  if (agentId === "") {
    throw new OriginalError("invalid_request", 400, "Missing agentId in agent_details for REGISTER event.");
  }
  const time = details.registration_time;
  const registrationTime = typeof time === "string" ? time : null;
  await announceAgent(ports, {
    agentId,
    agentName,
    version,
    capabilities,
    contactEndpoint,
    metadata,
    registrationTime,
  });
  return `Agent ${agentId} registered successfully.`;
}

/** Repeating it, or naming an agent nobody knows, changes nothing. */
async function deregister(ports: Ports, agentId: string): Promise<void> {
  try {
    await removeAgent(ports, agentId);
  } catch (error) {
    if (!(error instanceof OpspawnError) || error.code !== "agent_not_found") throw error;
  }
}
