import { OpspawnError, stringifyJson } from "@opspawn/contract";
import { readStored } from "../../domain/stored-json.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import { childRefusal } from "../../domain/workflows/child-depth.ts";
import { checkInput, checkResult, evaluatedParameters } from "../../domain/workflows/data.ts";
import type { PlanStep, WorkflowPlan } from "../../domain/workflows/plan.ts";
import type { StoredWorkflow } from "../../domain/workflows/stored.ts";
import { wantsAgent } from "../../domain/workflows/targets.ts";
import { beginPaused } from "./pause-mark.ts";
import { openSession } from "./session-start.ts";
import { SessionUnit } from "./session-unit.ts";
import { refusal, stepFailed } from "./step-failure.ts";
import { scopeOf } from "./step-scope.ts";
import type { Tx } from "./tx.ts";
import { findWorkflow } from "./workflows.ts";

/** Starts the session that a step consists of; it begins with what its parent knows of agents and labels. */
export function startChild(
  tx: Tx,
  parent: SessionUnit,
  step: PlanStep,
  part: number,
  from: number,
): SessionInput | null {
  try {
    const workflow = childWorkflow(tx, parent, step);
    const input = evaluatedParameters(parent.plan, step, scopeOf(tx, parent, { step, part }));
    const plan = tx.context.plans.get(tx, workflow.hash);
    checkChildInput(plan, input);
    if (parent.row.agent_id === null) checkChildTargets(plan);
    const child = openSession(
      tx,
      {
        id: tx.context.ids.uuid(),
        workflowId: workflow.id,
        workflowVersion: workflow.version,
        planHash: workflow.hash,
        agentId: parent.row.agent_id,
        labels: JSON.parse(parent.row.labels) as Record<string, string>,
        input: input === null ? null : stringifyJson(input),
        callbackUrl: null,
        priority: parent.row.priority,
        parent: { id: parent.id, step: step.index, part, depth: parent.row.depth },
      },
      from + (part === 0 ? 0 : (step.repeat?.delay ?? 0)),
      step.deadline,
    );
    beginPaused(child, parent);
    parent.event("session.child_started", { stepId: step.id, part, sessionId: child.id, workflowId: workflow.id });
    // Whoever asks for its row from now on shall find it.
    child.flush(tx);
    return null;
  } catch (error) {
    return stepFailed(step, part, error);
  }
}

function childWorkflow(tx: Tx, parent: SessionUnit, step: PlanStep): StoredWorkflow {
  if (step.workflow === null) throw new Error(`step ${step.id} has no workflow`);
  const { id, version } = step.workflow;
  const refused = childRefusal(parent.row.depth + 1);
  if (refused !== null) throw new OpspawnError("nesting_too_deep", refused.message);
  const workflow = findWorkflow(tx, id, version);
  if (workflow !== undefined) return workflow;
  const what = version === null ? `\`${id}\`` : `\`${id}\` version "${version}"`;
  throw new OpspawnError(
    "workflow_not_found",
    `Workflow ${what} is not known. Apply it, then start the session again.`,
  );
}

function checkChildInput(plan: WorkflowPlan, input: Parameters<typeof checkInput>[1]): void {
  const issues = checkInput(plan, input);
  const [first] = issues;
  if (first === undefined) return;
  const path = ["workflow", "input", ...first.loc].join(".");
  throw new OpspawnError("input_invalid", `${path}: ${first.msg} (workflow \`${plan.id}\`)`, { issues });
}

function checkChildTargets(plan: WorkflowPlan): void {
  const open = plan.steps.find(wantsAgent);
  if (open === undefined) return;
  const message = `Step \`${open.id}\` of workflow \`${plan.id}\` names no agent or capability, and the session has no agent.`;
  throw new OpspawnError("no_target", message);
}

/** Tells the step that started a session how that ended. */
export function tellParent(tx: Tx, child: SessionUnit): void {
  const { parent_id: id, parent_step: index, parent_part: part } = child.row;
  const parent = id === null ? undefined : SessionUnit.load(tx, id);
  const step = parent?.plan.steps[index ?? -1];
  if (parent === undefined || step === undefined) return;
  // What the parent reads of its child it reads from the row.
  child.flush(tx);
  tx.inbox.push({ session: parent, input: childOutcome(child, step, part ?? 0), startAt: tx.now });
}

function childOutcome(child: SessionUnit, step: PlanStep, part: number): SessionInput {
  const failed = (error: TaskError): SessionInput => ({ type: "step_failed", step: step.index, part, error });
  if (child.status !== "completed") {
    const error = JSON.parse(child.row.error ?? "null") as TaskError | null;
    const why = error === null ? "" : `: ${error.message}`;
    const ended = child.status === "cancelled" ? "was cancelled" : "failed";
    return failed({
      code: child.status === "cancelled" ? "child_cancelled" : "child_failed",
      message: `Session ${child.id} of workflow \`${child.row.workflow_id}\` ${ended}${why}`,
      retryable: false,
      ...(error?.uncertain === true ? { uncertain: true as const } : {}),
    });
  }
  try {
    checkResult(step, readStored(child.row.result));
    return { type: "step_completed", step: step.index, part };
  } catch (error) {
    return failed(refusal(error));
  }
}

/** Cancels the sessions that a step has under way, and theirs. */
export function cancelChildren(tx: Tx, parentId: string, step: number, reason: string): void {
  const open = tx.all<{ id: string }>(
    "select id from sessions where parent_id = ? and parent_step = ? and ended_at is null",
    parentId,
    step,
  );
  for (const { id } of open) {
    const child = SessionUnit.load(tx, id);
    if (child !== undefined) tx.inbox.push({ session: child, input: { type: "cancel", reason }, startAt: tx.now });
  }
}
