import { formatTime, type JsonObject, OpspawnError, stringifyJson } from "@opspawn/contract";
import type { ApprovalDecision } from "../../domain/approvals/approval.ts";
import { advanceSession } from "./session-advance.ts";
import { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";

export interface ApprovalRow {
  readonly id: string;
  readonly session_id: string;
  readonly step: number;
  readonly status: "pending" | "approved" | "rejected" | "expired" | "cancelled";
  readonly message: string;
  readonly details: string | null;
  readonly subject_hash: string;
  readonly requested_at: number;
  readonly expires_at: number | null;
  readonly ended_at: number | null;
  readonly decided_by: string | null;
  readonly comment: string | null;
  readonly wake_at: number | null;
}

/**
 * A decision is final in the transaction that answers it: its timer is disarmed, and the session goes on, all at once.
 * The same decision by the same person again changes nothing.
 * @throws OpspawnError `approval_not_found`, `approval_decided`, `approval_stale`
 */
export function decideApproval(tx: Tx, id: string, decision: ApprovalDecision): void {
  const row = tx.get<ApprovalRow>("select * from approvals where id = ?", id);
  if (row === undefined) throw new OpspawnError("approval_not_found", `Approval not found: ${id}`);
  if (decision.subjectHash !== undefined && decision.subjectHash !== row.subject_hash) {
    throw new OpspawnError("approval_stale", "What is to be approved is not what was shown. Look at it again.");
  }
  const status = decision.approved ? "approved" : "rejected";
  if (row.status !== "pending") {
    if (row.status === status && row.decided_by === decision.by) return;
    throw new OpspawnError("approval_decided", `Approval ${id} is ${row.status} already.`);
  }
  const { by, comment } = decision;
  endApproval(tx, row, status, { by, comment });
  const data: JsonObject = { approved: decision.approved, by, comment, at: formatTime(tx.now) };
  const session = need(tx, row);
  session.event(`approval.${status}`, { approvalId: id, stepId: stepId(session, row), by });
  if (decision.approved) {
    session.giveResult(row.step, stringifyJson(data));
    advanceSession(tx, session, { type: "step_completed", step: row.step, part: 0 });
    return;
  }
  const said = comment === null ? "" : `: ${comment}`;
  refuse(tx, session, row, "rejected", `${by} rejected it${said}`);
}

/** Nobody decided in time. */
export function expireApproval(tx: Tx, id: string): void {
  const row = tx.get<ApprovalRow>(
    "select * from approvals where id = ? and status = 'pending' and wake_at <= ?",
    id,
    tx.now,
  );
  if (row === undefined) return;
  const session = need(tx, row);
  endApproval(tx, row, "expired", { by: null, comment: null });
  session.event("approval.expired", { approvalId: id, stepId: stepId(session, row) });
  const rejects = session.plan.steps[row.step]?.approval?.onTimeout === "reject";
  refuse(tx, session, row, rejects ? "rejected" : "expired", "Nobody decided in time.");
}

function refuse(
  tx: Tx,
  session: SessionUnit,
  { step }: ApprovalRow,
  role: "rejected" | "expired",
  message: string,
): void {
  const error = { code: role, message, retryable: false };
  advanceSession(tx, session, { type: "step_refused", step, role, error });
}

function endApproval(
  tx: Tx,
  { id }: ApprovalRow,
  status: "approved" | "rejected" | "expired",
  { by, comment }: { by: string | null; comment: string | null },
): void {
  tx.run(
    `update approvals set status = ?, ended_at = ?, decided_by = ?, comment = ?, wake_at = null
      where id = ? and status = 'pending'`,
    status,
    tx.now,
    by,
    comment,
    id,
  );
}

function need(tx: Tx, row: ApprovalRow): SessionUnit {
  const session = SessionUnit.load(tx, row.session_id);
  if (session === undefined) throw new Error(`approval ${row.id} has no session`);
  return session;
}

function stepId(session: SessionUnit, row: ApprovalRow): string | null {
  return session.plan.steps[row.step]?.id ?? null;
}
