import { type AgentView, formatTime, OpspawnError } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import { blockedView } from "../blocked-view.ts";
import type { AgentRecord, Store } from "../store.ts";
import { readStored } from "../stored-json.ts";
import { type AgentState, UNKNOWN_STATE } from "./agent.ts";
import { STATE_TTL } from "./claimable.ts";

/** All that is known of an agent, with what keeps it from work now. */
export async function agentView(store: Store, agent: AgentRecord, now: number): Promise<AgentView> {
  const blocked = await store.agents.blocked(agent.id);
  return {
    agentId: agent.id,
    agentName: agent.name,
    capabilities: [...agent.capabilities],
    version: agent.version,
    metadata: agent.metadata,
    channel: agent.channel,
    contactEndpoint: agent.endpoint,
    maxConcurrency: agent.maxConcurrency,
    heartbeat: agent.heartbeat,
    state: agent.state,
    stateDetails: readStored(agent.details),
    stateReportedAt: agent.state === UNKNOWN_STATE ? null : formatTime(agent.receivedAt),
    health: agentHealth(agent, blocked, now),
    evidence: agent.evidence,
    slots: { ...agent.slots },
    blocked: blockedView(blocked),
    registeredAt: formatTime(agent.registeredAt),
  };
}

/** What we derive from evidence, whatever the agent says of itself. */
export function agentHealth(agent: AgentRecord, blocked: Blocked | null, now: number): AgentView["health"] {
  if (agent.channel === "pull" && (agent.leaseUntil === null || agent.leaseUntil < now)) return "offline";
  if (blocked?.reason === "agent_offline") return "offline";
  if (blocked?.reason === "circuit_open") return "unresponsive";
  const holds = ["active", "error"].includes(agent.state.toLowerCase());
  return holds && now - agent.receivedAt > STATE_TTL ? "suspect" : "ready";
}

export function stateView(report: AgentState) {
  const { state, details, timestamp, receivedAt } = report;
  return { state, details: readStored(details), timestamp, receivedAt: formatTime(receivedAt) };
}

/** The agent, or the refusal that it is not known. */
export async function needAgent(store: Store, agentId: string): Promise<AgentRecord> {
  const agent = await store.agents.get(agentId);
  if (agent === null) throw agentNotFound(agentId);
  return agent;
}

function agentNotFound(agentId: string): OpspawnError {
  return new OpspawnError("agent_not_found", `Agent not found: ${agentId}`);
}
