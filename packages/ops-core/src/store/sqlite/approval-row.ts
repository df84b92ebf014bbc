import type { Approval, ApprovalStatus } from "../../domain/approvals/approval.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import type { PlanCache } from "./plan-cache.ts";
import type { Tx } from "./tx.ts";

export interface ApprovalRow {
  readonly id: string;
  readonly session_id: string;
  readonly step: number;
  readonly status: ApprovalStatus;
  readonly message: string;
  readonly details: string | null;
  readonly subject_hash: string;
  readonly requested_at: number;
  readonly expires_at: number | null;
  readonly reminders: number;
  readonly remind_at: number | null;
  readonly ended_at: number | null;
  readonly decided_by: string | null;
  readonly comment: string | null;
  readonly wake_at: number | null;
  /** The task whose effects it is about; null where it is the step itself. */
  readonly task_id: string | null;
}

export interface ListedApproval extends ApprovalRow {
  readonly workflow_id: string;
  readonly plan_hash: string;
}

/** Approvals, each with what its session says of it. */
export const APPROVALS =
  "select a.*, s.workflow_id, s.plan_hash from approvals a join sessions s on s.id = a.session_id";

/** The earlier one, where there is one. */
export function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** What the definition says of an approval: as a step of its own, or about the effects of a task. */
export function askedBy(
  step: PlanStep | undefined,
  taskId: string | null,
): (Pick<Approval, "approvers"> & Reminding) | null {
  if (taskId === null) return step?.approval ?? null;
  const policy = step?.onUncertain;
  if (policy?.kind === "ask") return policy.question;
  return policy?.kind === "verify" ? policy.check.otherwise : null;
}

interface Reminding {
  readonly remindEvery: number | null;
}

/** @param db what its definition is looked up in */
export function toApproval(row: ListedApproval, db: Pick<Tx, "get">, plans: PlanCache): Approval {
  const step = plans.get(db, row.plan_hash).steps[row.step];
  return {
    id: row.id,
    sessionId: row.session_id,
    workflowId: row.workflow_id,
    stepId: step?.id ?? "",
    taskId: row.task_id,
    status: row.status,
    message: row.message,
    details: row.details,
    subjectHash: row.subject_hash,
    approvers: askedBy(step, row.task_id)?.approvers ?? null,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    reminders: row.reminders,
    remindAt: row.remind_at,
    endedAt: row.ended_at,
    decidedBy: row.decided_by,
    comment: row.comment,
  };
}
