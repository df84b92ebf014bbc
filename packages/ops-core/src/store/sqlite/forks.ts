import { OpspawnError } from "@opspawn/contract";
import type { ForkSession, SessionRecord } from "../../domain/sessions/session.ts";
import { type EndedStep, keptSteps } from "../../domain/workflows/kept-steps.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import { drainInbox } from "./session-advance.ts";
import { toSessionRecord } from "./session-row.ts";
import { openSession } from "./session-start.ts";
import type { SessionUnit } from "./session-unit.ts";
import { needSession } from "./sessions.ts";
import { type StepRow, stepRows, toStep } from "./steps.ts";
import type { Tx } from "./tx.ts";

/**
 * Begins a session where another one got to. What that one did is referred to and not copied, but for the lists of which
 * some items are left.
 * @throws OpspawnError `session_not_found`, `session_open`, `session_completed`, `step_not_finished`
 */
export function forkSession(tx: Tx, fork: ForkSession): SessionRecord {
  const source = needSession(tx, fork.sourceId);
  checkSource(source, fork.from);
  const { row, plan } = source;
  const steps = stepsOf(tx, source.id);
  const { from } = fork;
  if (from !== null) needFinished(steps, from, plan.steps[from]?.id ?? String(from));
  const kept = keptSteps(plan, endedSteps(tx, source.id, steps), from);
  const session = openSession(
    tx,
    {
      id: fork.sessionId,
      workflowId: row.workflow_id,
      workflowVersion: row.workflow_version,
      planHash: row.plan_hash,
      agentId: row.agent_id,
      labels: fork.labels ?? (JSON.parse(row.labels) as Record<string, string>),
      input: fork.input === undefined ? source.input : fork.input,
      callbackUrl: row.callback_url,
      priority: row.priority,
      parent: null,
      fork: { source: source.id, from: from === null ? null : (plan.steps[from]?.id ?? null), kept, steps },
    },
    tx.now,
  );
  for (const [index, { how }] of kept) if (how === "items") takeItems(tx, session, source, plan.steps[index]);
  if (fork.parameters !== undefined && from !== null) {
    const sql = "insert into fork_parameters (session_id, step, parameters) values (?, ?, ?)";
    tx.run(sql, session.id, from, fork.parameters);
  }
  drainInbox(tx);
  return toSessionRecord(session.row);
}

function checkSource({ id, row, status }: SessionUnit, from: number | null): void {
  if (row.ended_at === null) {
    throw new OpspawnError(
      "session_open",
      `Session ${id} is ${status}; what it does is not taken over before its end.`,
    );
  }
  if (from === null && status === "completed") {
    throw new OpspawnError("session_completed", `Session ${id} is completed; fork it from the step to do again.`);
  }
}

function stepsOf(tx: Tx, sessionId: string): ReadonlyMap<number, StepRow> {
  return new Map(stepRows(tx, sessionId).map((row) => [row.step, row]));
}

function needFinished(steps: ReadonlyMap<number, StepRow>, from: number, stepId: string): void {
  const status = steps.get(from)?.status ?? "pending";
  if (status !== "pending") return;
  throw new OpspawnError("step_not_finished", `Step \`${stepId}\` never began; fork from one that did, or retry.`);
}

/** What was to be undone does not count as done, whatever came of that. */
function endedSteps(tx: Tx, sessionId: string, steps: ReadonlyMap<number, StepRow>): (index: number) => EndedStep {
  const sql = "select distinct step from compensations where session_id = ?";
  const undone = new Set(tx.all<{ step: number }>(sql, sessionId).map(({ step }) => step));
  return (index) => {
    const row = steps.get(index);
    if (row === undefined) return { status: "pending", error: null, total: null };
    const { status, error } = toStep(row);
    return { status: undone.has(index) ? "compensated" : status, error, total: row.total };
  };
}

/** Whether the run of item `i` is done, in the session whose item it is. */
const DONE = {
  task: `select 1 from tasks t where t.session_id = i.session_id and t.step = i.step and t.part = i.item
    and t.undoes = 0 and t.status = 'completed'`,
  child: `select 1 from sessions c where c.parent_id = i.session_id and c.parent_step = i.step
    and c.parent_part = i.item and c.status = 'completed'`,
};

/** The list stays what it was, and with it which item is which. */
function takeItems(tx: Tx, session: SessionUnit, source: SessionUnit, step: PlanStep | undefined): void {
  if (step === undefined) return;
  const done = step.kind === "workflow" ? DONE.child : DONE.task;
  tx.run(
    `insert into step_items (session_id, step, item, value, source) select ?, i.step, i.item, i.value,
        coalesce(i.source, case when i.error is null and exists (${done}) then i.session_id end)
      from step_items i where i.session_id = ? and i.step = ?`,
    session.id,
    source.id,
    step.index,
  );
}
