import type { AgentEntry } from "./agent-index.ts";
import type { Tx } from "./tx.ts";

/** Makes an agent's slots `total` rows; held ones beyond it stay until they are released. */
export function resizePermits(tx: Tx, agentId: string, total: number): void {
  const have =
    tx.get<{ n: number }>("select count(*) as n from permits where kind = 'agent' and key = ?", agentId)?.n ?? 0;
  for (let n = have; n < total; n++) {
    tx.run("insert or ignore into permits (kind, key, n) values ('agent', ?, ?)", agentId, n);
  }
  tx.run("delete from permits where kind = 'agent' and key = ? and n >= ? and attempt_id is null", agentId, total);
}

/** Takes one slot of the agent for an attempt; false when none is free. */
export function takePermit(tx: Tx, agent: AgentEntry, attempt: string): boolean {
  const taken = tx.run(
    `update permits set attempt_id = ? where kind = 'agent' and key = ? and n =
      (select n from permits where kind = 'agent' and key = ? and attempt_id is null limit 1)`,
    attempt,
    agent.id,
    agent.id,
  );
  if (taken === 1) agent.held += 1;
  return taken === 1;
}

/** Frees the slot of an attempt; repeating it changes nothing. */
export function releasePermit(tx: Tx, agent: AgentEntry | undefined, attempt: string): boolean {
  const row = tx.get<{ draining_until: number | null }>(
    "select draining_until from permits where attempt_id = ?",
    attempt,
  );
  if (row === undefined) return false;
  tx.run("update permits set attempt_id = null, draining_until = null where attempt_id = ?", attempt);
  if (agent !== undefined) {
    agent.held -= 1;
    if (row.draining_until !== null) agent.draining -= 1;
    wakeLanes(tx, agent);
  }
  return true;
}

/** The work ended but the agent may still be at it: the slot stays taken until it says so, or until `until`. */
export function drainPermit(tx: Tx, agent: AgentEntry | undefined, attempt: string, until: number): void {
  const drained = tx.run(
    "update permits set draining_until = ? where attempt_id = ? and draining_until is null",
    until,
    attempt,
  );
  if (drained === 1 && agent !== undefined) agent.draining += 1;
}

/** Frees every draining slot of an agent that is known to be free. */
export function releaseDraining(tx: Tx, agent: AgentEntry): void {
  if (agent.draining === 0) return;
  const freed = tx.run(
    "update permits set attempt_id = null, draining_until = null where kind = 'agent' and key = ? and draining_until is not null",
    agent.id,
  );
  agent.held -= freed;
  agent.draining = 0;
  wakeLanes(tx, agent);
}

/** Work that waits for anything this agent serves may be claimed now. */
export function wakeLanes(tx: Tx, agent: AgentEntry): void {
  for (const lane of agent.lanes) if (tx.context.agents.waiting.has(lane)) tx.hints.lanes.add(lane);
}
