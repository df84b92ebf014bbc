import type { TaskError } from "../../domain/tasks/task.ts";
import type { AgentEntry } from "./agent-index.ts";
import { endAttempt, isOpen, slotHold } from "./ending.ts";
import { failTask } from "./outcomes.ts";
import { drainPermit, releasePermit } from "./permits.ts";
import { openAttempts } from "./report-evidence.ts";
import { type AttemptRow, loadAttempt, loadTask } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** Everything this agent held is lost and its slots are free: it restarted or went away. The number of attempts lost. */
export function loseAttempts(tx: Tx, agent: AgentEntry, error: TaskError): number {
  const held = tx.all<{ attempt_id: string }>(
    "select attempt_id from permits where kind = 'agent' and key = ? and attempt_id is not null",
    agent.id,
  );
  let lost = 0;
  for (const { attempt_id } of held) {
    const slash = attempt_id.indexOf("/");
    const task = loadTask(tx, attempt_id.slice(0, slash));
    const attempt = loadAttempt(tx, attempt_id.slice(0, slash), Number(attempt_id.slice(slash + 1)));
    if (task === undefined || attempt === undefined) continue;
    const open = isOpen(attempt);
    if (open) endAttempt(tx, task, attempt, "lose", { evidence: null, error });
    releasePermit(tx, agent, attempt);
    if (!open) continue;
    failTask(tx, task, attempt, { type: "failed", reason: "lost", error, evidence: null });
    lost += 1;
  }
  return lost;
}

/** The agent fell silent: what it held the lease of is lost, but it may still be at work, so the slots drain. */
export function loseSilent(tx: Tx, agent: AgentEntry, error: TaskError): void {
  for (const { task, attempt } of openAttempts(tx, agent)) {
    if (!holdsLease(agent, attempt)) continue;
    endAttempt(tx, task, attempt, "lose", { evidence: null, error });
    drainPermit(tx, agent, attempt, tx.now + slotHold(attempt));
    failTask(tx, task, attempt, { type: "failed", reason: "lost", error, evidence: null });
  }
}

/** While an exchange is open its sender holds the lease; a pull agent holds it from the moment it was given the work. */
function holdsLease(agent: AgentEntry, attempt: Pick<AttemptRow, "status">): boolean {
  return agent.channel === "pull" || attempt.status === "acknowledged";
}
