import { formatDuration, formatTime, type JsonValue, OpspawnError, type TaskView } from "@opspawn/contract";
import { blockedView, timeOrNull } from "../blocked-view.ts";
import { cancellationView } from "../cancellations/view.ts";
import type { Store } from "../store.ts";
import { readStored } from "../stored-json.ts";
import type { AttemptRecord, Requirement, TaskRecord } from "./task.ts";

export function taskView(task: TaskRecord): TaskView {
  return {
    taskId: task.id,
    name: task.name,
    sessionId: task.sessionId,
    stepId: task.stepId,
    status: task.status,
    requirement: requirementView(task.requirement),
    fellBack: task.fellBack,
    agentId: task.agentId,
    attempts: { used: task.used, max: task.max },
    readyAt: formatTime(task.readyAt),
    createdAt: formatTime(task.createdAt),
    startedAt: timeOrNull(task.startedAt),
    endedAt: timeOrNull(task.endedAt),
    deadline: formatTime(task.deadline),
    result: readStored(task.result),
    error: task.error,
    deadLetter: task.deadLetter,
    redriveOf: task.redriveOf,
    limits: limitsView(task.limits),
    blocked: blockedView(task.blocked),
  };
}

function limitsView(limits: TaskRecord["limits"]): TaskView["limits"] {
  if (limits === null) return null;
  const { concurrency, rate } = limits;
  return { concurrency, rateLimit: rate === null ? null : { ...rate, per: formatDuration(rate.per) } };
}

function requirementView(requirement: Requirement): TaskView["requirement"] {
  switch (requirement.kind) {
    case "agent":
      return { agentId: requirement.agentId, agentName: null, capability: null, tool: null };
    case "agentName":
      return { agentId: null, agentName: requirement.agentName, capability: null, tool: null };
    case "capability":
      return { agentId: requirement.preferred, agentName: null, capability: requirement.capability, tool: null };
    case "tool":
      return { agentId: null, agentName: null, capability: null, tool: requirement.tool };
  }
}

/** A task with its parameters and all its attempts. */
export async function taskDetailView(store: Store, task: TaskRecord) {
  const attempts = await store.tasks.attempts(task.id);
  const names = await agentNames(store, attempts);
  const parameters: JsonValue = readStored(task.parameters);
  return {
    ...(await withCancellations(store, taskView(task))),
    parameters,
    attemptList: attempts.map((attempt) => attemptView(attempt, names.get(attempt.agentId ?? "") ?? null)),
  };
}

/** A task with what became of those who may have been at it when it was cancelled. */
export async function withCancellations(store: Store, view: TaskView) {
  const cancellations = await store.cancellations.ofTask(view.taskId);
  return { ...view, cancellations: cancellations.map(cancellationView) };
}

function attemptView(attempt: AttemptRecord, agentName: string | null) {
  const { number, agentId, tool, status, counted, sends, evidence, error } = attempt;
  return {
    number,
    agentId,
    agentName,
    tool,
    status,
    counted,
    sends,
    createdAt: formatTime(attempt.createdAt),
    acknowledgedAt: timeOrNull(attempt.acknowledgedAt),
    endedAt: timeOrNull(attempt.endedAt),
    evidence,
    error,
  };
}

/** The names of the agents that had an attempt; agents that are gone have none. */
export async function agentNames(
  store: Store,
  attempts: readonly AttemptRecord[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(attempts.flatMap(({ agentId }) => agentId ?? []))];
  const agents = await Promise.all(ids.map((id) => store.agents.get(id)));
  return new Map(agents.flatMap((agent) => (agent === null ? [] : [[agent.id, agent.name] as const])));
}

export async function needTask(store: Store, taskId: string): Promise<TaskRecord> {
  const task = await store.tasks.get(taskId);
  if (task === null) throw new OpspawnError("task_not_found", `Task not found: ${taskId}`);
  return task;
}
