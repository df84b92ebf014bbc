import { OpspawnError } from "@opspawn/contract";
import type { Approval } from "../../domain/approvals/approval.ts";
import type { ApprovalStore } from "../../domain/store.ts";
import { decideApproval } from "./approval-decisions.ts";
import { addLink, decideByLink, findLink } from "./approval-links.ts";
import { APPROVALS, type ListedApproval, toApproval } from "./approval-row.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import type { SqliteContext } from "./store.ts";
import type { Tx } from "./tx.ts";

export function approvalStore({ db, writer, tx: { plans } }: SqliteContext): ApprovalStore {
  const find = (from: Pick<Tx, "get">, id: string): Approval | null => {
    const row = from.get<ListedApproval>(`${APPROVALS} where a.id = ?`, id);
    return row === undefined ? null : toApproval(row, from, plans);
  };
  const needs = (tx: Tx, id: string): Approval => {
    const approval = find(tx, id);
    if (approval === null) throw new OpspawnError("approval_not_found", `Approval not found: ${id}`);
    return approval;
  };
  return {
    decide: (id, decision) =>
      writer.submit("normal", (tx) => {
        decideApproval(tx, id, decision);
        return needs(tx, id);
      }),
    decideByLink: (linkId, decision) => writer.submit("normal", (tx) => needs(tx, decideByLink(tx, linkId, decision))),
    addLink: (link) => writer.submit("normal", (tx) => addLink(tx, link)),
    link: async (id) => findLink(db, id),
    get: async (id) => find(db, id),
    list: async (page, filter) => {
      const where = new Where();
      // As written here it finds the index of those.
      if (filter.status === "pending") where.add("a.status = 'pending'");
      else if (filter.status !== undefined) where.add("a.status = ?", filter.status);
      if (filter.session !== undefined) where.add("a.session_id = ?", filter.session);
      if (filter.workflow !== undefined) where.add("s.workflow_id = ?", filter.workflow);
      if (page.cursor !== undefined) where.add("a.id < ?", ...decodeCursor(page.cursor, 1));
      const sql = `${APPROVALS} ${where.sql} order by a.id desc limit ?`;
      const rows = db.all<ListedApproval>(sql, ...where.values, page.limit + 1);
      return toPage(
        rows,
        page,
        (row) => toApproval(row, db, plans),
        (row) => [row.id],
      );
    },
  };
}
