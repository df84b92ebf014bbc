import { OpspawnError } from "@opspawn/contract";
import type { Sender } from "../../domain/store.ts";
import type { Evidence, TaskError } from "../../domain/tasks/task.ts";
import { type AttemptEvent, attemptTable } from "../../domain/tasks/transitions.ts";
import { withdrawApproval } from "./approvals.ts";
import { requestCancellation } from "./cancellations.ts";
import { type DoubtRow, findDoubt } from "./doubt-row.ts";
import { judgeAgent } from "./quarantines.ts";
import { clearSuspicion } from "./silence.ts";
import { drainSlot } from "./slots.ts";
import { IN_DOUBT } from "./stored-task.ts";
import {
  type AttemptRow,
  attemptFacts,
  attemptId,
  changeAttempt,
  changeTask,
  loadAttempt,
  loadTask,
  type TaskRow,
  taskEvent,
} from "./task-row.ts";
import type { Tx } from "./tx.ts";

export function isSender(attempt: AttemptRow, sender: Sender): boolean {
  return attempt.epoch === sender.epoch && attempt.sends === sender.send;
}

export function isOpen(attempt: AttemptRow): boolean {
  return attempt.ended_at === null;
}

export interface AttemptEnd {
  readonly evidence: Evidence | null;
  readonly error: TaskError | null;
  /** Whether a failure is held against the agent. Default: no. */
  readonly blames?: boolean;
}

const EVENT_NAMES: Partial<Record<AttemptEvent, string>> = {
  succeed: "attempt.succeeded",
  fail: "attempt.failed",
  time_out: "attempt.timed_out",
  lose: "attempt.lost",
  cancel: "attempt.cancelled",
};

export function endAttempt(tx: Tx, task: TaskRow, attempt: AttemptRow, event: AttemptEvent, end: AttemptEnd): void {
  if (!isOpen(attempt)) throw new OpspawnError("lease_lost", "The attempt has ended meanwhile.");
  changeAttempt(tx, task, attempt, {
    status: attemptTable.transitions[event].to,
    ended_at: tx.now,
    evidence: end.evidence,
    error: end.error === null ? null : JSON.stringify(end.error),
    wake_at: null,
    wake_for: null,
  });
  const data = attemptFacts(task, attempt);
  if (end.evidence !== null) data.evidence = end.evidence;
  if (end.error !== null) data.error = { ...end.error };
  taskEvent(tx, task, EVENT_NAMES[event] ?? `attempt.${event}`, data);
  const stop = event === "cancel" || event === "time_out" || event === "lose";
  tx.hints.endedAttempts.push({ id: attemptId(task.id, attempt.n), stop });
  const agent = attempt.agent_id === null ? undefined : tx.context.agents.get(attempt.agent_id);
  if (agent === undefined) return;
  clearSuspicion(tx, agent, task.id);
  judgeAgent(tx, agent, task, attempt, { event, blames: end.blames === true, code: end.error?.code ?? null });
}

/** Cancels an open task; its agent keeps the slot until it is known to have stopped. False when it had ended. */
export function cancelTask(tx: Tx, taskId: string, reason: string): boolean {
  const task = loadTask(tx, taskId);
  if (task === undefined) return false;
  const error: TaskError = { code: "cancelled", message: reason };
  if (task.status !== "running" && task.status !== "pending") return false;
  // Those who had it before may be at it still.
  const draining = drainingOf(tx, task);
  let ended: AttemptRow | undefined;
  if (task.status === "running") ended = endLastAttempt(tx, task, "cancel", error);
  closeDoubt(tx, task, "cancelled");
  changeTask(tx, task, { status: "cancelled", error: JSON.stringify(error), held: 0, ended_at: tx.now });
  taskEvent(tx, task, "task.cancelled", { reason });
  for (const { attempt, until } of draining) requestCancellation(tx, task, attempt, reason, until);
  if (ended !== undefined) requestCancellation(tx, task, ended, reason, tx.now + slotHold(ended));
  return true;
}

interface DrainingAttempt {
  readonly attempt: AttemptRow;
  readonly until: number;
}

/** The attempts of a task that have ended without a word of whoever had them, and whose slots are kept for that. */
function drainingOf(tx: Tx, task: TaskRow): DrainingAttempt[] {
  if (task.attempts === 0) return [];
  const sql = "select n, until from draining_slots where task_id = ? order by n";
  return tx.all<{ n: number; until: number }>(sql, task.id).flatMap(({ n, until }) => {
    const attempt = loadAttempt(tx, task, n);
    return attempt === undefined ? [] : [{ attempt, until }];
  });
}

/** How what was in doubt came to be settled. */
export type DoubtAnswer = "happened" | "did_not_happen" | "told" | "undone" | "unknown" | "cancelled";

/** Ends what was to settle the doubt of a task: nobody is asked any more, and what finds out stops. Nothing without one. */
export function closeDoubt(tx: Tx, task: TaskRow, answer: DoubtAnswer): DoubtRow | undefined {
  if (task.held !== IN_DOUBT) return undefined;
  const doubt = findDoubt(tx, task.id);
  if (doubt === undefined) throw new Error(`task ${task.id} is in doubt without one`);
  const sql = "update doubts set answer = ?, ended_at = ? where task_id = ? and ended_at is null";
  tx.run(sql, answer, tx.now, doubt.task_id);
  changeTask(tx, task, { held: 0 });
  if (doubt.approval_id !== null) withdrawApproval(tx, doubt.approval_id);
  if (doubt.helper_id !== null) cancelTask(tx, doubt.helper_id, "It is known by now, or of no use any more.");
  taskEvent(tx, task, "task.settled", { answer });
  return doubt;
}

/** Ends the open attempt of a running task for a reason outside of it; the slot drains. */
function endLastAttempt(
  tx: Tx,
  task: TaskRow,
  event: "cancel" | "lose" | "time_out",
  error: TaskError,
): AttemptRow | undefined {
  const attempt = task.last;
  if (attempt === null || !isOpen(attempt)) return undefined;
  endAttempt(tx, task, attempt, event, { evidence: null, error });
  const agent = tx.context.agents.doer(task.lane, attempt.agent_id);
  drainSlot(tx, agent, attempt, tx.now + slotHold(attempt));
  return attempt;
}

/** How long a slot is held for an agent that does not say whether it stopped: as long as its attempt was given. */
export function slotHold(attempt: AttemptRow): number {
  return Math.max(attempt.timeout_at - attempt.created_at, 0);
}
