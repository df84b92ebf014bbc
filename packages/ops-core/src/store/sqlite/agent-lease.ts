import { keepsLease } from "../../domain/agents/claimable.ts";
import { AGENT_LEASE } from "../../domain/agents/health.ts";
import { SECOND } from "../../domain/clock.ts";
import { noteHealth } from "./agent-health.ts";
import type { AgentEntry } from "./agent-index.ts";
import type { Tx } from "./tx.ts";

const RENEW_AFTER = 3 * SECOND;

/** A sign of life: without another one the agent is taken for dead when its lease ends. Answers until when it counts. */
export function renewLease(tx: Tx, agent: AgentEntry): number {
  const until = tx.now + AGENT_LEASE;
  tx.run("update agents set lease_until = ?, lease_moved = 0 where id = ?", until, agent.id);
  agent.leaseUntil = until;
  noteHealth(tx, agent);
  return until;
}

/** A sign of life that comes often: written only when the lease has run for a while. */
export function noteAlive(tx: Tx, agent: AgentEntry): void {
  if (!keepsLease(agent)) return;
  if (agent.leaseUntil === null || agent.leaseUntil - tx.now < AGENT_LEASE - RENEW_AFTER) renewLease(tx, agent);
}
