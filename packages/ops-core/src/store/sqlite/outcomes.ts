import { timingSafeEqual } from "node:crypto";
import { formatTime, OpspawnError } from "@opspawn/contract";
import { type EvidenceClass, isStronger } from "../../domain/agents/agent.ts";
import type { Sender, Settled } from "../../domain/store.ts";
import { readStored } from "../../domain/stored-json.ts";
import { ForeignToken } from "../../domain/tasks/foreign-token.ts";
import { blamesEndpoint, decideRetry, type FailedOutcome } from "../../domain/tasks/retry.ts";
import {
  type AttemptOutcome,
  type Evidence,
  type FailureReason,
  laneOf,
  type TaskError,
} from "../../domain/tasks/task.ts";
import type { AttemptEvent } from "../../domain/tasks/transitions.ts";
import { checkResult } from "../../domain/workflows/data.ts";
import type { Doer } from "./agent-index.ts";
import { noteAlive } from "./agent-lease.ts";
import { noteLateOutcome, tellByToken } from "./cancellations.ts";
import { closeCircuit, countFailure } from "./circuits.ts";
import { endAttempt, isOpen, isSender, slotHold } from "./ending.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { tellSession } from "./session-news.ts";
import { SessionUnit } from "./session-unit.ts";
import { drainSlot, releaseDrained, releaseSlot } from "./slots.ts";
import {
  type AttemptRow,
  attemptFacts,
  changeAttempt,
  changeTask,
  isSessionPaused,
  loadAttempt,
  loadTask,
  type TaskRow,
  taskEvent,
} from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { beginToWait } from "./waiting.ts";

const CLASS_OF: Record<Evidence, EvidenceClass> = {
  result: "explicit",
  answer: "explicit",
  named: "named",
  inferred: "bare",
};

const ENDS = {
  timeout: "time_out",
  lost: "lose",
  unavailable: "fail",
  agent_error: "fail",
  rejected: "fail",
} as const satisfies Record<FailureReason, AttemptEvent>;

/** An outcome given under a token. */
export function settle(tx: Tx, taskId: string, token: string, outcome: AttemptOutcome): Settled {
  const { task, attempt } = findByToken(tx, taskId, token);
  const agent = attempt.agent_id === null ? undefined : tx.context.agents.get(attempt.agent_id);
  if (agent !== undefined) noteAlive(tx, agent);
  if (isOpen(attempt)) {
    settleOpen(tx, task, attempt, agent, outcome);
    return { type: "accepted", taskStatus: task.status };
  }
  // Whatever it is worth now, it shows how this agent tells outcomes.
  if (agent !== undefined && outcome.evidence !== null) raiseEvidence(tx, agent, CLASS_OF[outcome.evidence]);
  const ended = attempt.status === "succeeded" || attempt.status === "failed";
  // Judged like the first: who repeats a result that was none repeats a failure.
  const same = (attempt.status === "succeeded") === (judged(tx, task, outcome).type === "succeeded");
  if (ended && same) {
    // What was accepted was a guess; the agent's own words are kept beside it.
    if (attempt.evidence === "named" || attempt.evidence === "inferred") recordLate(tx, task, attempt, agent, outcome);
    return { type: "repeated", taskStatus: task.status };
  }
  recordLate(tx, task, attempt, agent, outcome);
  const cancellation = tellByToken(tx, task, attempt);
  return { type: "stale", taskStatus: task.status, ...(cancellation === null ? {} : { cancellation }) };
}

/** Errors: `task_not_found`, `lease_lost` when the task never had this token, or a tool has it. */
export function findByToken(tx: Tx, taskId: string, token: string): { task: TaskRow; attempt: AttemptRow } {
  const task = loadTask(tx, taskId);
  if (task === undefined) throw new OpspawnError("task_not_found", `Task not found: ${taskId}`);
  const n = Number.parseInt(token, 10);
  const attempt = Number.isSafeInteger(n) ? loadAttempt(tx, task, n) : undefined;
  if (attempt === undefined || !sameText(attempt.token, token)) {
    throw new ForeignToken();
  }
  if (attempt.agent_id === null) {
    throw new OpspawnError("lease_lost", "A tool gives its outcome by its answer, and nobody gives it for it.");
  }
  return { task, attempt };
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** An outcome the sender saw; it counts only while it is still the sender. */
export function observe(tx: Tx, sender: Sender, outcome: AttemptOutcome): Settled {
  const task = loadTask(tx, sender.taskId);
  const attempt = task === undefined ? undefined : loadAttempt(tx, task, sender.attempt);
  if (attempt === undefined || task === undefined || !isSender(attempt, sender) || !isOpen(attempt)) {
    if (task !== undefined && attempt !== undefined) noteLateOutcome(tx, task, attempt, outcome);
    return { type: "stale", taskStatus: task?.status ?? "cancelled" };
  }
  settleOpen(tx, task, attempt, tx.context.agents.doer(task.lane, attempt.agent_id), outcome);
  return { type: "accepted", taskStatus: task.status };
}

/** Applies an outcome to an open attempt: attempt, agent, task and session change together. */
export function settleOpen(
  tx: Tx,
  task: TaskRow,
  attempt: AttemptRow,
  agent: Doer | undefined,
  told: AttemptOutcome,
): void {
  const outcome = judged(tx, task, told);
  if (agent !== undefined && outcome.evidence !== null) raiseEvidence(tx, agent, CLASS_OF[outcome.evidence]);
  if (outcome.type === "succeeded") {
    endAttempt(tx, task, attempt, "succeed", { evidence: outcome.evidence, error: null });
    if (agent !== undefined) closeCircuit(tx, agent);
    releaseSlot(tx, agent, attempt);
    completeTask(tx, task, outcome.result, outcome.evidence);
    return;
  }
  const event = ENDS[outcome.reason];
  endAttempt(tx, task, attempt, event, { evidence: outcome.evidence, error: outcome.error });
  judgeCircuit(tx, agent, attempt, outcome);
  // An agent that answered is free; one that fell silent may still be at work.
  if (event === "fail") releaseSlot(tx, agent, attempt);
  else drainSlot(tx, agent, attempt, tx.now + slotHold(attempt));
  failTask(tx, task, attempt, outcome);
}

/**
 * What an outcome is worth, however it was told: a result that its step's schema refuses is an agent's failure. Each
 * outcome that may end an attempt passes here, and nothing else looks at schemas.
 */
function judged(tx: Tx, task: TaskRow, outcome: AttemptOutcome): AttemptOutcome {
  if (outcome.type !== "succeeded" || task.session_id === null || task.step === null || task.undoes === 1)
    return outcome;
  const step = SessionUnit.load(tx, task.session_id)?.plan.steps[task.step];
  if (step === undefined || step.outputSchema === null) return outcome;
  const result = readStored(outcome.result);
  try {
    checkResult(step, result);
    return outcome;
  } catch (error) {
    if (!(error instanceof OpspawnError)) throw error;
    const { code, message } = error;
    return { type: "failed", reason: "agent_error", error: { code, message }, evidence: outcome.evidence };
  }
}

function judgeCircuit(tx: Tx, agent: Doer | undefined, attempt: AttemptRow, outcome: FailedOutcome): void {
  if (agent === undefined) return;
  if (blamesEndpoint(outcome)) countFailure(tx, agent, attempt);
  else if (outcome.type === "failed" && outcome.reason !== "lost") closeCircuit(tx, agent);
}

/** An agent shows how it tells outcomes; only the strongest way it has shown settles from then on. */
export function raiseEvidence(tx: Tx, agent: Doer, shown: EvidenceClass): void {
  if (agent.kind === "tool" || !isStronger(shown, agent.evidence)) return;
  tx.run("update agents set evidence = ? where id = ?", shown, agent.id);
  agent.evidence = shown;
}

function completeTask(tx: Tx, task: TaskRow, result: string | null, evidence: Evidence): void {
  if (task.status !== "running") throw new OpspawnError("lease_lost", "The task has ended meanwhile.");
  changeTask(tx, task, { status: "completed", result, used: task.used + 1, ended_at: tx.now, error: null });
  taskEvent(tx, task, "task.completed", evidence === "inferred" ? { evidence } : {});
  tx.context.failpoint?.("store.before-next-step");
  tellSession(tx, task, null);
}

/** What follows from an attempt without success: another one, the fallback, or the end of the task. */
export function failTask(tx: Tx, task: TaskRow, attempt: AttemptRow, outcome: FailedOutcome): void {
  const policy = JSON.parse(task.policy) as TaskPolicy;
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

/** A task fails for good; with `exhausted` it is a dead letter. */
export function endTask(
  tx: Tx,
  task: TaskRow,
  error: TaskError,
  exhausted: "attempts" | "deadline" | "agent" | null,
): void {
  if (task.ended_at !== null) throw new OpspawnError("task_terminal", "The task has ended meanwhile.");
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

/** A fenced token changes no state but is a fact: it is kept, and says that the agent has stopped. */
function recordLate(
  tx: Tx,
  task: TaskRow,
  attempt: AttemptRow,
  agent: Doer | undefined,
  outcome: AttemptOutcome,
): void {
  taskEvent(tx, task, "attempt.late_result", {
    ...attemptFacts(task, attempt),
    outcome: outcome.type,
    evidence: outcome.evidence,
    ...(outcome.type === "failed" ? { error: { ...outcome.error } } : {}),
  });
  noteLateOutcome(tx, task, attempt, outcome);
  releaseDrained(tx, agent, attempt);
}
