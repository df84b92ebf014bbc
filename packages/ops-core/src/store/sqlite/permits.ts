import type { AgentEntry } from "./agent-index.ts";
import { type AttemptRow, attemptId } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** The slot that an attempt holds, or held. */
export type Slot = Pick<AttemptRow, "task_id" | "n" | "agent_id" | "permit">;

/** Makes an agent's slots `total` rows; held ones beyond it stay until they are released. */
export function resizePermits(tx: Tx, agentId: string, total: number): void {
  tx.run(
    `insert or ignore into permits (kind, key, n) select 'agent', ?, n from
      (with recursive numbers (n) as (select 0 union all select n + 1 from numbers where n + 1 < ?) select n from numbers)`,
    agentId,
    total,
  );
  tx.run("delete from permits where kind = 'agent' and key = ? and n >= ? and attempt_id is null", agentId, total);
}

/** Takes one slot of the agent for an attempt; its number, or null when none is free. */
export function takePermit(tx: Tx, agent: AgentEntry, attempt: string): number | null {
  if (agent.held >= agent.maxConcurrency) return null;
  agent.free ??= freeSlots(tx, agent);
  const n = agent.free.pop();
  if (n === undefined) return null;
  const taken = tx.run(
    "update permits set attempt_id = ? where kind = 'agent' and key = ? and n = ? and attempt_id is null",
    attempt,
    agent.id,
    n,
  );
  if (taken !== 1) throw new Error(`slot ${n} of agent ${agent.id} was thought to be free`);
  agent.held += 1;
  return n;
}

function freeSlots(tx: Tx, agent: AgentEntry): number[] {
  const rows = tx.all<{ n: number }>(
    "select n from permits where kind = 'agent' and key = ? and attempt_id is null and n < ? order by n desc",
    agent.id,
    agent.maxConcurrency,
  );
  return rows.map(({ n }) => n);
}

/** Frees the slot of an attempt; repeating it changes nothing. */
export function releasePermit(tx: Tx, agent: AgentEntry | undefined, slot: Slot): boolean {
  const attempt = attemptId(slot.task_id, slot.n);
  const draining = agent !== undefined && agent.draining > 0 && isDraining(tx, slot, attempt);
  const released = tx.run(
    `update permits set attempt_id = null, draining_until = null
      where kind = 'agent' and key = ? and n = ? and attempt_id = ?`,
    slot.agent_id,
    slot.permit,
    attempt,
  );
  if (released !== 1) return false;
  if (agent !== undefined) {
    agent.held -= 1;
    if (draining) agent.draining -= 1;
    // A slot beyond what the agent has now is not used again.
    if (slot.permit < agent.maxConcurrency) agent.free?.push(slot.permit);
    wakeLanes(tx, agent);
  }
  return true;
}

function isDraining(tx: Tx, slot: Slot, attempt: string): boolean {
  const row = tx.get<{ draining_until: number | null }>(
    "select draining_until from permits where kind = 'agent' and key = ? and n = ? and attempt_id = ?",
    slot.agent_id,
    slot.permit,
    attempt,
  );
  return row !== undefined && row.draining_until !== null;
}

/** The work ended but the agent may still be at it: the slot stays taken until it says so, or until `until`. */
export function drainPermit(tx: Tx, agent: AgentEntry | undefined, slot: Slot, until: number): void {
  const drained = tx.run(
    `update permits set draining_until = ?
      where kind = 'agent' and key = ? and n = ? and attempt_id = ? and draining_until is null`,
    until,
    slot.agent_id,
    slot.permit,
    attemptId(slot.task_id, slot.n),
  );
  if (drained === 1 && agent !== undefined) agent.draining += 1;
}

/** Frees the draining slots of an agent that is known to be free, at most `max`, those that drain longest first. */
export function releaseDraining(tx: Tx, agent: AgentEntry, max = agent.draining): void {
  if (agent.draining === 0 || max === 0) return;
  const freed = tx.run(
    `update permits set attempt_id = null, draining_until = null where kind = 'agent' and key = ? and n in
      (select n from permits where kind = 'agent' and key = ? and draining_until is not null
        order by draining_until limit ?)`,
    agent.id,
    agent.id,
    max,
  );
  agent.held -= freed;
  agent.draining -= freed;
  agent.free = null;
  wakeLanes(tx, agent);
}

/** Work that waits for anything this agent serves may be claimed now. */
export function wakeLanes(tx: Tx, agent: AgentEntry): void {
  for (const lane of agent.lanes) if (tx.context.agents.waiting.has(lane)) tx.hints.lanes.add(lane);
}
