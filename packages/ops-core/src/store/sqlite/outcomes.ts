import { timingSafeEqual } from "node:crypto";
import { OpspawnError } from "@opspawn/contract";
import { type EvidenceClass, isStronger } from "../../domain/agents/agent.ts";
import { blamesAgent } from "../../domain/agents/failures.ts";
import { holds } from "../../domain/agents/probe.ts";
import type { Sender, Settled } from "../../domain/store.ts";
import { readStored } from "../../domain/stored-json.ts";
import { ForeignToken } from "../../domain/tasks/foreign-token.ts";
import { blamesEndpoint } from "../../domain/tasks/retry.ts";
import type { AttemptOutcome, Evidence, FailureReason, TaskError } from "../../domain/tasks/task.ts";
import type { AttemptEvent } from "../../domain/tasks/transitions.ts";
import { checkResult } from "../../domain/workflows/data.ts";
import type { Doer } from "./agent-index.ts";
import { noteAlive } from "./agent-lease.ts";
import { noteLateOutcome, tellByToken } from "./cancellations.ts";
import { closeCircuit, countFailure } from "./circuits.ts";
import type { FailedAttempt } from "./doubt-row.ts";
import { settleOpenEffects } from "./effect-row.ts";
import { endAttempt, isOpen, isSender, slotHold } from "./ending.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { SessionUnit } from "./session-unit.ts";
import { drainSlot, releaseDrained, releaseSlot } from "./slots.ts";
import { failTask, tellOfEnd } from "./task-failure.ts";
import {
  type AttemptRow,
  attemptFacts,
  changeTask,
  loadAttempt,
  loadTask,
  type TaskRow,
  taskEvent,
} from "./task-row.ts";
import type { Tx } from "./tx.ts";

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
  const same = (attempt.status === "succeeded") === (judged(tx, task, agent, outcome).type === "succeeded");
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
  const outcome = judged(tx, task, agent, told);
  if (agent !== undefined && outcome.evidence !== null) raiseEvidence(tx, agent, CLASS_OF[outcome.evidence]);
  if (outcome.type === "succeeded") {
    endAttempt(tx, task, attempt, "succeed", { evidence: outcome.evidence, error: null });
    if (agent !== undefined) closeCircuit(tx, agent);
    releaseSlot(tx, agent, attempt);
    completeTask(tx, task, outcome.result, outcome.evidence);
    return;
  }
  const event = ENDS[outcome.reason];
  const { evidence, error } = outcome;
  endAttempt(tx, task, attempt, event, { evidence, error, blames: blamesAgent(outcome) });
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
function judged(tx: Tx, task: TaskRow, agent: Doer | undefined, outcome: AttemptOutcome): AttemptOutcome {
  if (outcome.type !== "succeeded") return outcome;
  if (task.session_id === null) return judgedProbe(task, agent, outcome);
  if (task.step === null || task.undoes === 1) return outcome;
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

/** A probe shows something only by the result that its agent announced. */
function judgedProbe(
  task: TaskRow,
  agent: Doer | undefined,
  outcome: Extract<AttemptOutcome, { type: "succeeded" }>,
): AttemptOutcome {
  const expected = agent?.kind === "agent" ? agent.probe?.expect : undefined;
  if (expected === undefined || (JSON.parse(task.policy) as TaskPolicy).probe !== true) return outcome;
  if (holds(readStored(outcome.result), expected)) return outcome;
  const error: TaskError = { code: "probe_failed", message: "The result of the probe does not hold what is expected." };
  return { type: "failed", reason: "agent_error", error, evidence: outcome.evidence };
}

function judgeCircuit(tx: Tx, agent: Doer | undefined, attempt: AttemptRow, outcome: FailedAttempt): void {
  if (agent === undefined) return;
  if (blamesEndpoint(outcome)) countFailure(tx, agent, attempt);
  else if (outcome.reason !== "lost") closeCircuit(tx, agent);
}

/** An agent shows how it tells outcomes; only the strongest way it has shown settles from then on. */
export function raiseEvidence(tx: Tx, agent: Doer, shown: EvidenceClass): void {
  if (agent.kind === "tool" || !isStronger(shown, agent.evidence)) return;
  tx.run("update agents set evidence = ? where id = ?", shown, agent.id);
  agent.evidence = shown;
}

function completeTask(tx: Tx, task: TaskRow, result: string | null, evidence: Evidence): void {
  if (task.status !== "running") throw new OpspawnError("lease_lost", "The task has ended meanwhile.");
  // Whoever says that all is done says it of what it announced, too.
  settleOpenEffects(tx, task, { status: "done", result: null, note: null, by: "outcome" });
  changeTask(tx, task, { status: "completed", result, used: task.used + 1, ended_at: tx.now, error: null });
  taskEvent(tx, task, "task.completed", evidence === "inferred" ? { evidence } : {});
  tx.context.failpoint?.("store.before-next-step");
  tellOfEnd(tx, task, null);
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
