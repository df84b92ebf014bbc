import { OpspawnError, originalOperations } from "@opspawn/contract";
import type { FastifyInstance } from "fastify";
import { agentInfo } from "../../domain/agents/agent-info.ts";
import { registerAgent } from "../../domain/agents/registration.ts";
import { removeAgent } from "../../domain/agents/removal.ts";
import type { Ports } from "../../domain/ports.ts";
import type { AgentRecord } from "../../domain/store.ts";
import { OriginalError } from "../errors.ts";
import type { Gate } from "../gate.ts";
import { registration } from "./bodies.ts";
import { success } from "./envelope.ts";
import { addOriginalRoute, type OriginalAnswer, type OriginalRequest } from "./route.ts";
import { runMessage } from "./run.ts";
import { readBody } from "./schema.ts";

const LIST_PAGE = 200;

/**
 * AgentKit: registry, gateway and tools, as its clients know them.
 * @param isAlone Ops-Core is not served beside it, so `/health` is AgentKit's
 */
export function addAgentKitRoutes(app: FastifyInstance, ports: Ports, gate: Gate, isAlone: boolean): void {
  if (isAlone) app.get("/health", { config: { original: true } }, () => ({ status: "healthy" }));
  app.get("/", { config: { original: true } }, () => ({ message: "Welcome to AgentKit API" }));
  addOriginalRoute(app, gate, originalOperations.register, (request) => register(ports, request));
  addOriginalRoute(app, gate, originalOperations.listAgents, () => list(ports));
  addOriginalRoute(app, gate, originalOperations.deregister, (request) => deregister(ports, request));
  // `register` is no agent's id here: the original knew this path by POST alone.
  app.delete(originalOperations.register.path, { config: { original: true } }, (_request, reply) => {
    reply.callNotFound();
  });
  addOriginalRoute(app, gate, originalOperations.run, (request) => runMessage(ports, request));
}

async function register(ports: Ports, { context, body, reply }: OriginalRequest): Promise<OriginalAnswer> {
  const { agentName, capabilities, version, contactEndpoint, metadata } = readBody(registration, body);
  try {
    const { agentId, agentKey } = await registerAgent(ports, context, {
      agentName,
      capabilities: [...capabilities],
      version,
      contactEndpoint,
      metadata: metadata === null ? null : { description: metadata.description, config: metadata.config },
      channel: "push",
      heartbeat: false,
    });
    if (agentKey !== null) reply.header("x-agent-key", agentKey);
    return { status: 201, body: success(`Agent '${agentName}' registered successfully.`, { agentId }) };
  } catch (error) {
    throw refusedEndpoint(error, contactEndpoint);
  }
}

/** A refused address is a wrong field to these clients: a 422 like any other. */
function refusedEndpoint(error: unknown, endpoint: string): unknown {
  if (!(error instanceof OpspawnError) || error.code !== "endpoint_refused") return error;
  const msg = `Value error, ${error.message}`;
  const loc = ["body", "contactEndpoint"];
  return new OriginalError("endpoint_refused", 422, [
    { type: "value_error", loc, msg, input: endpoint, ctx: { error: {} } },
  ]);
}

/** All of them in one answer, in the order of registration. */
async function list({ store }: Ports): Promise<OriginalAnswer> {
  const agents: AgentRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.agents.list({ limit: LIST_PAGE, cursor }, {});
    agents.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  agents.sort((a, b) => a.registeredAt - b.registeredAt || (a.id < b.id ? -1 : 1));
  return { status: 200, body: success("Agents retrieved successfully.", agents.map(agentInfo)) };
}

async function deregister(ports: Ports, { agentId }: OriginalRequest): Promise<OriginalAnswer> {
  try {
    await removeAgent(ports, agentId);
  } catch (error) {
    if (!(error instanceof OpspawnError) || error.code !== "agent_not_found") throw error;
    throw new OriginalError("agent_not_found", 404, `Agent with ID '${agentId}' not found.`);
  }
  return { status: 200, body: success(`Agent ${agentId} deregistered successfully.`, { agentId }) };
}
