import { type JsonValue, stringifyJson } from "@opspawn/contract";
import { OWN_ERROR_TTL } from "../../domain/agents/claimable.ts";
import {
  type BareOutcome,
  bareOutcome,
  LOOK_BACK,
  namedOutcome,
  RESULT_GRACE,
  type Report,
} from "../../domain/agents/evidence.ts";
import { readStored } from "../../domain/stored-json.ts";
import type { AttemptOutcome, TaskError } from "../../domain/tasks/task.ts";
import type { AgentEntry } from "./agent-index.ts";
import { settleOpen } from "./outcomes.ts";
import type { StoredTask } from "./stored-task.ts";
import { type AttemptRow, changeAttempt, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** Older reports are not looked at. */
const REPORTS_READ = 200;

interface OpenAttempt {
  readonly task: TaskRow;
  readonly attempt: AttemptRow;
}

interface StoredReport extends Report {
  /** The task that its details name. */
  readonly taskId: string | null;
}

/** The attempts that hold a slot of this agent and have not ended. */
export function openAttempts(tx: Tx, agent: AgentEntry): OpenAttempt[] {
  if (agent.held === agent.draining) return [];
  const running = tx.all<StoredTask>("select * from tasks where status = 'running' and agent_id = ?", agent.id);
  return running.flatMap((stored) => {
    const task = tx.tasks.found(tx, stored);
    return task.last === null ? [] : [{ task, attempt: task.last }];
  });
}

/** Settles what the stored reports prove now; the id of the task that was settled, or null. */
export function settleFromReports(tx: Tx, agent: AgentEntry): string | null {
  if (agent.evidence === "explicit") return null;
  const open = openAttempts(tx, agent);
  // While its exchange is open the agent may still answer; it is asked again when the exchange closes.
  const closed = open.filter(({ attempt }) => !isExchanging(agent, attempt));
  if (closed.length === 0) return null;
  const reports = recentReports(tx, agent, Math.min(...closed.map(({ attempt }) => attempt.created_at)) - LOOK_BACK);
  for (const { task, attempt } of closed) {
    const outcome = namedReport(reports, task, attempt);
    if (outcome === null) continue;
    settleBy(tx, agent, { task, attempt }, outcome);
    return task.id;
  }
  const only = closed.find(({ attempt }) => attempt.status === "acknowledged");
  if (agent.evidence === "named" || only === undefined) return null;
  return settleBare(tx, agent, only, { open: open.length, reports });
}

/** A pull agent has no exchange; one that broke is over until it is sent again. */
function isExchanging(agent: AgentEntry, attempt: AttemptRow): boolean {
  return agent.channel === "push" && attempt.status !== "acknowledged" && attempt.wake_for !== "resend";
}

function namedReport(reports: readonly StoredReport[], task: TaskRow, attempt: AttemptRow): AttemptOutcome | null {
  const own = reports.filter(({ taskId, receivedAt }) => taskId === task.id && receivedAt > attempt.created_at);
  for (const { state, details } of own.reverse()) {
    const type = namedOutcome(state);
    if (type !== null) return toOutcome({ type, details }, "named");
  }
  return null;
}

interface Proof {
  readonly open: number;
  readonly reports: readonly Report[];
}

function settleBare(tx: Tx, agent: AgentEntry, { task, attempt }: OpenAttempt, proof: Proof): string | null {
  const outcome = bareOutcome(proof.reports, attempt.created_at);
  if (outcome === null) return null;
  const messages =
    tx.get<{ messages_since_idle: number }>("select messages_since_idle from agents where id = ?", agent.id)
      ?.messages_since_idle ?? 0;
  // Who asks for work is sent none of it, so that no message of ours is the one its states could be about.
  if (agent.channel === "pull" || proof.open !== 1 || messages !== 1 || attempt.sends !== 1) {
    const { open } = proof;
    taskEvent(tx, task, "attempt.ambiguous_report", { number: attempt.n, agentId: agent.id, open, messages });
    return null;
  }
  const graceOver = attempt.wake_for === "grace" && (attempt.wake_at ?? tx.now) <= tx.now;
  if (agent.evidence === "bare" || graceOver) {
    // The `idle` that is believed is one with nothing outstanding; what is sent next, in this very transaction, counts.
    if (outcome.type === "completed" && agent.held === 1) {
      tx.run("update agents set messages_since_idle = 0 where id = ?", agent.id);
    }
    settleBy(tx, agent, { task, attempt }, toOutcome(outcome, "inferred"));
    return task.id;
  }
  if (attempt.wake_for !== "grace") {
    const wakeAt = Math.min(attempt.timeout_at, tx.now + RESULT_GRACE);
    changeAttempt(tx, task, attempt, { wake_for: "grace", wake_at: wakeAt });
  }
  return null;
}

function settleBy(tx: Tx, agent: AgentEntry, { task, attempt }: OpenAttempt, outcome: AttemptOutcome): void {
  settleOpen(tx, task, attempt, agent, outcome);
  // An `error` that was about our own attempt says little about the next one.
  if (outcome.type === "failed" && agent.state.toLowerCase() === "error") lapseSoon(tx, agent);
}

function lapseSoon(tx: Tx, agent: AgentEntry): void {
  agent.stateLapsesAt = tx.now + OWN_ERROR_TTL;
  tx.run("update agents set state_lapses_at = ? where id = ?", agent.stateLapsesAt, agent.id);
}

/** In order of receipt. */
function recentReports(tx: Tx, agent: AgentEntry, since: number): StoredReport[] {
  const rows = tx.all<{
    state: string;
    details: string | null;
    task_id: string | null;
    reported_at: number | null;
    received_at: number;
  }>(
    `select state, details, task_id, reported_at, received_at from
      (select * from agent_reports where agent_id = ? order by sequence desc limit ?) where received_at >= ?`,
    agent.id,
    REPORTS_READ,
    since,
  );
  return rows.reverse().map((row) => ({
    state: row.state,
    details: row.details,
    taskId: row.task_id,
    reportedAt: row.reported_at,
    receivedAt: row.received_at,
  }));
}

function toOutcome(outcome: BareOutcome, evidence: "named" | "inferred"): AttemptOutcome {
  const details = readStored(outcome.details);
  if (outcome.type === "failed") return { type: "failed", reason: "agent_error", error: errorOf(details), evidence };
  const result = member(details, "result");
  return { type: "succeeded", result: result === undefined ? null : stringifyJson(result), evidence };
}

function errorOf(details: JsonValue): TaskError {
  const message = member(details, "message") ?? member(details, "error");
  return { code: "agent_error", message: typeof message === "string" ? message : "The agent reported `error`." };
}

function member(value: JsonValue, key: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
