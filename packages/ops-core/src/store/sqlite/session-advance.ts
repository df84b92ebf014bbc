import { OpspawnError, stringifyJson } from "@opspawn/contract";
import type { ExpressionScope, StepView } from "../../domain/expressions/scope.ts";
import { readStored } from "../../domain/stored-json.ts";
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
import { noteSessionEnd } from "./schedule-ends.ts";
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
    for (const change of move.steps) writeStep(tx, session, change, input);
    writeCounters(session, move);
    for (const effect of move.effects) {
      const failed = apply(tx, session, effect, startAt);
      if (failed !== null) inputs.push(failed);
    }
  }
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

/** Keeps what no task says: the dependencies left of a step that waits, and how a step without a task ended. */
function writeStep(tx: Tx, session: SessionUnit, change: StepChange, input: SessionInput): void {
  session.know(change.index, change);
  if (change.status === "running" || change.status === "completed" || change.status === "cancelled") return;
  const failed = change.status === "failed" && input.type === "step_failed";
  tx.run(
    `insert into session_steps (session_id, step, status, remaining, ended_at, error) select ?, ?, ?, ?, ?, ?
      where not exists (select 1 from tasks where session_id = ? and step = ?)
      on conflict (session_id, step) do update set status = excluded.status, remaining = excluded.remaining,
      ended_at = excluded.ended_at, error = excluded.error`,
    session.id,
    change.index,
    change.status,
    change.remaining,
    change.status === "pending" ? null : tx.now,
    failed ? JSON.stringify(input.error) : null,
    session.id,
    change.index,
  );
}

/** The input that follows from an effect that could not be carried out, or null. */
function apply(tx: Tx, session: SessionUnit, effect: Effect, startAt: number): SessionInput | null {
  switch (effect.type) {
    case "create_task":
      return createTask(tx, session, stepAt(session, effect.step), startAt);
    case "cancel_task": {
      const open = tx.get<{ id: string }>(
        "select id from tasks where session_id = ? and step = ? and status in ('pending', 'running')",
        session.id,
        effect.step,
      );
      if (open !== undefined) cancelTask(tx, open.id, effect.reason);
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

function createTask(tx: Tx, session: SessionUnit, step: PlanStep, startAt: number): SessionInput | null {
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
      id: `task_${tx.context.ids.uuid()}`,
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
  noteSessionEnd(tx, session.id);
  if (session.row.callback_url !== null) enqueueSessionWebhook(tx, session);
}

/** What expressions of this session can read; a step's result is loaded when it is named. */
function scopeOf(tx: Tx, session: SessionUnit): ExpressionScope {
  const { row, plan } = session;
  return {
    input: readStored(row.input),
    steps: { get: (stepId) => stepView(tx, session, plan.byId.get(stepId)) },
    session: { id: row.id, labels: JSON.parse(row.labels) as Record<string, string> },
    trigger: { agentId: row.agent_id },
  };
}

function stepView(tx: Tx, session: SessionUnit, index: number | undefined): StepView | undefined {
  if (index === undefined) return undefined;
  const task =
    session.taskOf(index) ??
    tx.get<{ result: string | null; error: string | null }>(
      "select result, error from tasks where session_id = ? and step = ?",
      session.id,
      index,
    );
  const { status } = session.step(index);
  if (task !== undefined) return { status, result: readStored(task.result), error: readStored(task.error) };
  const own = tx.get<{ error: string | null }>(
    "select error from session_steps where session_id = ? and step = ?",
    session.id,
    index,
  );
  return { status, result: null, error: readStored(own?.error ?? null) };
}
