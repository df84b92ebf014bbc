import { formatTime } from "@opspawn/contract";
import { keepsLease } from "../../domain/agents/claimable.ts";
import { PROGRESS_EVENT_EVERY } from "../../domain/agents/silence.ts";
import type { ProgressBeat, ProgressNoted } from "../../domain/tasks/progress.ts";
import type { TaskProgress } from "../../domain/tasks/task.ts";
import type { AgentEntry } from "./agent-index.ts";
import { noteAlive, renewLease } from "./agent-lease.ts";
import { tellByToken } from "./cancellations.ts";
import { isOpen } from "./ending.ts";
import { findByToken } from "./outcomes.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { clearSuspicion, loadProgress, type ProgressRow, wakeOf, watchOf } from "./silence.ts";
import { type AttemptRow, attemptFacts, changeAttempt, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** What an agent says of an attempt under its token. Only a counter that grew is progress; any word is a sign of life. */
export function progress(tx: Tx, taskId: string, token: string, beat: ProgressBeat): ProgressNoted {
  const { task, attempt } = findByToken(tx, taskId, token);
  const agent = attempt.agent_id === null ? undefined : tx.context.agents.get(attempt.agent_id);
  if (!isOpen(attempt) || agent === undefined) {
    if (agent !== undefined) noteAlive(tx, agent);
    recordLate(tx, task, attempt, beat);
    return { type: "stale", attemptStatus: attempt.status, cancellation: tellByToken(tx, task, attempt) };
  }
  const known = loadProgress(tx, task.id, attempt.n);
  const { row, grown, told } = afterBeat(tx, known, beat, known?.silence ?? silenceOf(task, agent));
  storeProgress(tx, attempt, row);
  confirm(tx, task, attempt, agent);
  if (grown && agent.frozen.includes(task.id)) {
    clearSuspicion(tx, agent, task.id);
    row.suspect_since = null;
    taskEvent(tx, task, "attempt.recovered", { ...attemptFacts(task, attempt), counter: row.counter });
  }
  // A watch that is on is looked at when it wakes; only one that begins has to be set.
  const wake = wakeOf(attempt, watchOf(row));
  if (attempt.wake_for === "timeout" && wake.wake_for === "silence") changeAttempt(tx, task, attempt, wake);
  if (told) {
    taskEvent(tx, task, "attempt.progress", {
      ...attemptFacts(task, attempt),
      counter: row.counter,
      ...(row.note === null ? {} : { note: row.note }),
    });
  }
  const renewed = keepsLease(agent) ? renewLease(tx, agent) : attempt.timeout_at;
  return { type: "noted", leaseUntil: Math.min(renewed, attempt.timeout_at), progress: toProgress(row) };
}

/** The step's word goes before the agent's; what neither bounds is not watched. */
function silenceOf(task: TaskRow, agent: AgentEntry): number | null {
  return (JSON.parse(task.policy) as TaskPolicy).silenceTimeout ?? agent.silenceTimeout;
}

function afterBeat(tx: Tx, known: ProgressRow | undefined, beat: ProgressBeat, silence: number | null): Noted {
  const counter = known?.counter ?? null;
  const grown = beat.counter !== null && (counter === null || beat.counter > counter);
  const note = beat.note ?? known?.note ?? null;
  const isNews = grown || note !== (known?.note ?? null);
  const lastEvent = known?.event_at ?? null;
  const told = isNews && (lastEvent === null || tx.now - lastEvent >= PROGRESS_EVENT_EVERY);
  const row: ProgressRow = {
    counter: grown ? beat.counter : counter,
    note,
    at: tx.now,
    watched_from: grown || known === undefined ? tx.now : known.watched_from,
    silence,
    suspect_since: known?.suspect_since ?? null,
    event_at: told ? tx.now : lastEvent,
    late_at: null,
  };
  return { row, grown, told };
}

interface Noted {
  readonly row: ProgressRow;
  /** It is progress. */
  readonly grown: boolean;
  /** It is an event, too. */
  readonly told: boolean;
}

function storeProgress(tx: Tx, attempt: AttemptRow, row: ProgressRow): void {
  tx.run(
    `insert into attempt_progress (task_id, n, agent_id, counter, note, at, watched_from, silence, moved, event_at)
      values (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
      on conflict (task_id, n) do update set counter = excluded.counter, note = excluded.note, at = excluded.at,
      moved = case when watched_from = excluded.watched_from then moved else 0 end,
      watched_from = excluded.watched_from, silence = excluded.silence, event_at = excluded.event_at`,
    attempt.task_id,
    attempt.n,
    attempt.agent_id,
    row.counter,
    row.note,
    row.at,
    row.watched_from,
    row.silence,
    row.event_at,
  );
}

/** An agent that asks for its work has it once it speaks of it; to one that is sent it, the exchange says so. */
function confirm(tx: Tx, task: TaskRow, attempt: AttemptRow, agent: AgentEntry): void {
  if (agent.channel !== "pull" || attempt.status === "acknowledged") return;
  changeAttempt(tx, task, attempt, { status: "acknowledged", acknowledged_at: tx.now });
  taskEvent(tx, task, "attempt.acknowledged", attemptFacts(task, attempt));
}

/** It is still at work that was given up: a fact, kept once for each attempt. */
function recordLate(tx: Tx, task: TaskRow, attempt: AttemptRow, { counter, note }: ProgressBeat): void {
  const first = tx.run(
    `insert into attempt_progress (task_id, n, agent_id, watched_from, moved, late_at) values (?, ?, ?, ?, 0, ?)
      on conflict (task_id, n) do update set late_at = excluded.late_at where attempt_progress.late_at is null`,
    task.id,
    attempt.n,
    attempt.agent_id,
    attempt.created_at,
    tx.now,
  );
  if (first !== 1) return;
  const said = { ...(counter === null ? {} : { counter }), ...(note === null ? {} : { note }) };
  taskEvent(tx, task, "attempt.late_progress", { ...attemptFacts(task, attempt), ...said, at: formatTime(tx.now) });
}

export function toProgress(row: Pick<ProgressRow, "counter" | "note" | "at" | "suspect_since">): TaskProgress {
  return { counter: row.counter, note: row.note, at: row.at, suspectSince: row.suspect_since };
}
