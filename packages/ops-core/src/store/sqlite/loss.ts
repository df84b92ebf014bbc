import type { TaskError } from "../../domain/tasks/task.ts";
import type { AgentEntry } from "./agent-index.ts";
import { settleCancellations } from "./cancellations.ts";
import { endAttempt, slotHold } from "./ending.ts";
import { openAttempts } from "./report-evidence.ts";
import { drainSlot, releaseDraining, releaseSlot } from "./slots.ts";
import { failTask } from "./task-failure.ts";
import type { AttemptRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** Everything this agent held is lost and its slots are free: it restarted or went away. The number of attempts lost. */
export function loseAttempts(tx: Tx, agent: AgentEntry, error: TaskError): number {
  const open = openAttempts(tx, agent);
  for (const { task, attempt } of open) {
    endAttempt(tx, task, attempt, "lose", { evidence: null, error, blames: true });
    releaseSlot(tx, agent, attempt);
    failTask(tx, task, attempt, { type: "failed", reason: "lost", error, evidence: null });
  }
  settleCancellations(tx, agent.id, error.code === "agent_gone" ? "gone" : "restart");
  releaseDraining(tx, agent);
  return open.length;
}

/** The agent fell silent: what it held the lease of is lost, but it may still be at work, so the slots drain. */
export function loseSilent(tx: Tx, agent: AgentEntry, error: TaskError): void {
  for (const { task, attempt } of openAttempts(tx, agent)) {
    if (!holdsLease(agent, attempt)) continue;
    endAttempt(tx, task, attempt, "lose", { evidence: null, error, blames: true });
    drainSlot(tx, agent, attempt, tx.now + slotHold(attempt));
    failTask(tx, task, attempt, { type: "failed", reason: "lost", error, evidence: null });
  }
}

/** While an exchange is open its sender holds the lease; a pull agent holds it from the moment it was given the work. */
function holdsLease(agent: AgentEntry, attempt: Pick<AttemptRow, "status">): boolean {
  return agent.channel === "pull" || attempt.status === "acknowledged";
}
