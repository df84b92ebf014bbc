import type { Approval, ApprovalStatus } from "../../domain/approvals/approval.ts";
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

/** @param db what its definition is looked up in */
export function toApproval(row: ListedApproval, db: Pick<Tx, "get">, plans: PlanCache): Approval {
  const step = plans.get(db, row.plan_hash).steps[row.step];
  return {
    id: row.id,
    sessionId: row.session_id,
    workflowId: row.workflow_id,
    stepId: step?.id ?? "",
    status: row.status,
    message: row.message,
    details: row.details,
    subjectHash: row.subject_hash,
    approvers: step?.approval?.approvers ?? null,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    reminders: row.reminders,
    remindAt: row.remind_at,
    endedAt: row.ended_at,
    decidedBy: row.decided_by,
    comment: row.comment,
  };
}
