import { type AgentView, formatDuration, formatTime, OpspawnError } from "@opspawn/contract";
import { blockedView, timeOrNull } from "../blocked-view.ts";
import type { AgentRecord, Store } from "../store.ts";
import { readStored } from "../stored-json.ts";
import { type AgentState, UNKNOWN_STATE } from "./agent.ts";
import { healthText } from "./health.ts";

/** All that is known of an agent, with what keeps it from work now. */
export async function agentView(store: Store, agent: AgentRecord): Promise<AgentView> {
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
    silenceTimeout: agent.silenceTimeout === null ? null : formatDuration(agent.silenceTimeout),
    probe: probeView(agent),
    state: agent.state,
    stateDetails: readStored(agent.details),
    stateReportedAt: agent.state === UNKNOWN_STATE ? null : formatTime(agent.receivedAt),
    health: agent.health.health,
    healthSince: formatTime(agent.health.changedAt ?? agent.registeredAt),
    healthEvidence: evidenceView(agent),
    evidence: agent.evidence,
    slots: { ...agent.slots },
    blocked: blockedView(blocked),
    registeredAt: formatTime(agent.registeredAt),
  };
}

function probeView({ probe }: AgentRecord): AgentView["probe"] {
  return probe === null ? null : { ...probe, timeout: formatDuration(probe.timeout) };
}

function evidenceView({ health }: AgentRecord): AgentView["healthEvidence"] {
  const { cause, since, evidence } = health;
  if (cause === null) return null;
  return { cause, message: `It ${healthText(health)}.`, since: timeOrNull(since), details: evidence };
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
