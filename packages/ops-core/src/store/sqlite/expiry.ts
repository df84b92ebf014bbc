import { isOffline } from "../../domain/agents/claimable.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { AgentEntry } from "./agent-index.ts";
import { endCurrentAttempt, isOpen } from "./ending.ts";
import { loseSilent } from "./loss.ts";
import { endTask, settleOpen } from "./outcomes.ts";
import { releasePermit, type Slot } from "./permits.ts";
import { settleFromReports } from "./report-evidence.ts";
import { resend } from "./sender.ts";
import { advanceSession } from "./session-advance.ts";
import { SessionUnit } from "./session-unit.ts";
import { type AttemptRow, attemptId, loadAttempt, loadTask } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** A moment at which something must be decided, found by a read and decided by a transition of its own. */
export type Due =
  | { readonly kind: "session"; readonly id: string }
  | { readonly kind: "task"; readonly id: string }
  | { readonly kind: "attempt"; readonly id: string; readonly n: number }
  | { readonly kind: "slot"; readonly slot: Slot }
  | { readonly kind: "agent"; readonly id: string };

interface Reader {
  all<T>(sql: string, ...values: (string | number)[]): T[];
}

/** What is due now, oldest first, at most `max` of each kind. */
export function findDue(db: Reader, agents: Iterable<AgentEntry>, now: number, max: number): Due[] {
  const sessions = db.all<{ id: string }>(
    "select id from sessions where wake_at <= ? order by wake_at limit ?",
    now,
    max,
  );
  const tasks = db.all<{ id: string }>(
    "select id from tasks where status = 'pending' and wake_at <= ? order by wake_at limit ?",
    now,
    max,
  );
  const attempts = db.all<{ task_id: string; n: number }>(
    "select task_id, n from attempts where wake_at <= ? order by wake_at limit ?",
    now,
    max,
  );
  const slots = db.all<{ attempt_id: string; key: string; n: number }>(
    "select attempt_id, key, n from permits where draining_until <= ? order by draining_until limit ?",
    now,
    max,
  );
  const silent = [...agents].filter((agent) => isSilent(agent, now) && hasLease(db, agent));
  return [
    ...sessions.map(({ id }): Due => ({ kind: "session", id })),
    ...tasks.map(({ id }): Due => ({ kind: "task", id })),
    ...attempts.map(({ task_id, n }): Due => ({ kind: "attempt", id: task_id, n })),
    ...slots.map((row): Due => ({ kind: "slot", slot: slotOf(row) })),
    ...silent.map(({ id }): Due => ({ kind: "agent", id })),
  ];
}

function slotOf(row: { attempt_id: string; key: string; n: number }): Slot {
  const slash = row.attempt_id.indexOf("/");
  const n = Number(row.attempt_id.slice(slash + 1));
  return { task_id: row.attempt_id.slice(0, slash), n, agent_id: row.key, permit: row.n };
}

function isSilent(agent: AgentEntry, now: number): boolean {
  return isOffline(agent, now) && agent.held > agent.draining;
}

/** Whether a silent agent holds the lease of anything. */
function hasLease(db: Reader, agent: AgentEntry): boolean {
  const held = db.all(
    `select 1 from permits p join attempts a on a.task_id = substr(p.attempt_id, 1, instr(p.attempt_id, '/') - 1)
      and a.n = cast(substr(p.attempt_id, instr(p.attempt_id, '/') + 1) as integer)
      where p.kind = 'agent' and p.key = ? and p.draining_until is null and (? = 'pull' or a.status = 'acknowledged')
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
    case "attempt":
      expireAttempt(tx, due.id, due.n);
      break;
    case "slot":
      expireSlot(tx, due.slot);
      break;
    case "agent":
      expireAgent(tx, due.id);
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
  if (task === undefined || task.wake_at === null || task.wake_at > tx.now) return;
  const error: TaskError = { code: "deadline_exceeded", message: "The task's deadline has passed." };
  if (task.status === "running" && endCurrentAttempt(tx, task, "time_out", error) !== undefined) task.used += 1;
  endTask(tx, task, error, "deadline");
}

function expireAttempt(tx: Tx, taskId: string, n: number): void {
  const attempt = loadAttempt(tx, taskId, n);
  const due = attempt !== undefined && isOpen(attempt) && attempt.wake_at !== null && attempt.wake_at <= tx.now;
  if (!due) return;
  const agent = tx.context.agents.get(attempt.agent_id);
  if (attempt.wake_for === "grace" && agent !== undefined) {
    settleFromReports(tx, agent);
    const left = loadAttempt(tx, taskId, n);
    // The reports prove nothing after all: only the timeout is left to wait for.
    if (left !== undefined && isOpen(left)) waitForTimeout(tx, left);
    return;
  }
  if (tx.now < attempt.timeout_at) {
    // Who holds the message may have asked for the lease meanwhile: then it is not sent again.
    const resent = attempt.wake_for === "resend" ? resend(tx, attempt) : null;
    if (resent === null) waitForTimeout(tx, attempt);
    return;
  }
  const task = loadTask(tx, taskId);
  if (task === undefined) return;
  const error: TaskError = { code: "timeout", message: "The agent gave no outcome within the attempt's timeout." };
  settleOpen(tx, task, attempt, agent, { type: "failed", reason: "timeout", error, evidence: null });
}

function waitForTimeout(tx: Tx, attempt: AttemptRow): void {
  tx.run(
    "update attempts set wake_at = timeout_at, wake_for = 'timeout' where task_id = ? and n = ?",
    attempt.task_id,
    attempt.n,
  );
}

/** Nobody said that the agent stopped, so a bare report proves nothing until it has been idle once. */
function expireSlot(tx: Tx, slot: Slot): void {
  const row = tx.get<{ draining_until: number | null }>(
    "select draining_until from permits where kind = 'agent' and key = ? and n = ? and attempt_id = ?",
    slot.agent_id,
    slot.permit,
    attemptId(slot.task_id, slot.n),
  );
  if (row === undefined || row.draining_until === null || row.draining_until > tx.now) return;
  releasePermit(tx, tx.context.agents.get(slot.agent_id), slot);
  tx.run("update agents set messages_since_idle = messages_since_idle + 1 where id = ?", slot.agent_id);
}

function expireAgent(tx: Tx, id: string): void {
  const agent = tx.context.agents.get(id);
  if (agent === undefined || !isSilent(agent, tx.now)) return;
  loseSilent(tx, agent, { code: "agent_silent", message: "The agent gave no sign of life for 10 s." });
}
