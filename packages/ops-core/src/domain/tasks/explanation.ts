import { formatTime } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import { blockedSentence } from "../blocked-view.ts";
import type { Store } from "../store.ts";
import type { AttemptRecord, TaskRecord } from "./task.ts";
import { agentNames } from "./view.ts";

/**
 * What a task waits for, or how it ended, in sentences for people.
 * @param blocked the reason, evaluated now
 */
export async function explainTask(store: Store, task: TaskRecord, blocked: Blocked | null): Promise<string[]> {
  const attempts = await store.tasks.attempts(task.id);
  const names = await agentNames(store, attempts);
  const last = attempts.at(-1);
  const tried = last === undefined || task.status === "running" ? [] : [attemptSentence(task, last, names)];
  switch (task.status) {
    case "pending":
      return [...(blocked === null ? ["It can be claimed now."] : [blockedSentence(blocked)]), ...tried];
    case "running":
      return [blocked === null ? "It is at work." : blockedSentence(blocked)];
    case "completed":
      return [`It completed at ${endOf(task)}.`];
    case "cancelled":
      return [`It was cancelled at ${endOf(task)}${reasonOf(task)}.`];
    case "failed":
      return [`It failed at ${endOf(task)}${reasonOf(task)}.`, ...tried, ...deadLetterSentence(task)];
  }
}

function attemptSentence(task: TaskRecord, attempt: AttemptRecord, names: ReadonlyMap<string, string>): string {
  const why = attempt.error === null ? "" : `: ${attempt.error.code}, ${attempt.error.message}`;
  const used = `${task.used} of ${task.max} attempts are used up`;
  return `Attempt ${attempt.number} with ${agentText(attempt, names)} ended ${attempt.status}${why} (${used}).`;
}

function agentText(attempt: AttemptRecord, names: ReadonlyMap<string, string>): string {
  const name = names.get(attempt.agentId);
  return name === undefined ? `agent ${attempt.agentId}` : `agent \`${name}\``;
}

function deadLetterSentence(task: TaskRecord): string[] {
  return task.deadLetter ? ["It is a dead letter: its attempts or its time ran out."] : [];
}

function endOf(task: TaskRecord): string {
  return formatTime(task.endedAt ?? task.createdAt);
}

function reasonOf(task: TaskRecord): string {
  return task.error === null ? "" : `: ${task.error.code}, ${task.error.message}`;
}
