import { formatTime } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import { blockedSentence } from "../blocked-view.ts";
import type { Store } from "../store.ts";
import type { AttemptRecord, TaskError, TaskRecord } from "./task.ts";
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
      if (blocked === null) return ["It can be claimed now.", ...tried];
      // While it backs off, the reason itself says how the attempt ended.
      if (blocked.reason !== "backoff" || last === undefined) return [blockedSentence(blocked), ...tried];
      return [blockedSentence(blocked), `Attempt ${last.number} was with ${doerText(last, names)}.`];
    case "running":
      return [blocked === null ? "It is at work." : blockedSentence(blocked)];
    case "completed":
      return [`It completed at ${endOf(task)}.`];
    case "cancelled":
      return [`It was cancelled at ${endOf(task)}${because(task.error)}.`];
    case "failed":
      return [`It failed at ${endOf(task)}${because(task.error)}.`, ...tried, ...deadLetterSentence(task)];
  }
}

function attemptSentence(task: TaskRecord, attempt: AttemptRecord, names: ReadonlyMap<string, string>): string {
  const why = because(attempt.error);
  const fallback = task.fellBack ? ", with the fallback" : "";
  const used = `${task.used} of ${task.max} attempts are used up${fallback}`;
  return `Attempt ${attempt.number} with ${doerText(attempt, names)} ended ${attempt.status}${why} (${used}).`;
}

function doerText(attempt: AttemptRecord, names: ReadonlyMap<string, string>): string {
  if (attempt.agentId === null) return `tool \`${attempt.tool}\``;
  const name = names.get(attempt.agentId);
  return name === undefined ? `agent ${attempt.agentId}` : `agent \`${name}\``;
}

function deadLetterSentence(task: TaskRecord): string[] {
  if (!task.deadLetter) return [];
  if (task.error?.code === "agent_gone") return ["It is a dead letter: no agent is left that could do it."];
  if (task.used < task.max) return ["It is a dead letter: its time ran out."];
  const included = task.fellBack ? ", those of the fallback included" : "";
  return [`It is a dead letter: its ${task.max} attempts are used up${included}.`];
}

/** The reason, as the end of a sentence. */
export function because(error: TaskError | null): string {
  return error === null ? "" : `: ${error.code}, ${error.message.replace(/\.$/, "")}`;
}

function endOf(task: TaskRecord): string {
  return formatTime(task.endedAt ?? task.createdAt);
}
