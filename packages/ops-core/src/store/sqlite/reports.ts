import { type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import { isRestart, OWN_ERROR_TTL, STATE_TTL } from "../../domain/agents/claimable.ts";
import {
  type BareOutcome,
  bareOutcome,
  namedOutcome,
  RESULT_GRACE,
  type Report,
} from "../../domain/agents/evidence.ts";
import type { StateReport } from "../../domain/store.ts";
import { readStored } from "../../domain/stored-json.ts";
import type { AttemptOutcome, TaskError } from "../../domain/tasks/task.ts";
import type { AgentEntry } from "./agent-index.ts";
import { renewLease } from "./agent-lease.ts";
import { isOpen } from "./ending.ts";
import { loseAttempts } from "./loss.ts";
import { settleOpen } from "./outcomes.ts";
import { releaseDraining, wakeLanes } from "./permits.ts";
import { type AttemptRow, loadAttempt, loadTask, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** A state report: stored always; it settles an attempt only where the rules of evidence let it. */
export function report(tx: Tx, incoming: StateReport): { settled: string | null } {
  const agent = tx.context.agents.get(incoming.agentId);
  if (agent === undefined) throw new OpspawnError("agent_not_found", `Agent not found: ${incoming.agentId}`);
  storeReport(tx, agent, incoming);
  if (agent.heartbeat) renewLease(tx, agent);
  if (isRestart(incoming.state)) {
    loseAttempts(tx, agent, { code: "agent_restarted", message: `The agent reported \`${incoming.state}\`.` });
  }
  const settled = settleFromReports(tx, agent);
  const state = incoming.state.toLowerCase();
  if (state === "error" && settled !== null) lapseSoon(tx, agent);
  if (state === "idle" || state === "finished") becomeIdle(tx, agent);
  wakeLanes(tx, agent);
  return { settled };
}

function storeReport(tx: Tx, agent: AgentEntry, incoming: StateReport): void {
  const lapsesAt = tx.now + STATE_TTL;
  const row = tx.returning<{ reports: number }>(
    `update agents set state = ?, state_details = ?, state_timestamp = ?, state_received_at = ?, state_lapses_at = ?,
      reports = reports + 1 where id = ? returning reports`,
    incoming.state,
    incoming.details,
    incoming.timestamp,
    tx.now,
    lapsesAt,
    agent.id,
  );
  tx.run(
    `insert into agent_reports (agent_id, sequence, state, details, task_id, timestamp, reported_at, received_at)
      values (?, ?, ?, ?, ?, ?, ?, ?)`,
    agent.id,
    row?.reports ?? 0,
    incoming.state,
    incoming.details,
    incoming.taskId,
    incoming.timestamp,
    incoming.reportedAt,
    tx.now,
  );
  if (agent.state !== incoming.state)
    agentEvent(tx, agent.id, "agent.state_changed", { from: agent.state, to: incoming.state });
  agent.state = incoming.state;
  agent.stateLapsesAt = lapsesAt;
}

export function agentEvent(tx: Tx, agentId: string, type: string, data: JsonObject): void {
  const row = tx.returning<{ event_sequence: number }>(
    "update agents set event_sequence = event_sequence + 1 where id = ? returning event_sequence",
    agentId,
  );
  tx.event(agentId, row?.event_sequence ?? 1, type, { agentId, ...data });
}

function lapseSoon(tx: Tx, agent: AgentEntry): void {
  agent.stateLapsesAt = tx.now + OWN_ERROR_TTL;
  tx.run("update agents set state_lapses_at = ? where id = ?", agent.stateLapsesAt, agent.id);
}

/** It has nothing of ours any more: drained slots are free, and the next message starts a clean count. */
function becomeIdle(tx: Tx, agent: AgentEntry): void {
  releaseDraining(tx, agent);
  if (agent.held === 0 && agent.evidence !== "explicit") {
    tx.run("update agents set messages_since_idle = 0 where id = ? and messages_since_idle > 0", agent.id);
  }
}

interface OpenAttempt {
  readonly task: TaskRow;
  readonly attempt: AttemptRow;
}

/** The attempts that hold a slot of this agent and have not ended. */
export function openAttempts(tx: Tx, agent: AgentEntry): OpenAttempt[] {
  if (agent.held === agent.draining) return [];
  const ids = tx.all<{ attempt_id: string }>(
    "select attempt_id from permits where kind = 'agent' and key = ? and attempt_id is not null and draining_until is null",
    agent.id,
  );
  return ids.flatMap(({ attempt_id }) => {
    const slash = attempt_id.indexOf("/");
    const task = loadTask(tx, attempt_id.slice(0, slash));
    const attempt = loadAttempt(tx, attempt_id.slice(0, slash), Number(attempt_id.slice(slash + 1)));
    return task !== undefined && attempt !== undefined && isOpen(attempt) ? [{ task, attempt }] : [];
  });
}

/** Settles what the stored reports prove now; the id of the task that was settled, or null. */
export function settleFromReports(tx: Tx, agent: AgentEntry): string | null {
  if (agent.evidence === "explicit") return null;
  const open = openAttempts(tx, agent);
  // While its exchange is open the agent may still answer; it is asked again when the exchange closes.
  const closed = open.filter(({ attempt }) => attempt.status === "acknowledged" && isOpen(attempt));
  for (const { task, attempt } of closed) {
    const outcome = namedReport(tx, agent, task, attempt);
    if (outcome === null) continue;
    settleOpen(tx, task, attempt, agent, outcome);
    return task.id;
  }
  const [only] = closed;
  if (agent.evidence === "named" || only === undefined) return null;
  return settleBare(tx, agent, only, open.length);
}

function namedReport(tx: Tx, agent: AgentEntry, task: TaskRow, attempt: AttemptRow): AttemptOutcome | null {
  const rows = tx.all<{ state: string; details: string | null }>(
    "select state, details from agent_reports where agent_id = ? and task_id = ? and received_at >= ? order by sequence desc",
    agent.id,
    task.id,
    attempt.created_at,
  );
  for (const row of rows) {
    const outcome = namedOutcome(row.state);
    if (outcome !== null) return toOutcome({ type: outcome, details: row.details }, "named");
  }
  return null;
}

function settleBare(tx: Tx, agent: AgentEntry, { task, attempt }: OpenAttempt, open: number): string | null {
  const outcome = bareOutcome(reportsSince(tx, agent, attempt.created_at), attempt.created_at);
  if (outcome === null) return null;
  const messages =
    tx.get<{ messages_since_idle: number }>("select messages_since_idle from agents where id = ?", agent.id)
      ?.messages_since_idle ?? 0;
  if (open !== 1 || messages !== 1 || attempt.sends !== 1) {
    taskEvent(tx, task, "attempt.ambiguous_report", { number: attempt.n, agentId: agent.id, open, messages });
    return null;
  }
  const graceOver = attempt.wake_for === "grace" && attempt.wake_at !== null && attempt.wake_at <= tx.now;
  if (agent.evidence === "bare" || graceOver) {
    settleOpen(tx, task, attempt, agent, toOutcome(outcome, "inferred"));
    return task.id;
  }
  if (attempt.wake_for !== "grace") {
    tx.run(
      "update attempts set wake_for = 'grace', wake_at = min(timeout_at, ?) where task_id = ? and n = ?",
      tx.now + RESULT_GRACE,
      task.id,
      attempt.n,
    );
  }
  return null;
}

function reportsSince(tx: Tx, agent: AgentEntry, since: number): Report[] {
  const rows = tx.all<{ state: string; details: string | null; reported_at: number | null; received_at: number }>(
    `select state, details, reported_at, received_at from agent_reports where agent_id = ? and received_at >= ?
      order by sequence desc limit 100`,
    agent.id,
    since,
  );
  return rows.reverse().map((row) => ({
    state: row.state,
    details: row.details,
    reportedAt: row.reported_at,
    receivedAt: row.received_at,
  }));
}

function toOutcome(outcome: BareOutcome, evidence: "named" | "inferred"): AttemptOutcome {
  const details = readStored(outcome.details);
  if (outcome.type === "failed") return { type: "failed", reason: "agent_error", error: errorOf(details), evidence };
  const result = member(details, "result");
  return { type: "succeeded", result: result === undefined ? null : JSON.stringify(result), evidence };
}

function errorOf(details: JsonValue): TaskError {
  const message = member(details, "message") ?? member(details, "error");
  return { code: "agent_error", message: typeof message === "string" ? message : "The agent reported `error`." };
}

function member(value: JsonValue, key: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
