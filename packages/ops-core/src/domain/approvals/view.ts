import { type ApprovalView, formatTime, OpspawnError } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import { blockedView, timeOrNull } from "../blocked-view.ts";
import type { ApprovalStore } from "../store.ts";
import { readStored } from "../stored-json.ts";
import type { Approval } from "./approval.ts";
import { namesOf } from "./deciders.ts";

/** @throws OpspawnError `approval_not_found` */
export async function needApproval(approvals: ApprovalStore, id: string): Promise<Approval> {
  const approval = await approvals.get(id);
  if (approval === null) throw new OpspawnError("approval_not_found", `Approval not found: ${id}`);
  return approval;
}

export function approvalView(approval: Approval): ApprovalView {
  return {
    approvalId: approval.id,
    sessionId: approval.sessionId,
    workflowId: approval.workflowId,
    stepId: approval.stepId,
    kind: approval.taskId === null ? "step" : "effect",
    taskId: approval.taskId,
    status: approval.status,
    message: approval.message,
    details: readStored(approval.details),
    subjectHash: approval.subjectHash,
    approvers: approval.approvers === null ? null : [...approval.approvers],
    requestedAt: formatTime(approval.requestedAt),
    expiresAt: timeOrNull(approval.expiresAt),
    reminders: approval.reminders,
    nextReminderAt: timeOrNull(approval.remindAt),
    endedAt: timeOrNull(approval.endedAt),
    decidedBy: approval.decidedBy,
    comment: approval.comment,
    blocked: blockedView(approvalBlock(approval)),
  };
}

/** What a pending approval waits for: somebody who may decide. */
export function approvalBlock({
  id,
  status,
  approvers,
  requestedAt,
  expiresAt,
  stepId,
  taskId,
  reminders,
}: Approval): Blocked | null {
  if (status !== "pending") return null;
  const who = approvers === null ? "Somebody with `approvals:write`" : `A key named ${namesOf(approvers)}`;
  const until = expiresAt === null ? "" : `, before ${formatTime(expiresAt)}`;
  const again = reminders === 0 ? "" : ` It was asked again ${reminders === 1 ? "once" : `${reminders} times`}.`;
  return {
    reason: "waiting_for_decision",
    message: `${who} has to ${taskId === null ? "approve or reject it" : "say whether it happened"}${until}.${again}`,
    since: requestedAt,
    details: { stepId, approvalId: id, ...(approvers === null ? {} : { approvers: [...approvers] }) },
  };
}

/** The same in sentences, and how it ended when it has. */
export function explainApproval(approval: Approval): string[] {
  const { status, sessionId, expiresAt, remindAt, endedAt, decidedBy } = approval;
  const blocked = approvalBlock(approval);
  if (blocked === null) {
    const by = decidedBy === null ? "" : ` by ${decidedBy}`;
    return [`It was ${status}${by}${endedAt === null ? "" : ` at ${formatTime(endedAt)}`}.`];
  }
  const sentences = [`Session ${sessionId} waits for it. ${blocked.message}`];
  if (remindAt !== null) sentences.push(`It is asked again at ${formatTime(remindAt)}.`);
  if (expiresAt !== null) sentences.push(`When nobody has decided by ${formatTime(expiresAt)}, it expires.`);
  return sentences;
}
