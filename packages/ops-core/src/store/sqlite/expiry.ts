import { isOffline } from "../../domain/agents/claimable.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import { isHealthDue, noteHealth } from "./agent-health.ts";
import type { AgentEntry } from "./agent-index.ts";
import { wakeApproval } from "./approval-decisions.ts";
import { expireCancellation } from "./cancellations.ts";
import { isOpen } from "./ending.ts";
import { loseSilent } from "./loss.ts";
import { settleOpen } from "./outcomes.ts";
import { expireProbe, isProbeDue } from "./probes.ts";
import { settleFromReports } from "./report-evidence.ts";
import { resend } from "./sender.ts";
import { advanceSession } from "./session-advance.ts";
import { SessionUnit } from "./session-unit.ts";
import { nextWake } from "./silence.ts";
import { judgeSilence } from "./silent-attempts.ts";
import { releaseDrained, type Slot } from "./slots.ts";
import { IN_DOUBT } from "./stored-task.ts";
import { endTask } from "./task-failure.ts";
import { type AttemptRow, changeAttempt, loadTask, type TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { expireWait } from "./wait-expiry.ts";

/** A moment at which something must be decided, found by a read and decided by a transition of its own. */
export type Due =
  | { readonly kind: "session"; readonly id: string }
  | { readonly kind: "task"; readonly id: string }
  | { readonly kind: "step"; readonly sessionId: string; readonly step: number }
  | { readonly kind: "approval"; readonly id: string }
  | { readonly kind: "cancellation"; readonly id: string }
  | { readonly kind: "slot"; readonly slot: DrainingSlot }
  | { readonly kind: "agent"; readonly id: string }
  | { readonly kind: "health"; readonly id: string }
  | { readonly kind: "probe"; readonly id: string };

interface DrainingSlot extends Slot {
  readonly tool: string | null;
}

interface Reader {
  all<T>(sql: string, ...values: (string | number)[]): T[];
}

interface Doers {
  readonly agents: readonly AgentEntry[];
  /** This process may send something. */
  readonly canSend: boolean;
}

/** What is due now, oldest first, at most `max` of each kind. */
export function findDue(db: Reader, { agents, canSend }: Doers, now: number, max: number): Due[] {
  const sessions = db.all<{ id: string }>(
    "select id from sessions where wake_at <= ? order by wake_at limit ?",
    now,
    max,
  );
  const tasks = db.all<{ id: string }>("select id from tasks where wake_at <= ? order by wake_at limit ?", now, max);
  const steps = db.all<{ sessionId: string; step: number }>(
    "select session_id as sessionId, step from session_steps where wake_at <= ? order by wake_at limit ?",
    now,
    max,
  );
  const approvals = db.all<{ id: string }>(
    "select id from approvals where wake_at <= ? order by wake_at limit ?",
    now,
    max,
  );
  const cancellations = db.all<{ id: string }>(
    "select id from cancellations where wake_at <= ? order by wake_at limit ?",
    now,
    max,
  );
  const slots = db.all<DrainingSlot>(
    "select agent_id, tool, slot, task_id, n from draining_slots where until <= ? order by until limit ?",
    now,
    max,
  );
  const silent = agents.filter((agent) => isSilent(agent, now) && hasLease(db, agent));
  const probed = canSend ? agents.filter((agent) => isProbeDue(agent, now)) : [];
  const changed = agents.filter((agent) => isHealthDue(agent, now));
  return [
    ...sessions.map(({ id }): Due => ({ kind: "session", id })),
    ...tasks.map(({ id }): Due => ({ kind: "task", id })),
    ...steps.map((step): Due => ({ kind: "step", ...step })),
    ...approvals.map(({ id }): Due => ({ kind: "approval", id })),
    ...cancellations.map(({ id }): Due => ({ kind: "cancellation", id })),
    ...slots.map((slot): Due => ({ kind: "slot", slot })),
    ...silent.map(({ id }): Due => ({ kind: "agent", id })),
    ...probed.map(({ id }): Due => ({ kind: "probe", id })),
    ...changed.slice(0, max).map(({ id }): Due => ({ kind: "health", id })),
  ];
}

function isSilent(agent: AgentEntry, now: number): boolean {
  return isOffline(agent, now) && agent.held > agent.draining;
}

/** Whether a silent agent holds the lease of anything. */
function hasLease(db: Reader, agent: AgentEntry): boolean {
  const held = db.all(
    `select 1 from tasks where status = 'running' and agent_id = ? and (? = 'pull' or attempt_status = 'acknowledged')
      limit 1`,
    agent.id,
    agent.channel,
  );
  return held.length > 0;
}

/** Decides one due thing; each precondition is checked again, since something else may have been faster. */
export function expire(tx: Tx, due: Due): void {
  switch (due.kind) {
    case "session":
      expireSession(tx, due.id);
      break;
    case "task":
      expireTask(tx, due.id);
      break;
    case "step":
      expireWait(tx, due.sessionId, due.step);
      break;
    case "approval":
      wakeApproval(tx, due.id);
      break;
    case "cancellation":
      expireCancellation(tx, due.id);
      break;
    case "slot":
      expireSlot(tx, due.slot);
      break;
    case "agent":
      expireAgent(tx, due.id);
      break;
    case "health":
      expireHealth(tx, due.id);
      break;
    case "probe":
      expireProbe(tx, due.id);
      break;
  }
}

function expireSession(tx: Tx, id: string): void {
  const session = SessionUnit.load(tx, id);
  if (session === undefined || session.row.wake_at === null || session.row.wake_at > tx.now) return;
  advanceSession(tx, session, { type: "deadline" });
}

function expireTask(tx: Tx, id: string): void {
  const task = loadTask(tx, id);
  if (task === undefined) return;
  if (task.status === "running" && task.last !== null) expireAttempt(tx, task, task.last);
  // What is to settle a doubt has a time of its own.
  if (task.held === IN_DOUBT) return;
  if (task.status !== "pending" || task.deadline > tx.now) return;
  endTask(tx, task, { code: "deadline_exceeded", message: "The task's deadline has passed." }, "deadline");
}

function expireAttempt(tx: Tx, task: TaskRow, attempt: AttemptRow): void {
  if (attempt.wake_at === null || attempt.wake_at > tx.now) return;
  const agent = tx.context.agents.doer(task.lane, attempt.agent_id);
  if (attempt.wake_for === "grace" && agent?.kind === "agent") {
    settleFromReports(tx, agent);
    // The reports prove nothing after all: only the timeout is left to wait for.
    if (isOpen(attempt)) waitForTimeout(tx, task, attempt);
    return;
  }
  if (tx.now < attempt.timeout_at) {
    // Who holds the message may have asked for the lease meanwhile: then it is not sent again.
    const resent = attempt.wake_for === "resend" ? resend(tx, task) : null;
    if (resent === null) judgeSilence(tx, task, attempt, agent);
    return;
  }
  const who = attempt.agent_id === null ? "tool" : "agent";
  const error: TaskError = { code: "timeout", message: `The ${who} gave no outcome within the attempt's timeout.` };
  settleOpen(tx, task, attempt, agent, { type: "failed", reason: "timeout", error, evidence: null });
}

function waitForTimeout(tx: Tx, task: TaskRow, attempt: AttemptRow): void {
  changeAttempt(tx, task, attempt, nextWake(tx, attempt));
}

/** Nobody said that the agent stopped, so a bare report proves nothing until it has been idle once. */
function expireSlot(tx: Tx, slot: DrainingSlot): void {
  const due = tx.get(
    "select 1 from draining_slots where task_id = ? and n = ? and until <= ?",
    slot.task_id,
    slot.n,
    tx.now,
  );
  if (due === undefined) return;
  if (slot.agent_id === null) {
    releaseDrained(tx, tx.context.agents.tool(slot.tool ?? ""), slot);
    return;
  }
  releaseDrained(tx, tx.context.agents.get(slot.agent_id), slot);
  tx.run("update agents set messages_since_idle = messages_since_idle + 1 where id = ?", slot.agent_id);
}

function expireAgent(tx: Tx, id: string): void {
  const agent = tx.context.agents.get(id);
  if (agent === undefined || !isSilent(agent, tx.now)) return;
  loseSilent(tx, agent, { code: "agent_silent", message: "The agent gave no sign of life for 10 s." });
}

function expireHealth(tx: Tx, id: string): void {
  const agent = tx.context.agents.get(id);
  if (agent !== undefined) noteHealth(tx, agent);
}
