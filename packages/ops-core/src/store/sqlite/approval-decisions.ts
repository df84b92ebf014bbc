import { formatTime, type JsonObject, OpspawnError, stringifyJson } from "@opspawn/contract";
import type { ApprovalDecision } from "../../domain/approvals/approval.ts";
import { nextReminder } from "../../domain/approvals/reminders.ts";
import { readStored } from "../../domain/stored-json.ts";
import { checkResult } from "../../domain/workflows/data.ts";
import { tellOfApproval, withdrawNews } from "./approval-news.ts";
import { type ApprovalRow, askedBy, earlier } from "./approval-row.ts";
import { advanceSession } from "./session-advance.ts";
import { SessionUnit } from "./session-unit.ts";
import { type Answer, answerDoubt } from "./task-failure.ts";
import { loadTask } from "./task-row.ts";
import type { Tx } from "./tx.ts";

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
  const session = need(tx, row);
  if (row.task_id !== null) checkGiven(session, row, decision);
  endApproval(tx, session, row, status, { by, comment });
  const data: JsonObject = { approved: decision.approved, by, comment, at: formatTime(tx.now) };
  session.event(`approval.${status}`, { approvalId: id, stepId: stepId(session, row), by });
  if (row.task_id !== null) {
    const { result = null } = decision;
    settle(tx, row.task_id, decision.approved ? { type: "happened", by: "person", result } : NOT_HAPPENED);
    return;
  }
  if (decision.approved) {
    session.giveResult(row.step, stringifyJson(data));
    advanceSession(tx, session, { type: "step_completed", step: row.step, part: 0 });
    return;
  }
  const said = comment === null ? "" : `: ${comment}`;
  refuse(tx, session, row, "rejected", `${by} rejected it${said}`);
}

/** Its time is over, or it is to be asked again; what is both is over. */
export function wakeApproval(tx: Tx, id: string): void {
  const due = "select * from approvals where id = ? and status = 'pending' and wake_at <= ?";
  const row = tx.get<ApprovalRow>(due, id, tx.now);
  if (row === undefined) return;
  if (row.expires_at !== null && row.expires_at <= tx.now) expire(tx, row);
  else remind(tx, row);
}

/** Nobody decided in time. */
function expire(tx: Tx, row: ApprovalRow): void {
  const session = need(tx, row);
  endApproval(tx, session, row, "expired", { by: null, comment: null });
  session.event("approval.expired", { approvalId: row.id, stepId: stepId(session, row) });
  if (row.task_id !== null) {
    settle(tx, row.task_id, { type: "unknown" });
    return;
  }
  const rejects = session.plan.steps[row.step]?.approval?.onTimeout === "reject";
  refuse(tx, session, row, rejects ? "rejected" : "expired", "Nobody decided in time.");
}

function remind(tx: Tx, row: ApprovalRow): void {
  const session = need(tx, row);
  const every = askedBy(session.plan.steps[row.step], row.task_id)?.remindEvery ?? null;
  const reminders = row.reminders + 1;
  const from = row.remind_at ?? tx.now;
  const remindAt = nextReminder({ every, from, given: reminders, expiresAt: row.expires_at }, tx.now);
  tx.run(
    "update approvals set reminders = ?, remind_at = ?, wake_at = ? where id = ? and status = 'pending'",
    reminders,
    remindAt,
    earlier(row.expires_at, remindAt),
    row.id,
  );
  tellOfApproval(tx, session, "approval.reminded", { ...row, reminders });
}

const NOT_HAPPENED: Answer = { type: "did_not_happen", by: "person" };

/** The question was whether what a task announced has happened. */
function settle(tx: Tx, taskId: string, answer: Answer): void {
  const task = loadTask(tx, taskId);
  if (task !== undefined) answerDoubt(tx, task, answer);
}

/** Who says that it happened says what came of it; that must be what the step would take from its agent. */
function checkGiven(session: SessionUnit, { step }: ApprovalRow, { approved, result = null }: ApprovalDecision): void {
  const asked = session.plan.steps[step];
  if (approved && asked !== undefined) checkResult(asked, readStored(result));
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
  session: SessionUnit,
  { id }: ApprovalRow,
  status: "approved" | "rejected" | "expired",
  { by, comment }: { by: string | null; comment: string | null },
): void {
  tx.run(
    `update approvals set status = ?, ended_at = ?, decided_by = ?, comment = ?, remind_at = null, wake_at = null
      where id = ? and status = 'pending'`,
    status,
    tx.now,
    by,
    comment,
    id,
  );
  withdrawNews(tx, session, id);
}

function need(tx: Tx, row: ApprovalRow): SessionUnit {
  const session = SessionUnit.load(tx, row.session_id);
  if (session === undefined) throw new Error(`approval ${row.id} has no session`);
  return session;
}

function stepId(session: SessionUnit, row: ApprovalRow): string | null {
  return session.plan.steps[row.step]?.id ?? null;
}
