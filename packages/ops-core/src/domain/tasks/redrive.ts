import { type OperationInput, type OperationOutput, OpspawnError, operations } from "@opspawn/contract";
import type { Context } from "../context.ts";
import { idempotencyOf, repeatable } from "../idempotency.ts";
import type { Ports } from "../ports.ts";
import type { SessionRecord } from "../sessions/session.ts";
import { needSession } from "../sessions/view.ts";
import type { Idempotency } from "../store.ts";
import { isTolerated } from "../workflows/kept-steps.ts";
import type { TaskRecord } from "./task.ts";
import { needTask } from "./view.ts";

const { redrive } = operations.tasks;
type Redriven = { readonly value: TaskRecord | SessionRecord; readonly replayed: boolean };

/**
 * Does a dead letter again: one that stands alone as a new task, one of a session by a retry of that session, or, where
 * the session went on without it, by a fork from its step.
 * @throws OpspawnError `task_not_found`, `task_not_dead_letter`, `session_open`, `idempotency_key_reused`
 */
export async function redriveTask(
  ports: Ports,
  context: Context,
  { params: { taskId } }: OperationInput<typeof redrive>,
): Promise<OperationOutput<typeof redrive>> {
  const idempotency = idempotencyOf(context, redrive.id, { taskId });
  const run = () => redriveNow(ports, taskId, idempotency);
  const { value, replayed } = await repeatable<Redriven["value"]>(ports.store.answers, idempotency, run);
  context.replayed = replayed;
  const isSession = "workflowId" in value;
  return { redriveOf: taskId, taskId: isSession ? null : value.id, sessionId: isSession ? value.id : null };
}

async function redriveNow(ports: Ports, taskId: string, idempotency: Idempotency | undefined): Promise<Redriven> {
  const { store, ids } = ports;
  const task = await needTask(store, taskId);
  if (!task.deadLetter) {
    throw new OpspawnError("task_not_dead_letter", `Task ${taskId} is ${task.status}, and no dead letter.`);
  }
  if (task.sessionId === null) {
    const redriven = await store.tasks.redrive(taskId, `task_${ids.uuid()}`, idempotency);
    return { value: redriven.task, replayed: redriven.replayed };
  }
  if (task.undoes) {
    const message = `Task ${taskId} was to undo a step of session ${task.sessionId}; that session has ended.`;
    throw new OpspawnError("task_not_dead_letter", message);
  }
  const begun = await store.sessions.fork({ ...(await placeOf(ports, task)), sessionId: ids.uuid() }, idempotency);
  return { value: begun.session, replayed: begun.replayed };
}

/** The session to go on from, that at the top of those within each other, and where. */
async function placeOf({ store, plans }: Ports, task: TaskRecord): Promise<{ sourceId: string; from: number | null }> {
  let session = await needSession(store, task.sessionId ?? "");
  let stepId = task.stepId;
  while (session.parentId !== null) {
    const parent = await needSession(store, session.parentId);
    stepId = (await plans.stored(parent.planHash)).steps[session.parentStep ?? -1]?.id ?? null;
    session = parent;
  }
  const plan = await plans.stored(session.planHash);
  const named = plan.steps[plan.byId.get(stepId ?? "") ?? -1];
  if (named === undefined) throw new Error(`task ${task.id} has no step`);
  const step = named.reserveOf?.role === "fallback" ? (plan.steps[named.reserveOf.step] ?? named) : named;
  const record = (await store.sessions.steps(session.id)).find(({ index }) => index === step.index);
  const isRetried = session.status !== "completed" && record?.status === "failed" && !isTolerated(plan, step);
  return { sourceId: session.id, from: isRetried ? null : step.index };
}
