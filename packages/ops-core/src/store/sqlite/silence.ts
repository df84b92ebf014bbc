import { silentAt, type Watch } from "../../domain/agents/silence.ts";
import { noteEvidence, noteHealth } from "./agent-health.ts";
import type { AgentEntry } from "./agent-index.ts";
import type { AttemptRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

export interface ProgressRow {
  counter: number | null;
  note: string | null;
  at: number | null;
  watched_from: number;
  silence: number | null;
  suspect_since: number | null;
  event_at: number | null;
  late_at: number | null;
}

export function loadProgress(tx: Pick<Tx, "get">, taskId: string, n: number): ProgressRow | undefined {
  return tx.get<ProgressRow>("select * from attempt_progress where task_id = ? and n = ?", taskId, n);
}

export function watchOf({ watched_from, silence, suspect_since }: ProgressRow): Watch {
  return { from: watched_from, silence, suspectSince: suspect_since };
}

type Wake = Pick<AttemptRow, "wake_at" | "wake_for">;

/** The next moment at which something must be decided about an attempt that waits for its agent. */
export function wakeOf(attempt: Pick<AttemptRow, "timeout_at">, watch: Watch | undefined): Wake {
  const silent = watch === undefined ? null : silentAt(watch);
  if (silent === null || silent >= attempt.timeout_at) return { wake_at: attempt.timeout_at, wake_for: "timeout" };
  return { wake_at: silent, wake_for: "silence" };
}

/** As `wakeOf`, by what is stored of the attempt. */
export function nextWake(tx: Tx, attempt: AttemptRow): Wake {
  const row = loadProgress(tx, attempt.task_id, attempt.n);
  return wakeOf(attempt, row === undefined ? undefined : watchOf(row));
}

/** The silence of an attempt counts from now: it has just been dispatched, by a step that wants to hear of it. */
export function beginWatch(tx: Tx, attempt: AttemptRow, agent: AgentEntry, silence: number): void {
  tx.run(
    `insert into attempt_progress (task_id, n, agent_id, watched_from, silence, moved) values (?, ?, ?, ?, ?, 0)`,
    attempt.task_id,
    attempt.n,
    agent.id,
    tx.now,
    silence,
  );
}

/** The message goes out once more, so that the agent has its time anew. */
export function restartWatch(tx: Tx, attempt: AttemptRow): Wake {
  const watched = tx.run(
    "update attempt_progress set watched_from = ?, moved = 0 where task_id = ? and n = ?",
    tx.now,
    attempt.task_id,
    attempt.n,
  );
  return watched === 1 ? nextWake(tx, attempt) : wakeOf(attempt, undefined);
}

/** An attempt that was suspect is not any more: it got on, or it is over. */
export function clearSuspicion(tx: Tx, agent: AgentEntry, taskId: string): void {
  if (!agent.frozen.includes(taskId)) return;
  tx.run("update attempt_progress set suspect_since = null where task_id = ?", taskId);
  agent.frozen = agent.frozen.filter((id) => id !== taskId);
  if (agent.frozen.length > 0) noteEvidence(tx, agent);
  else noteHealth(tx, agent);
}
