import { MINUTE, SECOND } from "../clock.ts";
import { UNKNOWN_STATE } from "./agent.ts";
import type { Probe } from "./probe.ts";
import { isTrialDue, type Quarantine } from "./quarantine.ts";

/** After this long, a report of `active` or `error` no longer keeps an agent from work. */
export const STATE_TTL = 10 * MINUTE;
/** An `error` that ended our own attempt says little about the next one. */
export const OWN_ERROR_TTL = 5 * SECOND;

/** Why one tool cannot be called now. */
export type ToolBlock = "tool_busy" | "tool_draining" | "circuit_open";

/** Why one agent cannot take a task now. */
export type AgentBlock =
  | "agent_busy"
  | "agent_busy_elsewhere"
  | "agent_initializing"
  | "agent_finished"
  | "agent_error"
  | "agent_draining"
  | "circuit_open"
  | "agent_offline"
  | "agent_quarantined";

/** What the decision depends on for a tool; counts are slots. */
export interface Capacity {
  readonly maxConcurrency: number;
  readonly held: number;
  readonly draining: number;
  readonly circuit: CircuitState | null;
}

/** What it depends on for an agent. */
export interface AgentCapacity extends Capacity {
  readonly state: string;
  /** From then on `active` and `error` do not keep it from work any more. */
  readonly stateLapsesAt: number;
  readonly channel: "push" | "pull";
  readonly heartbeat: boolean;
  /** Agents that pull or give signs of life: until when the last one counts; null = never seen. */
  readonly leaseUntil: number | null;
  readonly quarantine: Quarantine | null;
  /** By which it is tried when it is quarantined; without one the next real task is. */
  readonly probe: Probe | null;
}

export interface CircuitState {
  readonly openedAt: number;
  readonly nextProbeAt: number;
}

/** Null when the agent may be given a task now, else the reason why not. The one place that decides it. */
export function agentBlock(agent: AgentCapacity, now: number): AgentBlock | null {
  const { quarantine } = agent;
  if (quarantine !== null && (agent.probe !== null || !isTrialDue(quarantine, now))) return "agent_quarantined";
  return ordinaryBlock(agent, now);
}

/** Whether a quarantined agent may be sent its probe now. */
export function mayBeProbed(agent: AgentCapacity, now: number): boolean {
  const { quarantine, probe } = agent;
  if (quarantine === null || probe === null || !isTrialDue(quarantine, now)) return false;
  return ordinaryBlock(agent, now) === null;
}

/** What keeps an agent from a task, its quarantine aside. */
function ordinaryBlock(agent: AgentCapacity, now: number): AgentBlock | null {
  const stateReason = stateBlock(agent, now);
  if (stateReason !== null) return stateReason;
  if (isOffline(agent, now)) return "agent_offline";
  if (isOpen(agent, now)) return "circuit_open";
  if (agent.held < agent.maxConcurrency) return null;
  return isDraining(agent) ? "agent_draining" : "agent_busy";
}

/** Null when the tool may be called now, else the reason why not. A tool says nothing of itself: it has no states. */
export function toolBlock(tool: Capacity, now: number): ToolBlock | null {
  if (isOpen(tool, now)) return "circuit_open";
  if (tool.held < tool.maxConcurrency) return null;
  return isDraining(tool) ? "tool_draining" : "tool_busy";
}

function isOpen({ circuit }: Capacity, now: number): boolean {
  return circuit !== null && now < circuit.nextProbeAt;
}

/** Whether all that it holds is work that was given up. */
function isDraining({ held, draining }: Capacity): boolean {
  return draining > 0 && held === draining;
}

/** Agents that pull, or that said they give signs of life, are known to be gone when they fall silent. */
export function keepsLease(agent: Pick<AgentCapacity, "channel" | "heartbeat">): boolean {
  return agent.channel === "pull" || agent.heartbeat;
}

export function isOffline(agent: AgentCapacity, now: number): boolean {
  return keepsLease(agent) && agent.leaseUntil !== null && agent.leaseUntil <= now;
}

function stateBlock(agent: AgentCapacity, now: number): AgentBlock | null {
  const lapsed = now >= agent.stateLapsesAt;
  switch (agent.state.toLowerCase()) {
    case "initializing":
      return "agent_initializing";
    case "finished":
      return "agent_finished";
    case "error":
      return lapsed ? null : "agent_error";
    case "active": {
      const ours = agent.held - agent.draining > 0;
      return ours || lapsed || agent.maxConcurrency > 1 ? null : "agent_busy_elsewhere";
    }
    default:
      return null;
  }
}

/** States by which an agent says that it has just been started. */
export function isRestart(state: string): boolean {
  return state === UNKNOWN_STATE || state.toLowerCase() === "initializing";
}
