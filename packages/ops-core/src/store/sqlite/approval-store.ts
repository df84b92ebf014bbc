import { OpspawnError } from "@opspawn/contract";
import type { Approval } from "../../domain/approvals/approval.ts";
import type { ApprovalStore } from "../../domain/store.ts";
import { type ApprovalRow, decideApproval } from "./approval-decisions.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import type { SqliteContext } from "./store.ts";
import type { Tx } from "./tx.ts";

interface ListedApproval extends ApprovalRow {
  readonly workflow_id: string;
  readonly plan_hash: string;
}

const APPROVALS = "select a.*, s.workflow_id, s.plan_hash from approvals a join sessions s on s.id = a.session_id";

export function approvalStore({ db, writer, tx: { plans } }: SqliteContext): ApprovalStore {
  const record = (row: ListedApproval): Approval => ({
    id: row.id,
    sessionId: row.session_id,
    workflowId: row.workflow_id,
    stepId: plans.get(db, row.plan_hash).steps[row.step]?.id ?? "",
    status: row.status,
    message: row.message,
    details: row.details,
    subjectHash: row.subject_hash,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
    decidedBy: row.decided_by,
    comment: row.comment,
  });
  const find = (from: Pick<Tx, "get">, id: string) => from.get<ListedApproval>(`${APPROVALS} where a.id = ?`, id);
  return {
    decide: (id, decision) =>
      writer.submit("normal", (tx) => {
        decideApproval(tx, id, decision);
        const row = find(tx, id);
        if (row === undefined) throw new OpspawnError("approval_not_found", `Approval not found: ${id}`);
        return record(row);
      }),
    get: async (id) => {
      const row = find(db, id);
      return row === undefined ? null : record(row);
    },
    list: async (page, filter) => {
      const where = new Where();
      if (filter.status !== undefined) where.add("a.status = ?", filter.status);
      if (filter.session !== undefined) where.add("a.session_id = ?", filter.session);
      if (filter.workflow !== undefined) where.add("s.workflow_id = ?", filter.workflow);
      if (page.cursor !== undefined) where.add("a.id < ?", ...decodeCursor(page.cursor, 1));
      const sql = `${APPROVALS} ${where.sql} order by a.id desc limit ?`;
      return toPage(db.all<ListedApproval>(sql, ...where.values, page.limit + 1), page, record, (row) => [row.id]);
    },
  };
}
