import { SECOND } from "../../domain/clock.ts";
import type { Sender } from "../../domain/store.ts";
import type { ClaimedAttempt, TaskError } from "../../domain/tasks/task.ts";
import { noteAlive } from "./agent-lease.ts";
import { workflowOf } from "./agents.ts";
import { countFailure } from "./circuits.ts";
import { countMessage, toClaimed } from "./claim.ts";
import { endAttempt, isOpen, isSender } from "./ending.ts";
import { settleFromReports } from "./report-evidence.ts";
import { nextWake, restartWatch } from "./silence.ts";
import { releaseSlot } from "./slots.ts";
import { failTask } from "./task-failure.ts";
import {
  type AttemptRow,
  attemptFacts,
  attemptId,
  changeAttempt,
  loadAttempt,
  loadTask,
  type TaskRow,
  taskEvent,
} from "./task-row.ts";
import type { Tx } from "./tx.ts";

const FIRST_RESEND_DELAY = SECOND;
const MAX_RESEND_DELAY = 30 * SECOND;

/** The exchange closed without an outcome. Reports that came in meanwhile are judged now. */
export function acknowledge(tx: Tx, sender: Sender): void {
  const { task, attempt } = sentBy(tx, sender) ?? {};
  if (task === undefined || attempt === undefined || attempt.status === "acknowledged") return;
  changeAttempt(tx, task, attempt, {
    status: "acknowledged",
    acknowledged_at: tx.now,
    ...(attempt.wake_for === "resend" ? nextWake(tx, attempt) : {}),
  });
  taskEvent(tx, task, "attempt.acknowledged", attemptFacts(task, attempt));
  const agent = tx.context.agents.doer(task.lane, attempt.agent_id);
  if (agent?.kind !== "agent") return;
  noteAlive(tx, agent);
  settleFromReports(tx, agent);
}

/**
 * Bytes may have left and no answer came, or one that says it is still at an earlier send: the same attempt is sent
 * again, until its timeout.
 * @param answered an answer came, so that its endpoint is not to blame
 */
export function broken(tx: Tx, sender: Sender, message: string, answered = false): void {
  const { task, attempt } = sentBy(tx, sender) ?? {};
  if (task === undefined || attempt?.status !== "created") return;
  const delay = Math.min(FIRST_RESEND_DELAY * 2 ** (attempt.sends - 1), MAX_RESEND_DELAY);
  changeAttempt(tx, task, attempt, {
    status: "dispatched",
    wake_at: Math.min(attempt.timeout_at, tx.now + delay),
    wake_for: "resend",
  });
  taskEvent(tx, task, "attempt.interrupted", { ...attemptFacts(task, attempt), message });
  const agent = tx.context.agents.doer(task.lane, attempt.agent_id);
  if (agent === undefined) return;
  // An exchange that lasted to the attempt's end is a timeout, and counted as one when it is judged.
  if (!answered && tx.now + delay < attempt.timeout_at) countFailure(tx, agent, attempt);
  if (agent.kind === "agent") settleFromReports(tx, agent);
}

/** Nothing left this process: the try is over and used nothing up. */
export function undelivered(tx: Tx, sender: Sender, message: string): void {
  const { task, attempt } = sentBy(tx, sender) ?? {};
  if (task === undefined || attempt?.status !== "created") return;
  const error: TaskError = { code: "undelivered", message };
  // On a resend the agent may have the task from an earlier send; only the first send proves that it has not.
  if (attempt.sends > 1) {
    broken(tx, sender, message);
    return;
  }
  endAttempt(tx, task, attempt, "lose", { evidence: null, error });
  const agent = tx.context.agents.doer(task.lane, attempt.agent_id);
  releaseSlot(tx, agent, attempt);
  if (agent !== undefined) countFailure(tx, agent, attempt);
  failTask(tx, task, attempt, { type: "undelivered", error });
}

/** The open attempt that this sender still is the sender of. */
function sentBy(tx: Tx, sender: Sender): { task: TaskRow; attempt: AttemptRow } | undefined {
  const task = loadTask(tx, sender.taskId);
  const attempt = task === undefined ? undefined : loadAttempt(tx, task, sender.attempt);
  if (task === undefined || attempt === undefined || !isOpen(attempt) || !isSender(attempt, sender)) return undefined;
  return { task, attempt };
}

/** A commit's hints have reached the engine long before an attempt is this old. */
const KNOWN_WITHIN = 3 * SECOND;

/**
 * Attempts whose sender is another or an earlier process, and with `sending` those of this process that are not among
 * them: sent again by this one, under the same token.
 */
export function adopt(tx: Tx, max: number, sending?: ReadonlySet<string>): ClaimedAttempt[] {
  const candidates = tx.all<{ id: string; attempts: number }>(
    `select t.id, t.attempts from tasks t left join agents g on g.id = t.agent_id where t.status = 'running'
      and t.attempt_status in ('created', 'dispatched') and (t.agent_id is null or g.channel = 'push')
      and (t.epoch <> ? or (t.wake_for in ('timeout', 'silence') and t.attempt_created_at <= ?))`,
    tx.context.epoch,
    sending === undefined ? 0 : tx.now - KNOWN_WITHIN,
  );
  const claimed: ClaimedAttempt[] = [];
  for (const { id, attempts } of candidates) {
    if (claimed.length >= max || tx.sendCapacity <= 0) break;
    const task = sending?.has(attemptId(id, attempts)) ? undefined : loadTask(tx, id);
    const resent = task === undefined ? null : resend(tx, task);
    if (resent !== null) claimed.push(resent);
  }
  return claimed;
}

/** Takes an attempt over for one more send by this process. Null when there is nobody to send it to. */
export function resend(tx: Tx, task: TaskRow): ClaimedAttempt | null {
  const attempt = task.last;
  const agent = attempt === null ? undefined : tx.context.agents.doer(task.lane, attempt.agent_id);
  if (attempt === null || agent === undefined) return null;
  if (attempt.status !== "created" && attempt.status !== "dispatched") return null;
  const send = attempt.sends + 1;
  changeAttempt(tx, task, attempt, {
    status: "created",
    epoch: tx.context.epoch,
    sends: send,
    ...restartWatch(tx, attempt),
  });
  taskEvent(tx, task, "attempt.resent", { ...attemptFacts(task, attempt), send });
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
