import { type JsonObject, stringifyJson } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import { type Stopping, stoppingBlock } from "../../domain/sessions/waiting.ts";
import { DEFAULT_TASK_DEADLINE } from "../../domain/tasks/retry.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import type { Compensation, PlanStep } from "../../domain/workflows/plan.ts";
import { compensationParameters } from "../../domain/workflows/step-values.ts";
import { addTask } from "./add-task.ts";
import { requirementOf } from "./plan-cache.ts";
import type { SessionUnit } from "./session-unit.ts";
import { refusal } from "./step-failure.ts";
import { scopeOf } from "./step-scope.ts";
import { newTaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** A run that was done, or may have been. */
interface Run {
  readonly step: PlanStep;
  readonly compensation: Compensation;
  readonly part: number;
  readonly known: boolean;
  readonly begunAt: number;
  readonly endedAt: number;
}

/** How often what was told to stop in other sessions goes first. */
const MOST_ABOVE = 16;

const OPEN_BELOW = `with recursive below (id) as (select :session
    union all select s.id from below join sessions s on s.parent_id = below.id)
  select 1 from below join cancellations c on c.session_id = below.id where c.wake_at is not null limit 1`;

/** Whether it is still waited for somebody who may be at a task of a session, or of one within it. */
export function hasOpenCancellation(tx: Pick<Tx, "get">, sessionId: string): boolean {
  return tx.get(OPEN_BELOW, { session: sessionId }) !== undefined;
}

const STOPPING = `with recursive below (id) as (select :session
    union all select s.id from below join sessions s on s.parent_id = below.id)
  select count(*) over () as open, min(c.requested_at) over () as since, c.wake_at as until,
    coalesce(c.agent_name, c.tool) as name
  from below join cancellations c on c.session_id = below.id where c.wake_at is not null order by c.wake_at desc limit 1`;

/** Why a session that is to undo what it did has not begun to; null when that is not so. */
export function stoppingOf(db: Pick<Tx, "get">, row: SessionUnit["row"]): Blocked | null {
  if (row.undo_total !== 0 || row.ended_at !== null) return null;
  const stopping = db.get<Stopping>(STOPPING, { session: row.id });
  return stopping === undefined ? null : stoppingBlock(stopping);
}

/**
 * Undoes what a session did once those who may still be at work for it have stopped, or are given up. What was told to
 * stop in sessions of its own stops first: that is what is to be undone.
 */
export function undoWhenStopped(tx: Tx, session: SessionUnit, startAt: number, turns = MOST_ABOVE): void {
  const input = (): SessionInput | null => {
    if (turns > 0 && tx.inbox.length > 0) {
      undoWhenStopped(tx, session, startAt, turns - 1);
      return null;
    }
    if (!hasOpenCancellation(tx, session.id)) return planUndoing(tx, session);
    // Its deadline is behind it; the cancellations have times of their own.
    session.change({ wake_at: null });
    return null;
  };
  tx.inbox.push({ session, input, startAt });
}

/**
 * Lists what is to be undone, the last thing done first, and fixes the list. A step of which nobody knows whether it was
 * done is undone only if its author says that this does no harm; else it is reported.
 */
export function planUndoing(tx: Tx, session: SessionUnit): SessionInput {
  // It ends by undoing now, however long that takes.
  session.change({ wake_at: null });
  const runs = session.plan.steps.flatMap((step) => runsOf(tx, session.id, step));
  const depths = new Depths(session.plan.steps);
  const order = (a: Run, b: Run) =>
    b.endedAt - a.endedAt ||
    b.begunAt - a.begunAt ||
    depths.of(b.step) - depths.of(a.step) ||
    b.step.index - a.step.index ||
    b.part - a.part;
  const undone = runs.filter((run) => run.known || run.compensation.whenUnknown === "run").sort(order);
  for (const [n, { step, part }] of undone.entries()) {
    tx.run(
      "insert into compensations (session_id, n, step, part, status) values (?, ?, ?, ?, 'pending')",
      session.id,
      n,
      step.index,
      part,
    );
  }
  const left = runs.filter((run) => !undone.includes(run));
  const uncertain = [...new Set(left.map(({ step }) => step.index))];
  const data = { steps: undone.length, uncertain: uncertain.length };
  session.event(
    "session.compensating",
    session.row.forked_from === null ? data : { ...data, taken: taken(tx, session) },
  );
  return { type: "undoing_planned", total: undone.length, uncertain };
}

/** Steps that could be undone, but were done by another session: that is not this one's to undo. */
function taken(tx: Tx, { id, plan }: SessionUnit): number {
  const sql = "select step from session_steps where session_id = ? and source is not null and status = 'completed'";
  return tx.all<{ step: number }>(sql, id).filter(({ step }) => plan.steps[step]?.compensation != null).length;
}

interface RunRow {
  readonly part: number;
  readonly completed: number;
  readonly doubtful: number;
  readonly begun_at: number;
  readonly ended_at: number;
}

/** How attempts end of which nobody knows what came of them. */
const SILENT = "'timed_out', 'lost', 'cancelled'";

/** A task that failed for a reason its agent gave was not done, but for what it announced; one of a silent agent may be. */
const TASK_RUNS = `select t.part, t.status = 'completed' as completed, t.open_effects > 0
      or t.attempt_status in (${SILENT}) or exists (select 1
      from past_attempts a where a.task_id = t.id and a.status in (${SILENT})) as doubtful,
    t.created_at as begun_at, t.ended_at from tasks t
  where t.session_id = ? and t.step = ? and t.undoes = 0 and t.ended_at is not null
    and not exists (select 1 from doubts d where d.task_id = t.id and d.answer = 'undone')`;
const CHILD_RUNS = `select parent_part as part, status = 'completed' as completed, status = 'cancelled' as doubtful,
    created_at as begun_at, ended_at from sessions
  where parent_id = ? and parent_step = ? and ended_at is not null`;

function runsOf(tx: Tx, sessionId: string, step: PlanStep): Run[] {
  const { compensation } = step;
  if (compensation === null) return [];
  const rows = tx.all<RunRow>(step.kind === "workflow" ? CHILD_RUNS : TASK_RUNS, sessionId, step.index);
  const runs = rows
    .filter((row) => row.completed === 1 || row.doubtful === 1)
    .map((row): Run => {
      const { part, begun_at: begunAt, ended_at: endedAt } = row;
      return { step, compensation, part, known: row.completed === 1, begunAt, endedAt };
    });
  return step.repeat === null ? runs : asOneRun(runs, rows);
}

/** A loop is undone as a whole; one that broke off is half done. */
function asOneRun(runs: readonly Run[], rows: readonly RunRow[]): Run[] {
  const last = runs.toSorted((a, b) => a.part - b.part).at(-1);
  if (last === undefined) return [];
  return [{ ...last, known: rows.every((row) => row.completed === 1) }];
}

/** How many steps lie before a step, on the longest way: between steps of one instant this tells which came first. */
class Depths {
  readonly #steps: readonly PlanStep[];
  readonly #known = new Map<number, number>();

  constructor(steps: readonly PlanStep[]) {
    this.#steps = steps;
  }

  of(step: PlanStep): number {
    const known = this.#known.get(step.index);
    if (known !== undefined) return known;
    const before = step.dependsOn.flatMap((index) => this.#steps[index] ?? []);
    const depth = Math.max(-1, ...before.map((each) => this.of(each))) + 1;
    this.#known.set(step.index, depth);
    return depth;
  }
}

interface CompensationRow {
  readonly n: number;
  readonly step: number;
  readonly part: number;
}

/** Begins to undo one run. */
export function undo(tx: Tx, session: SessionUnit, n: number): SessionInput | null {
  const row = tx.get<CompensationRow>(
    "select n, step, part from compensations where session_id = ? and n = ?",
    session.id,
    n,
  );
  const step = session.plan.steps[row?.step ?? -1];
  if (row === undefined || step === undefined || step.compensation === null) {
    throw new Error(`nothing is known of compensation ${n} of session ${session.id}`);
  }
  const { compensation } = step;
  try {
    const scope = scopeOf(tx, session, { step, part: row.part });
    const parameters = stringifyJson(compensationParameters(step, scope));
    addTask(tx, undoingTask(tx, session, { step, compensation, part: row.part, parameters }));
    return null;
  } catch (error) {
    return noteUndone(tx, session, row, refusal(error));
  }
}

interface Undo {
  readonly step: PlanStep;
  readonly compensation: Compensation;
  readonly part: number;
  readonly parameters: string;
}

function undoingTask(tx: Tx, session: SessionUnit, { step, compensation, part, parameters }: Undo) {
  return newTaskRow(
    {
      id: `task_${tx.context.ids.uuid()}`,
      name: `undo ${step.name}`,
      sessionId: session.id,
      step: step.index,
      stepId: step.id,
      part,
      undoes: 1,
      requirement: requirementOf(compensation, session.row.agent_id, step.id),
      orderKey: session.nextOrderKey(tx.now, step.priority),
      readyAt: tx.now,
      deadline: tx.now + (compensation.deadline ?? DEFAULT_TASK_DEADLINE),
      policy: { retry: compensation.retry, fallback: null, timeout: compensation.timeout },
      parameters,
    },
    tx.now,
  );
}

/** A task that undoes something has ended. */
export function undoingEnded(
  tx: Tx,
  session: SessionUnit,
  step: number,
  part: number,
  error: TaskError | null,
): SessionInput | null {
  const row = tx.get<CompensationRow>(
    "select n, step, part from compensations where session_id = ? and step = ? and part = ? and status = 'pending'",
    session.id,
    step,
    part,
  );
  return row === undefined ? null : noteUndone(tx, session, row, error);
}

function noteUndone(tx: Tx, session: SessionUnit, row: CompensationRow, error: TaskError | null): SessionInput {
  tx.run(
    "update compensations set status = ?, error = ? where session_id = ? and n = ?",
    error === null ? "completed" : "failed",
    error === null ? null : JSON.stringify(error),
    session.id,
    row.n,
  );
  const left = tx.get(
    "select 1 from compensations where session_id = ? and step = ? and status in ('pending', 'failed') limit 1",
    session.id,
    row.step,
  );
  const data: JsonObject = { stepId: session.plan.steps[row.step]?.id ?? null, part: row.part };
  if (error === null) session.event("step.undone", data);
  else session.event("step.not_undone", { ...data, error: { ...error } });
  const restored = left === undefined && !leavesDoubt(tx, session, row.step);
  return { type: "undone", n: row.n, step: row.step, failed: error !== null, restored };
}

/** Whether the step had runs that were left as they are, because nobody knows of them. */
function leavesDoubt(tx: Tx, session: SessionUnit, index: number): boolean {
  const step = session.plan.steps[index];
  const sql = "select count(*) as count from compensations where session_id = ? and step = ?";
  const planned = tx.get<{ count: number }>(sql, session.id, index)?.count ?? 0;
  return step !== undefined && runsOf(tx, session.id, step).length > planned;
}
