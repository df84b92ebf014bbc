import { formatTime, OpspawnError } from "@opspawn/contract";
import { decideRetry, type FailedOutcome } from "../../domain/tasks/retry.ts";
import { laneOf, type TaskError } from "../../domain/tasks/task.ts";
import { uncertainError } from "./effect-row.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { tellSession } from "./session-news.ts";
import { type AttemptRow, changeAttempt, changeTask, isSessionPaused, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** What follows from an attempt without success: another one, the fallback, or the end of the task. */
export function failTask(tx: Tx, task: TaskRow, attempt: AttemptRow, outcome: FailedOutcome): void {
  const policy = JSON.parse(task.policy) as TaskPolicy;
  if (task.open_effects > 0 && outcome.type === "failed" && doubt(tx, task, policy, outcome)) return;
  const lost = outcome.type === "failed" && outcome.reason === "lost";
  const hasFallback = policy.fallback !== null && task.fell_back === 0;
  const tries = { ...task, hasFallback, probe: attempt.probe === 1 };
  const decision = decideRetry(tries, policy.retry, outcome, tx.now, tx.context.ids);
  if (!decision.counted) changeAttempt(tx, task, attempt, { counted: 0 });
  changeTask(tx, task, { used: task.used + (decision.counted ? 1 : 0), lost: task.lost + (lost ? 1 : 0) });
  switch (decision.type) {
    case "retry":
      changeTask(tx, task, { undelivered: decision.undelivered });
      retry(tx, task, decision.readyAt, outcome, lost ? attempt.agent_id : task.avoid_agent);
      break;
    case "fall_back":
      fallBack(tx, task, policy, outcome);
      break;
    case "fail":
      endTask(tx, task, outcome.error, decision.exhausted);
      break;
  }
}

/**
 * An attempt has died with open effects: the step's policy decides what becomes of the task.
 * @returns false where it says to do them again under the same keys, as any retry does
 */
function doubt(tx: Tx, task: TaskRow, policy: TaskPolicy, outcome: FailedOutcome): boolean {
  if (policy.onUncertain === undefined) return false;
  changeTask(tx, task, { used: task.used + 1 });
  endTask(tx, task, outcome.error, null);
  return true;
}

/** Something was told that a task may have waited for. */
export function settleDoubt(_tx: Tx, _task: TaskRow): void {}

function retry(tx: Tx, task: TaskRow, readyAt: number, outcome: FailedOutcome, avoid: string | null): void {
  changeTask(tx, task, { ready_at: readyAt, avoid_agent: avoid });
  backToLane(tx, task, outcome.error);
  taskEvent(tx, task, "task.retrying", {
    readyAt: formatTime(readyAt),
    reason: outcome.type === "failed" ? outcome.reason : outcome.type,
    used: task.used,
    max: task.max,
    error: { ...outcome.error },
  });
}

function fallBack(tx: Tx, task: TaskRow, policy: TaskPolicy, outcome: FailedOutcome): void {
  if (policy.fallback === null) throw new Error("a fallback was decided where there is none");
  changeTask(tx, task, {
    requirement: JSON.stringify(policy.fallback),
    lane: laneOf(policy.fallback),
    fell_back: 1,
    max: task.used + policy.retry.maxAttempts,
    undelivered: 0,
    ready_at: tx.now,
    avoid_agent: null,
  });
  backToLane(tx, task, outcome.error);
  taskEvent(tx, task, "task.fell_back", { to: { ...policy.fallback }, error: { ...outcome.error } });
}

/** Nobody is left who could do it: its fallback takes over, or it ends. */
export function abandon(tx: Tx, task: TaskRow, error: TaskError): void {
  const policy = JSON.parse(task.policy) as TaskPolicy;
  const outcome: FailedOutcome = { type: "failed", reason: "lost", error, evidence: null };
  if (policy.fallback !== null && task.fell_back === 0) fallBack(tx, task, policy, outcome);
  else endTask(tx, task, error, "agent");
}

/** Puts a task that no attempt runs for any more back among those that wait. */
function backToLane(tx: Tx, task: TaskRow, error: TaskError | null): void {
  if (task.ended_at !== null) throw new OpspawnError("lease_lost", "The task has ended meanwhile.");
  const held = isSessionPaused(tx, task) ? 1 : 0;
  changeTask(tx, task, { status: "pending", held, error: error === null ? null : JSON.stringify(error) });
  if (held === 1) return;
  tx.context.agents.waiting.add(task.lane);
  tx.hints.lanes.add(task.lane);
}

/** A task fails for good; with `exhausted` it is a dead letter. With open effects nobody knows what it has done. */
export function endTask(
  tx: Tx,
  task: TaskRow,
  last: TaskError,
  exhausted: "attempts" | "deadline" | "agent" | null,
): void {
  if (task.ended_at !== null) throw new OpspawnError("task_terminal", "The task has ended meanwhile.");
  const error = task.open_effects > 0 && last.uncertain !== true ? uncertainError(tx, task, last) : last;
  changeTask(tx, task, {
    status: "failed",
    error: JSON.stringify(error),
    dead_letter: exhausted,
    held: 0,
    ended_at: tx.now,
  });
  taskEvent(tx, task, "task.failed", { error: { ...error }, deadLetter: exhausted });
  tellSession(tx, task, error);
}
