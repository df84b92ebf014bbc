import { SECOND } from "../../domain/clock.ts";
import type { Sender } from "../../domain/store.ts";
import type { ClaimedAttempt, TaskError } from "../../domain/tasks/task.ts";
import { noteAlive } from "./agent-lease.ts";
import { workflowOf } from "./agents.ts";
import { countFailure } from "./circuits.ts";
import { countMessage, toClaimed } from "./claim.ts";
import { endAttempt, isSender } from "./ending.ts";
import { failTask } from "./outcomes.ts";
import { releasePermit } from "./permits.ts";
import { settleFromReports } from "./report-evidence.ts";
import { type AttemptRow, attemptId, loadAttempt, loadTask, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

const FIRST_RESEND_DELAY = SECOND;
const MAX_RESEND_DELAY = 30 * SECOND;

/** The exchange closed without an outcome. Reports that came in meanwhile are judged now. */
export function acknowledge(tx: Tx, sender: Sender): void {
  tx.context.recent.dropClaim(sender.taskId);
  const written = tx.run(
    `update attempts set status = 'acknowledged', acknowledged_at = ?, wake_at = timeout_at, wake_for = 'timeout'
      where task_id = ? and n = ? and epoch = ? and sends = ? and status in ('created', 'dispatched')`,
    tx.now,
    sender.taskId,
    sender.attempt,
    sender.epoch,
    sender.send,
  );
  if (written !== 1) return;
  const attempt = loadAttempt(tx, sender.taskId, sender.attempt);
  const task = loadTask(tx, sender.taskId);
  if (attempt === undefined || task === undefined) return;
  taskEvent(tx, task, "attempt.acknowledged", { number: attempt.n, agentId: attempt.agent_id });
  const agent = tx.context.agents.get(attempt.agent_id);
  if (agent === undefined) return;
  noteAlive(tx, agent);
  settleFromReports(tx, agent);
}

/** Bytes may have left and no answer came: the same attempt is sent again, until its timeout. */
export function broken(tx: Tx, sender: Sender, message: string): void {
  const attempt = sending(tx, sender);
  const task = loadTask(tx, sender.taskId);
  if (attempt === undefined || task === undefined) return;
  const delay = Math.min(FIRST_RESEND_DELAY * 2 ** (attempt.sends - 1), MAX_RESEND_DELAY);
  tx.run(
    `update attempts set status = 'dispatched', wake_at = min(timeout_at, ?), wake_for = 'resend'
      where task_id = ? and n = ? and epoch = ? and sends = ? and status = 'created'`,
    tx.now + delay,
    attempt.task_id,
    attempt.n,
    sender.epoch,
    sender.send,
  );
  taskEvent(tx, task, "attempt.interrupted", { number: attempt.n, agentId: attempt.agent_id, message });
  const agent = tx.context.agents.get(attempt.agent_id);
  if (agent === undefined) return;
  // An exchange that lasted to the attempt's end is a timeout, and counted as one when it is judged.
  if (tx.now + delay < attempt.timeout_at) countFailure(tx, agent, attempt);
  settleFromReports(tx, agent);
}

/** Nothing left this process: the try is over and used nothing up. */
export function undelivered(tx: Tx, sender: Sender, message: string): void {
  const attempt = sending(tx, sender);
  const task = loadTask(tx, sender.taskId);
  if (attempt === undefined || task === undefined) return;
  const error: TaskError = { code: "undelivered", message };
  // On a resend the agent may have the task from an earlier send; only the first send proves that it has not.
  if (attempt.sends > 1) {
    broken(tx, sender, message);
    return;
  }
  endAttempt(tx, task, attempt, "lose", { evidence: null, error });
  const agent = tx.context.agents.get(attempt.agent_id);
  releasePermit(tx, agent, attempt);
  if (agent !== undefined) countFailure(tx, agent, attempt);
  failTask(tx, task, attempt, { type: "undelivered", error });
}

/** The attempt, while this sender's exchange is the last thing known of it. */
function sending(tx: Tx, sender: Sender): AttemptRow | undefined {
  const attempt = loadAttempt(tx, sender.taskId, sender.attempt);
  return attempt?.status === "created" && isSender(attempt, sender) ? attempt : undefined;
}

/** A commit's hints have reached the engine long before an attempt is this old. */
const KNOWN_WITHIN = 3 * SECOND;

/**
 * Attempts whose sender is another or an earlier process, and with `sending` those of this process that are not among
 * them: sent again by this one, under the same token.
 */
export function adopt(tx: Tx, max: number, sending?: ReadonlySet<string>): ClaimedAttempt[] {
  const candidates = tx.all<{ task_id: string; n: number }>(
    `select a.task_id, a.n from attempts a join agents g on g.id = a.agent_id where a.wake_at is not null
      and a.status in ('created', 'dispatched') and g.channel = 'push'
      and (a.epoch <> ? or (a.wake_for = 'timeout' and a.created_at <= ?))`,
    tx.context.epoch,
    sending === undefined ? 0 : tx.now - KNOWN_WITHIN,
  );
  const claimed: ClaimedAttempt[] = [];
  for (const { task_id, n } of candidates) {
    if (claimed.length >= max || tx.sendCapacity <= 0) break;
    const attempt = sending?.has(attemptId(task_id, n)) ? undefined : loadAttempt(tx, task_id, n);
    const resent = attempt === undefined ? null : resend(tx, attempt);
    if (resent !== null) claimed.push(resent);
  }
  return claimed;
}

/** Takes an attempt over for one more send by this process. Null when there is nobody to send it to. */
export function resend(tx: Tx, attempt: AttemptRow): ClaimedAttempt | null {
  const task = loadTask(tx, attempt.task_id);
  const agent = tx.context.agents.get(attempt.agent_id);
  if (task === undefined || agent === undefined) return null;
  const send = attempt.sends + 1;
  tx.context.recent.dropClaim(attempt.task_id);
  const written = tx.run(
    `update attempts set status = 'created', epoch = ?, sends = ?, wake_at = timeout_at, wake_for = 'timeout'
      where task_id = ? and n = ? and epoch = ? and sends = ? and status in ('created', 'dispatched')`,
    tx.context.epoch,
    send,
    attempt.task_id,
    attempt.n,
    attempt.epoch,
    attempt.sends,
  );
  if (written !== 1) return null;
  taskEvent(tx, task, "attempt.resent", { number: attempt.n, agentId: agent.id, send });
  const claimed = toClaimed(task, agent, workflowOf(tx, task.session_id), {
    n: attempt.n,
    token: attempt.token,
    epoch: tx.context.epoch,
    send,
    createdAt: attempt.created_at,
    timeoutAt: attempt.timeout_at,
  });
  tx.hints.claimed.push(claimed);
  countMessage(tx, agent);
  return claimed;
}
