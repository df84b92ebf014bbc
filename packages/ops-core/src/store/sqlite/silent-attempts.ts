import { formatTime } from "@opspawn/contract";
import { silentAt } from "../../domain/agents/silence.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import { noteEvidence } from "./agent-health.ts";
import type { Doer } from "./agent-index.ts";
import { settleOpen } from "./outcomes.ts";
import { loadProgress, nextWake, type ProgressRow, wakeOf, watchOf } from "./silence.ts";
import { type AttemptRow, attemptFacts, changeAttempt, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/**
 * An attempt that is watched has not been heard of: it is suspect, and ends when it still is. One whose silence is not
 * due, or is not watched, waits for its next moment.
 */
export function judgeSilence(tx: Tx, task: TaskRow, attempt: AttemptRow, agent: Doer | undefined): void {
  const row = loadProgress(tx, task.id, attempt.n);
  const due = row === undefined ? null : silentAt(watchOf(row));
  if (row === undefined || due === null || due > tx.now) {
    changeAttempt(tx, task, attempt, nextWake(tx, attempt));
    return;
  }
  if (row.suspect_since === null) suspectAttempt(tx, task, attempt, { agent, row });
  else settleOpen(tx, task, attempt, agent, { type: "failed", reason: "timeout", error: silent(row), evidence: null });
}

interface Silent {
  readonly agent: Doer | undefined;
  readonly row: ProgressRow;
}

function suspectAttempt(tx: Tx, task: TaskRow, attempt: AttemptRow, { agent, row }: Silent): void {
  tx.run(
    `update attempt_progress set suspect_since = ? where task_id = ? and n = ? and suspect_since is null`,
    tx.now,
    task.id,
    attempt.n,
  );
  const wake = wakeOf(attempt, { ...watchOf(row), suspectSince: tx.now });
  changeAttempt(tx, task, attempt, wake);
  taskEvent(tx, task, "attempt.suspect", {
    ...attemptFacts(task, attempt),
    counter: row.counter,
    silentSince: formatTime(row.watched_from),
    endsAt: formatTime(wake.wake_at ?? attempt.timeout_at),
  });
  if (agent?.kind !== "agent") return;
  agent.frozen = [...agent.frozen, task.id].sort();
  noteEvidence(tx, agent);
}

function silent({ counter, watched_from, note }: ProgressRow): TaskError {
  const last = counter === null ? "no progress" : `no progress beyond ${counter}`;
  const said = note === null ? "" : ` Its last word: ${note}`;
  return { code: "silent", message: `The agent has made ${last} since ${formatTime(watched_from)}.${said}` };
}
