import type { AgentEntry, Doer, ToolEntry } from "./agent-index.ts";
import { releasePermit, releasePermitsOf } from "./permits.ts";
import type { AttemptRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { waitsIn } from "./waiting.ts";

/** The slot that an attempt holds, or held. */
export type Slot = Pick<AttemptRow, "task_id" | "n" | "agent_id" | "slot">;

/** Takes one slot of an agent or tool; its number, or null when none is free. The running task's row holds it. */
export function takeSlot(tx: Tx, agent: Doer): number | null {
  if (agent.held >= agent.maxConcurrency) return null;
  agent.free ??= freeSlots(tx, agent);
  const slot = agent.free.pop();
  if (slot === undefined) return null;
  if (agent.kind === "tool") checkFree(tx, agent, slot);
  tx.touch();
  agent.held += 1;
  return slot;
}

/**
 * The slots of agents have a unique index. One for tools would cost each write of any task; the same index tells of a
 * slot's number at once which tools' calls run in it.
 */
function checkFree(tx: Tx, tool: ToolEntry, slot: number): void {
  const taken = tx.get(
    "select 1 from tasks where status = 'running' and agent_id is null and slot = ? and lane = 'tool:' || ?",
    slot,
    tool.name,
  );
  if (taken !== undefined) throw new Error(`slot ${slot} of tool ${tool.name} was thought to be free`);
}

/** Descending, so that the smallest number is taken first. */
export function freeSlots(tx: Pick<Tx, "all">, doer: Doer): number[] {
  const rows = doer.kind === "agent" ? slotsOfAgent(tx, doer) : slotsOfTool(tx, doer);
  const taken = new Set(rows.map(({ slot }) => slot));
  const free: number[] = [];
  for (let slot = doer.maxConcurrency - 1; slot >= 0; slot--) if (!taken.has(slot)) free.push(slot);
  return free;
}

interface TakenSlot {
  readonly slot: number;
}

function slotsOfAgent(tx: Pick<Tx, "all">, agent: AgentEntry): TakenSlot[] {
  return tx.all<TakenSlot>(
    `select slot from tasks where status = 'running' and agent_id = :agent
      union all select slot from draining_slots where agent_id = :agent`,
    { agent: agent.id },
  );
}

function slotsOfTool(tx: Pick<Tx, "all">, tool: ToolEntry): TakenSlot[] {
  return tx.all<TakenSlot>(
    `select slot from tasks where status = 'running' and agent_id is null and lane = 'tool:' || :tool
      union all select slot from draining_slots where tool = :tool`,
    { tool: tool.name },
  );
}

/** The agent is done with an attempt that has just ended. */
export function releaseSlot(tx: Tx, agent: Doer | undefined, held: Slot): void {
  releasePermit(tx, held);
  if (agent === undefined) return;
  const { slot } = held;
  tx.touch();
  agent.held -= 1;
  // A slot beyond what the agent has now is not used again.
  if (slot < agent.maxConcurrency) agent.free?.push(slot);
  wakeLanes(tx, agent);
}

/** The attempt has ended but the agent may still be at it: the slot stays taken until it says so, or until `until`. */
export function drainSlot(tx: Tx, agent: Doer | undefined, slot: Slot, until: number): void {
  // The slots of an agent or tool that is gone are gone with it.
  if (agent === undefined) {
    releasePermit(tx, slot);
    return;
  }
  tx.run(
    "insert into draining_slots (agent_id, tool, slot, task_id, n, until) values (?, ?, ?, ?, ?, ?)",
    agent.id,
    agent.kind === "tool" ? agent.name : null,
    slot.slot,
    slot.task_id,
    slot.n,
    until,
  );
  agent.draining += 1;
}

/** Frees the slot that an ended attempt still takes; repeating it changes nothing. */
export function releaseDrained(tx: Tx, agent: Doer | undefined, slot: Slot): void {
  if (agent === undefined || agent.draining === 0) return;
  const freed = tx.run("delete from draining_slots where task_id = ? and n = ?", slot.task_id, slot.n);
  if (freed !== 1) return;
  agent.draining -= 1;
  releaseSlot(tx, agent, slot);
}

/** Frees the draining slots of an agent that is known to be free, at most `max`, those that drain longest first. */
export function releaseDraining(tx: Tx, agent: AgentEntry, max = agent.draining): void {
  if (agent.draining === 0 || max === 0) return;
  releasePermitsOf(tx, "where agent_id = ? order by until limit ?", agent.id, max);
  const freed = tx.run(
    `delete from draining_slots where (task_id, n) in
      (select task_id, n from draining_slots where agent_id = ? order by until limit ?)`,
    agent.id,
    max,
  );
  agent.held -= freed;
  agent.draining -= freed;
  agent.free = null;
  wakeLanes(tx, agent);
}

/** Work that waits for anything this agent or tool serves may be claimed now. */
export function wakeLanes(tx: Tx, agent: Doer): void {
  for (const lane of agent.lanes) if (waitsIn(tx, lane)) tx.hints.lanes.add(lane);
}
