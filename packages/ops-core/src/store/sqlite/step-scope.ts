import type { JsonValue } from "@opspawn/contract";
import type { ExpressionScope, StepView } from "../../domain/expressions/scope.ts";
import { readStored } from "../../domain/stored-json.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import type { SessionUnit } from "./session-unit.ts";
import { itemErrors, itemOf } from "./step-items.ts";
import type { Tx } from "./tx.ts";

/** The run of a step whose expressions are evaluated. */
export interface Place {
  readonly step: PlanStep;
  readonly part: number;
}

/** What expressions of this session can read; a step's result is loaded when it is named. */
export function scopeOf(tx: Tx, session: SessionUnit, place?: Place): ExpressionScope {
  const { row, plan } = session;
  return {
    get input() {
      return readStored(session.input);
    },
    steps: {
      get: (stepId) => {
        const step = plan.steps[plan.byId.get(stepId) ?? -1];
        if (step === undefined) return undefined;
        return step === place?.step ? ownView(tx, session, step) : stepView(tx, session, step);
      },
    },
    session: { id: row.id, labels: JSON.parse(row.labels) as Record<string, string> },
    trigger: { agentId: row.agent_id },
    ...placeScope(tx, session, place),
  };
}

function placeScope(tx: Tx, session: SessionUnit, place: Place | undefined): Partial<ExpressionScope> {
  if (place === undefined) return {};
  const { step, part } = place;
  if (step.forEach !== null) return { item: itemOf(tx, session.id, step.index, part), index: part };
  return step.repeat === null ? {} : { iteration: part };
}

/** A step that reads itself sees what its last run brought: in a loop, and when it is undone. */
function ownView(tx: Tx, session: SessionUnit, step: PlanStep): StepView {
  if (step.repeat === null) return stepView(tx, session, step);
  const last = lastRun(tx, session.id, step);
  return { status: session.step(step.index).status, result: readStored(last?.result ?? null), error: null };
}

function stepView(tx: Tx, session: SessionUnit, step: PlanStep): StepView {
  const standIn = standInOf(session, step);
  if (standIn !== undefined) return { ...stepView(tx, session, standIn), status: session.step(step.index).status };
  const { status } = session.step(step.index);
  const done = status === "completed" || status === "compensated";
  if (step.forEach !== null) return itemsView(tx, session, step, status);
  const run = runOf(tx, session, step);
  // What it failed of as a step says more than what its run did.
  const own = run === undefined || !done ? ownRow(tx, session, step.index) : undefined;
  return {
    status,
    result: done ? readStored(run?.result ?? own?.result ?? null) : null,
    error: done ? null : readStored(own?.error ?? run?.error ?? null),
  };
}

/** The step whose result counts as this one's, since it stood in for it. */
function standInOf(session: SessionUnit, step: PlanStep): PlanStep | undefined {
  if (step.reserves.fallback === null) return undefined;
  const { status } = session.step(step.reserves.fallback);
  return status === "completed" || status === "compensated" ? session.plan.steps[step.reserves.fallback] : undefined;
}

interface Outcome {
  readonly result: string | null;
  readonly error: string | null;
}

function runOf(tx: Tx, session: SessionUnit, step: PlanStep): Outcome | undefined {
  switch (step.kind) {
    case "agent":
    case "tool":
    case "workflow":
      return step.repeat === null
        ? (session.taskOf(step.index) ?? firstRun(tx, session.homeOf(step.index), step))
        : lastRun(tx, session.homeOf(step.index), step);
    default:
      return undefined;
  }
}

function firstRun(tx: Tx, sessionId: string, step: PlanStep): Outcome | undefined {
  return tx.get<Outcome>(`select result, error from ${runsOf(step)} and part = 0`, sessionId, step.index);
}

function lastRun(tx: Tx, sessionId: string, step: PlanStep): Outcome | undefined {
  const sql = `select result, error from ${runsOf(step)} and status = 'completed' order by part desc limit 1`;
  return tx.get<Outcome>(sql, sessionId, step.index);
}

/** Where the runs of a step are: tasks, or sessions of their own. */
function runsOf(step: PlanStep): string {
  return step.kind === "workflow"
    ? "(select parent_part as part, status, result, error, parent_id, parent_step from sessions) where parent_id = ? and parent_step = ?"
    : "tasks where session_id = ? and step = ? and undoes = 0";
}

function ownRow(tx: Tx, session: SessionUnit, index: number): Outcome | undefined {
  const sql = "select result, error from session_steps where session_id = ? and step = ?";
  return tx.get<Outcome>(sql, session.homeOf(index), index);
}

function itemsView(tx: Tx, session: SessionUnit, step: PlanStep, status: string): StepView {
  const total = session.step(step.index).items?.total ?? 0;
  const done = status === "completed" || status === "compensated";
  return {
    status,
    // Its result is the list.
    result: null,
    get results() {
      return list(total, itemResults(tx, session.homeOf(step.index), step));
    },
    get errors() {
      return list(total, itemErrors(tx, session.homeOf(step.index), step.index));
    },
    get error() {
      return done ? null : readStored(ownRow(tx, session, step.index)?.error ?? null);
    },
  };
}

interface Part {
  readonly part: number;
  readonly value: string | null;
}

/** A session may complete with a result that its step refuses. */
function itemResults(tx: Tx, sessionId: string, step: PlanStep): Part[] {
  const sql = `select part, result as value from ${runsOf(step)} and status = 'completed' and not exists (select 1
    from step_items i where i.session_id = ? and i.step = ? and i.item = part and i.error is not null)`;
  const own = tx.all<Part>(sql, sessionId, step.index, sessionId, step.index);
  return [...own, ...tx.all<Part>(step.kind === "workflow" ? TAKEN_CHILDREN : TAKEN_TASKS, sessionId, step.index)];
}

/** The results of items that were done in another session. */
const TAKEN_TASKS = `select i.item as part, t.result as value from step_items i join tasks t on t.session_id = i.source
    and t.step = i.step and t.part = i.item and t.undoes = 0
  where i.session_id = ? and i.step = ? and i.source is not null`;
const TAKEN_CHILDREN = `select i.item as part, c.result as value from step_items i join sessions c
    on c.parent_id = i.source and c.parent_step = i.step and c.parent_part = i.item
  where i.session_id = ? and i.step = ? and i.source is not null`;

function list(total: number, parts: readonly Part[]): JsonValue[] {
  const values = new Array<JsonValue>(total).fill(null);
  for (const { part, value } of parts) values[part] = readStored(value);
  return values;
}
