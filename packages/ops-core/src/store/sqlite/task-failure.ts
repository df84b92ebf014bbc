import { formatTime, isJsonObject, OpspawnError, stringifyJson } from "@opspawn/contract";
import type { ReceiptSource } from "../../domain/effects/effect.ts";
import { readStored } from "../../domain/stored-json.ts";
import { decideRetry, type FailedOutcome } from "../../domain/tasks/retry.ts";
import { laneOf, type TaskError } from "../../domain/tasks/task.ts";
import { checkResult } from "../../domain/workflows/data.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import { type DoubtRow, type FailedAttempt, findDoubt } from "./doubt-row.ts";
import { ask, beginDoubt, doubtful } from "./doubts.ts";
import { settleOpenEffects, uncertainError } from "./effect-row.ts";
import { closeDoubt } from "./ending.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { tellSession } from "./session-news.ts";
import { refusal } from "./step-failure.ts";
import { IN_DOUBT } from "./stored-task.ts";
import {
  type AttemptRow,
  changeAttempt,
  changeTask,
  isSessionPaused,
  loadTask,
  SETTLES,
  type TaskRow,
  taskEvent,
} from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { beginToWait } from "./waiting.ts";

/** What follows from an attempt without success: another one, the fallback, or the end of the task. */
export function failTask(tx: Tx, task: TaskRow, attempt: AttemptRow, outcome: FailedOutcome): void {
  const policy = JSON.parse(task.policy) as TaskPolicy;
  if (policy.probe === true) {
    changeTask(tx, task, { used: task.used + 1 });
    endTask(tx, task, outcome.error, null);
    return;
  }
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
function doubt(tx: Tx, task: TaskRow, policy: TaskPolicy, outcome: FailedAttempt): boolean {
  const found = policy.onUncertain === undefined ? undefined : doubtful(tx, task);
  if (found === undefined) return false;
  let error = outcome.error;
  if (found.policy.kind !== "fail") {
    try {
      beginDoubt(tx, task, found, outcome);
      return true;
    } catch (failure) {
      error = refusal(failure);
    }
  }
  changeTask(tx, task, { used: task.used + 1 });
  endTask(tx, task, error, null);
  return true;
}

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
  if (held === 0) beginToWait(tx, task);
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
  tellOfEnd(tx, task, error);
}

/** Tells whoever waits for a task that it has ended: its session, or the task in doubt that it was to settle. */
export function tellOfEnd(tx: Tx, task: TaskRow, error: TaskError | null): void {
  if (task.undoes === SETTLES) noteHelp(tx, task, error);
  else tellSession(tx, task, error);
}

// --- what settles a doubt ---------------------------------------------------------------------------------------------

/** What came of open effects, whoever said so. */
export type Answer =
  /** `result`: of the task, which has done its work; JSON text or null. */
  | { readonly type: "happened"; readonly by: ReceiptSource; readonly result: string | null }
  | { readonly type: "did_not_happen"; readonly by: ReceiptSource }
  /** By receipts: each effect says so itself. */
  | { readonly type: "told" }
  | { readonly type: "undone" }
  | { readonly type: "unknown" };

/** A receipt came: when it was the last that was missing, the task is tried again, or ends, as after any failure. */
export function settleDoubt(tx: Tx, task: TaskRow): void {
  if (task.held !== IN_DOUBT || task.open_effects > 0) return;
  // What is being undone is undone whatever it was.
  if (findDoubt(tx, task.id)?.policy !== "compensate") answerDoubt(tx, task, { type: "told" });
}

/** Ends a task's doubt. Nothing when it is in none any more. */
export function answerDoubt(tx: Tx, task: TaskRow, answer: Answer): void {
  const doubt = closeDoubt(tx, task, answer.type);
  if (doubt === undefined) return;
  const outcome = JSON.parse(doubt.outcome) as FailedAttempt;
  switch (answer.type) {
    case "happened":
      settleOpenEffects(tx, task, { status: "done", result: null, note: null, by: answer.by });
      changeTask(tx, task, { status: "completed", result: answer.result, ended_at: tx.now, error: null });
      taskEvent(tx, task, "task.completed", { by: answer.by });
      tellSession(tx, task, null);
      break;
    case "did_not_happen":
      settleOpenEffects(tx, task, { status: "not_done", result: null, note: null, by: answer.by });
      goOn(tx, task, doubt, outcome);
      break;
    case "told":
      goOn(tx, task, doubt, outcome);
      break;
    case "undone":
      settleOpenEffects(tx, task, { status: "not_done", result: null, note: null, by: "compensation" });
      endTask(tx, task, outcome.error, null);
      break;
    case "unknown":
      endTask(tx, task, outcome.error, null);
      break;
  }
}

/** All is known: what its retry policy says about the attempt counts. The time in doubt is not taken from its deadline. */
function goOn(tx: Tx, task: TaskRow, doubt: DoubtRow, outcome: FailedAttempt): void {
  if (task.last === null) throw new Error(`task ${task.id} is in doubt without an attempt`);
  changeTask(tx, task, { used: task.used - 1, deadline: task.deadline + tx.now - doubt.since });
  failTask(tx, task, task.last, outcome);
}

/** A task that was to settle a doubt has ended. */
function noteHelp(tx: Tx, helper: TaskRow, error: TaskError | null): void {
  const sql = "select task_id from doubts where helper_id = ? and ended_at is null";
  const found = tx.get<{ task_id: string }>(sql, helper.id);
  const task = found === undefined ? undefined : loadTask(tx, found.task_id);
  const about = task === undefined ? undefined : doubtful(tx, task);
  if (task === undefined || about === undefined) return;
  if (about.policy.kind !== "verify") {
    answerDoubt(tx, task, { type: error === null ? "undone" : "unknown" });
    return;
  }
  const answer = error === null ? foundOut(about.step, helper.result) : null;
  const { otherwise } = about.policy.check;
  if (answer !== null) answerDoubt(tx, task, answer);
  else if (otherwise === null) answerDoubt(tx, task, { type: "unknown" });
  else ask(tx, task, about, otherwise, error ?? NO_ANSWER);
}

const NO_ANSWER: TaskError = {
  code: "verification_unclear",
  message: "The tool did not answer { happened: true or false }, or its result is none that the step takes.",
};

/** What a tool says about effects; null where it does not tell, or the step does not take what it tells. */
function foundOut(step: PlanStep, text: string | null): Answer | null {
  const said = readStored(text);
  if (!isJsonObject(said)) return null;
  if (said.happened === false) return { type: "did_not_happen", by: "tool" };
  if (said.happened !== true) return null;
  const result = said.result ?? null;
  try {
    checkResult(step, result);
  } catch (error) {
    refusal(error);
    return null;
  }
  return { type: "happened", by: "tool", result: stringifyJson(result) };
}
