import { SECOND } from "../../domain/clock.ts";
import type { AgentEntry } from "./agent-index.ts";
import type { Tx } from "./tx.ts";

/** An agent that keeps a lease is taken for dead after this long a silence. */
export const AGENT_LEASE = 10 * SECOND;

/** A sign of life. Answers until when it counts. */
export function renewLease(tx: Tx, agent: AgentEntry): number {
  const until = tx.now + AGENT_LEASE;
  tx.run("update agents set lease_until = ?, lease_moved = 0 where id = ?", until, agent.id);
  agent.leaseUntil = until;
  return until;
}

/** Agents that pull, or that said they give signs of life, are known to be gone when they fall silent. */
export function keepsLease(agent: Pick<AgentEntry, "channel" | "heartbeat">): boolean {
  return agent.channel === "pull" || agent.heartbeat;
}
