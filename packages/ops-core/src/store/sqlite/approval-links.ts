import { OpspawnError } from "@opspawn/contract";
import type { ApprovalDecision, ApprovalLink } from "../../domain/approvals/approval.ts";
import { decideApproval } from "./approval-decisions.ts";
import type { Tx } from "./tx.ts";

/** Links of one approval. */
const LINKS_MAX = 100;

interface LinkRow {
  readonly id: string;
  readonly approval_id: string;
  readonly decision: ApprovalLink["decision"];
  readonly hash: string;
  readonly recipient: string;
  readonly key_id: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly used_at: number | null;
}

/** @throws OpspawnError `approval_not_found`, `approval_decided`, `too_many_links` */
export function addLink(tx: Tx, link: ApprovalLink): void {
  const { approvalId } = link;
  const approval = tx.get<{ status: string; session_id: string; links: number }>(
    `select status, session_id, (select count(*) from approval_links where approval_id = approvals.id) as links
      from approvals where id = ?`,
    approvalId,
  );
  if (approval === undefined) throw new OpspawnError("approval_not_found", `Approval not found: ${approvalId}`);
  if (approval.status !== "pending") {
    throw new OpspawnError("approval_decided", `Approval ${approvalId} is ${approval.status} already.`);
  }
  if (approval.links >= LINKS_MAX) {
    throw new OpspawnError("too_many_links", `Approval ${approvalId} has ${LINKS_MAX} links already.`);
  }
  tx.run(
    `insert into approval_links (id, approval_id, decision, hash, recipient, key_id, created_at, expires_at)
      values (?, ?, ?, ?, ?, ?, ?, ?)`,
    link.id,
    approvalId,
    link.decision,
    link.hash,
    link.recipient,
    link.keyId,
    tx.now,
    link.expiresAt,
  );
}

/**
 * Uses a link up and decides by it, or neither.
 * @throws OpspawnError `approval_link_ended`, and what `decideApproval` throws
 */
export function decideByLink(tx: Tx, id: string, decision: ApprovalDecision): string {
  const link = tx.returning<LinkRow>(
    `update approval_links set used_at = ? where id = ? and used_at is null and expires_at > ?
        and (decision = 'any' or decision = ?)
        and not exists (select 1 from keys k where k.id = key_id and (k.revoked_at is not null or k.expires_at <= ?))
      returning *`,
    tx.now,
    id,
    tx.now,
    decision.approved ? "approve" : "reject",
    tx.now,
  );
  if (link === undefined) throw new OpspawnError("approval_link_ended", "This link cannot be used any more.");
  decideApproval(tx, link.approval_id, decision);
  return link.approval_id;
}

export function findLink(db: Pick<Tx, "get">, id: string): ApprovalLink | null {
  const row = db.get<LinkRow>("select * from approval_links where id = ?", id);
  return row === undefined
    ? null
    : {
        id: row.id,
        approvalId: row.approval_id,
        decision: row.decision,
        hash: row.hash,
        recipient: row.recipient,
        keyId: row.key_id,
        expiresAt: row.expires_at,
        usedAt: row.used_at,
      };
}
