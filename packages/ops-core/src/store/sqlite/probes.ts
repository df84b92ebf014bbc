import { stringifyJson } from "@opspawn/contract";
import { mayBeProbed } from "../../domain/agents/claimable.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import type { AgentEntry } from "./agent-index.ts";
import { assign } from "./claim.ts";
import { newTaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** Whether a probe is to be sent to this agent now. Agents that pull get theirs when they ask. */
export function isProbeDue(agent: AgentEntry, now: number): boolean {
  return agent.quarantine !== null && agent.channel === "push" && agent.endpoint !== null && mayBeProbed(agent, now);
}

export function expireProbe(tx: Tx, agentId: string): void {
  const agent = tx.context.agents.get(agentId);
  if (agent === undefined || !isProbeDue(agent, tx.now) || tx.sendCapacity <= 0) return;
  sendProbe(tx, agent);
}

/** Gives an agent its declared probe: an ordinary attempt of a task that belongs to nothing. */
export function sendProbe(tx: Tx, agent: AgentEntry): ClaimedAttempt | null {
  const { probe } = agent;
  if (probe === null || agent.held >= agent.maxConcurrency) return null;
  const row = newTaskRow(
    {
      id: `task_${tx.context.ids.uuid()}`,
      name: "probe",
      sessionId: null,
      step: null,
      stepId: null,
      requirement: { kind: "agent", agentId: agent.id },
      orderKey: tx.now,
      readyAt: tx.now,
      deadline: tx.now + probe.timeout,
      policy: { retry: { ...STEP_RETRY, maxAttempts: 1 }, fallback: null, timeout: probe.timeout, probe: true },
      parameters: stringifyJson(probe.parameters),
    },
    tx.now,
  );
  taskEvent(tx, row, "task.created", { name: row.name, lane: row.lane, probe: true });
  const claimed = assign(tx, row, agent);
  tx.tasks.add(tx, row);
  return claimed;
}
