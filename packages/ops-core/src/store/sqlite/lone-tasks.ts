import { OpspawnError } from "@opspawn/contract";
import { MINUTE } from "../../domain/clock.ts";
import type { CreateTask } from "../../domain/store.ts";
import type { Requirement } from "../../domain/tasks/task.ts";
import { addTask } from "./add-task.ts";
import { cancelTask } from "./ending.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { loadTask, newTaskRow, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

function policyOf({ retry, timeout, silenceTimeout }: CreateTask): TaskPolicy {
  return { retry, fallback: null, timeout, ...(silenceTimeout === undefined ? {} : { silenceTimeout }) };
}

/** A task that belongs to no session. */
export function createTask(tx: Tx, task: CreateTask): TaskRow {
  const readyAt = Math.max(task.readyAt, tx.now);
  const row = newTaskRow(
    {
      id: task.taskId,
      name: task.name,
      sessionId: null,
      step: null,
      stepId: null,
      requirement: task.requirement,
      orderKey: readyAt - task.priority * MINUTE,
      readyAt,
      deadline: readyAt + task.deadline,
      policy: policyOf(task),
      parameters: task.parameters,
    },
    tx.now,
  );
  addTask(tx, row);
  return row;
}

/**
 * As the dead letter was when it was made; what became of that one stays.
 * @throws OpspawnError `task_not_found`, `task_not_dead_letter`
 */
export function redriveTask(tx: Tx, sourceId: string, taskId: string): TaskRow {
  const source = loadTask(tx, sourceId);
  if (source === undefined) throw new OpspawnError("task_not_found", `Task not found: ${sourceId}`);
  if (source.dead_letter === null || source.session_id !== null) {
    throw new OpspawnError("task_not_dead_letter", `Task ${sourceId} is no dead letter that stands alone.`);
  }
  // What was put off by its author is not put off again.
  const ahead = Math.max(0, source.created_at - source.order_key);
  const row = newTaskRow(
    {
      id: taskId,
      name: source.name,
      sessionId: null,
      step: null,
      stepId: null,
      redriveOf: sourceId,
      requirement: JSON.parse(source.requirement) as Requirement,
      orderKey: tx.now - ahead,
      readyAt: tx.now,
      deadline: tx.now + source.deadline - source.created_at,
      policy: JSON.parse(source.policy) as TaskPolicy,
      parameters: source.parameters,
    },
    tx.now,
  );
  addTask(tx, row);
  taskEvent(tx, source, "task.redriven", { as: taskId });
  return row;
}

export function cancelAlone(tx: Tx, taskId: string, reason: string): TaskRow {
  const before = loadTask(tx, taskId);
  if (before === undefined) throw new OpspawnError("task_not_found", `Task not found: ${taskId}`);
  if (before.session_id !== null) {
    throw new OpspawnError("task_terminal", `Task ${taskId} belongs to session ${before.session_id}; cancel that.`);
  }
  if (before.status !== "cancelled" && !cancelTask(tx, taskId, reason)) {
    throw new OpspawnError("task_terminal", `Task ${taskId} is ${before.status} already.`);
  }
  return loadTask(tx, taskId) ?? before;
}
