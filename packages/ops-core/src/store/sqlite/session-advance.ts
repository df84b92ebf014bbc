import { type JsonValue, OpspawnError, parseJson, stringifyJson } from "@opspawn/contract";
import type { ExpressionScope, StepView } from "../../domain/expressions/scope.ts";
import { DEFAULT_TASK_DEADLINE } from "../../domain/tasks/retry.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import {
  type Advance,
  advance,
  type Effect,
  type SessionInput,
  type StepChange,
} from "../../domain/workflows/advance.ts";
import { sessionOutput, stepParameters } from "../../domain/workflows/data.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import { addTask } from "./add-task.ts";
import { enqueueSessionWebhook } from "./deliveries.ts";
import { cancelTask } from "./ending.ts";
import { policyOf, requirementOf } from "./plan-cache.ts";
import type { SessionUnit } from "./session-unit.ts";
import { newTaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

const STATUS_EVENT = {
  completed: "session.completed",
  failed: "session.failed",
  cancelled: "session.cancelled",
} as const;

/** Gives one input to a session and does everything that follows from it, in this transaction. */
export function advanceSession(tx: Tx, session: SessionUnit, first: SessionInput, startAt = tx.now): void {
  const inputs: SessionInput[] = [first];
  for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
    const move = advance(session.plan, session, input);
    const taskIds = newTaskIds(tx, move.effects);
    for (const change of move.steps) writeStep(tx, session, change, taskIds.get(change.index) ?? null, input);
    writeCounters(session, move);
    for (const effect of move.effects) {
      const failed = apply(tx, session, effect, taskIds, startAt);
      if (failed !== null) inputs.push(failed);
    }
  }
}

function newTaskIds(tx: Tx, effects: readonly Effect[]): ReadonlyMap<number, string> {
  const ids = new Map<number, string>();
  for (const effect of effects)
    if (effect.type === "create_task") ids.set(effect.step, `task_${tx.context.ids.uuid()}`);
  return ids;
}

function writeCounters(session: SessionUnit, move: Advance): void {
  session.change({ open: move.open, ended: move.ended });
  if (move.failure !== null) session.change({ failure: JSON.stringify(move.failure) });
  if (move.failedSteps.length === 0) return;
  session.change({ failed_steps: addSteps(session.row.failed_steps, move.failedSteps) });
}

function addSteps(text: string, steps: readonly string[]): string {
  return JSON.stringify([...(JSON.parse(text) as string[]), ...steps]);
}

function writeStep(tx: Tx, session: SessionUnit, change: StepChange, taskId: string | null, input: SessionInput): void {
  const ended = change.status !== "pending" && change.status !== "running";
  const error = change.status === "failed" && input.type === "step_failed" ? JSON.stringify(input.error) : null;
  tx.run(
    `insert into session_steps (session_id, step, status, remaining, task_id, started_at, ended_at, error)
      values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (session_id, step) do update set status = excluded.status,
      remaining = excluded.remaining, task_id = coalesce(excluded.task_id, task_id),
      started_at = coalesce(started_at, excluded.started_at), ended_at = excluded.ended_at, error = excluded.error`,
    session.id,
    change.index,
    change.status,
    change.remaining,
    taskId,
    change.status === "running" ? tx.now : null,
    ended ? tx.now : null,
    error,
  );
}

/** The input that follows from an effect that could not be carried out, or null. */
function apply(
  tx: Tx,
  session: SessionUnit,
  effect: Effect,
  taskIds: ReadonlyMap<number, string>,
  startAt: number,
): SessionInput | null {
  switch (effect.type) {
    case "create_task":
      return createTask(tx, session, stepAt(session, effect.step), taskIds.get(effect.step) ?? "", startAt);
    case "cancel_task": {
      const row = tx.get<{ task_id: string | null }>(
        "select task_id from session_steps where session_id = ? and step = ?",
        session.id,
        effect.step,
      );
      if (row?.task_id != null) cancelTask(tx, row.task_id, effect.reason);
      return null;
    }
    case "finish":
      finish(tx, session, effect.status, effect.error);
      return null;
  }
}

function stepAt(session: SessionUnit, index: number): PlanStep {
  const step = session.plan.steps[index];
  if (step === undefined) throw new Error(`step ${index} is not in plan ${session.plan.id}`);
  return step;
}

function createTask(
  tx: Tx,
  session: SessionUnit,
  step: PlanStep,
  taskId: string,
  startAt: number,
): SessionInput | null {
  let parameters: string;
  try {
    parameters = stringifyJson(stepParameters(session.plan, step, scopeOf(tx, session)));
  } catch (error) {
    return { type: "step_failed", step: step.index, error: expressionError(error) };
  }
  const pathAgent = session.row.agent_id;
  const readyAt = Math.max(startAt, tx.now);
  const row = newTaskRow(
    {
      id: taskId,
      name: step.name,
      sessionId: session.id,
      step: step.index,
      stepId: step.id,
      requirement: requirementOf(step.target, pathAgent, step),
      orderKey: session.nextOrderKey(readyAt, step.priority),
      readyAt,
      deadline: readyAt + (step.deadline ?? DEFAULT_TASK_DEADLINE),
      policy: policyOf(step, pathAgent),
      parameters,
    },
    tx.now,
  );
  addTask(tx, row);
  return null;
}

function expressionError(error: unknown): TaskError {
  if (!(error instanceof OpspawnError)) throw error;
  return { code: error.code, message: error.message, retryable: false };
}

function finish(
  tx: Tx,
  session: SessionUnit,
  status: "completed" | "failed" | "cancelled",
  error: TaskError | null,
): void {
  let end: { status: typeof status; error: TaskError | null; result: string | null } = { status, error, result: null };
  if (status === "completed") {
    try {
      end = { status, error, result: stringifyJson(sessionOutput(session.plan, scopeOf(tx, session))) };
    } catch (failure) {
      end = { status: "failed", error: expressionError(failure), result: null };
    }
  }
  session.change({
    status: end.status,
    result: end.result,
    error: end.error === null ? null : JSON.stringify(end.error),
    ended_at: tx.now,
    wake_at: null,
  });
  session.event(STATUS_EVENT[end.status], end.error === null ? {} : { error: { ...end.error } });
  tx.hints.endedSessions.push(session.id);
  if (session.row.callback_url !== null) enqueueSessionWebhook(tx, session);
}

/** What expressions of this session can read; a step's result is loaded when it is named. */
export function scopeOf(tx: Tx, session: SessionUnit): ExpressionScope {
  const { row, plan } = session;
  return {
    input: row.input === null ? null : parseJson(row.input),
    steps: { get: (stepId) => stepView(tx, session, plan.byId.get(stepId)) },
    session: { id: row.id, labels: JSON.parse(row.labels) as Record<string, string> },
    trigger: { agentId: row.agent_id },
  };
}

function stepView(tx: Tx, session: SessionUnit, index: number | undefined): StepView | undefined {
  if (index === undefined) return undefined;
  const row = tx.get<{ status: string; error: string | null; result: string | null }>(
    `select s.status, s.error, t.result from session_steps s left join tasks t on t.id = s.task_id
      where s.session_id = ? and s.step = ?`,
    session.id,
    index,
  );
  if (row === undefined) return { status: "pending", result: null, error: null };
  return { status: row.status, result: jsonOrNull(row.result), error: jsonOrNull(row.error) };
}

function jsonOrNull(text: string | null): JsonValue {
  return text === null ? null : parseJson(text);
}
