import { formatTime, type JsonObject } from "@opspawn/contract";
import type { Agent } from "./agent.ts";

/** AgentKit's own record of an agent, keys in the original's order. */
export function agentInfo(agent: Agent): JsonObject {
  return {
    agentId: agent.id,
    agentName: agent.name,
    capabilities: [...agent.capabilities],
    version: agent.version,
    contactEndpoint: agent.endpoint,
    metadata: agent.metadata,
    // Of its last start, as it is told to Ops-Core: another time means that the agent was restarted.
    registration_time: agent.registrationTime ?? formatTime(agent.registeredAt),
  };
}
