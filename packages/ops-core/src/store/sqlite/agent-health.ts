import { deriveHealth, type Finding } from "../../domain/agents/health.ts";
import { agentEvent } from "./agent-events.ts";
import type { AgentEntry } from "./agent-index.ts";
import type { Tx } from "./tx.ts";

/** Whether time alone has made of an agent what is not stored yet. */
export function isHealthDue(agent: AgentEntry, now: number): boolean {
  const { health, cause } = deriveHealth(agent, now);
  return health !== agent.health || cause !== agent.healthCause;
}

/** Derives how an agent is and stores it with its evidence, on change only. */
export function noteHealth(tx: Tx, agent: AgentEntry): void {
  const found = deriveHealth(agent, tx.now);
  if (found.health === agent.health && found.cause === agent.healthCause) return;
  storeHealth(tx, agent, found);
}

/** What a new agent is is no change: one that asks for its work has never been heard of. */
export function beginHealth(tx: Tx, agent: AgentEntry): void {
  const found = deriveHealth(agent, tx.now);
  if (found.health === agent.health) return;
  writeHealth(tx, agent, found);
}

/** As `noteHealth`, where the evidence has changed even if the health has not. */
export function noteEvidence(tx: Tx, agent: AgentEntry): void {
  storeHealth(tx, agent, deriveHealth(agent, tx.now));
}

function storeHealth(tx: Tx, agent: AgentEntry, found: Finding): void {
  const from = agent.health;
  const { health: to, cause, evidence } = found;
  writeHealth(tx, agent, found);
  if (to !== from) agentEvent(tx, agent.id, "agent.health_changed", { from, to, cause, evidence: { ...evidence } });
}

function writeHealth(tx: Tx, agent: AgentEntry, { health, cause, since, evidence }: Finding): void {
  tx.run(
    `update agents set health = ?, health_cause = ?, health_evidence = ?,
      health_since = case when health = ? then health_since else ? end where id = ?`,
    health,
    cause,
    JSON.stringify({ since, ...evidence }),
    health,
    tx.now,
    agent.id,
  );
  agent.health = health;
  agent.healthCause = cause;
}
