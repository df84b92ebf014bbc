import { hash } from "node:crypto";
import { isJsonObject, type JsonValue, stringifyJson } from "@opspawn/contract";
import { nextReminder } from "../../domain/approvals/reminders.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import { evaluatedParameters } from "../../domain/workflows/data.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import { tellOfApproval, withdrawNews } from "./approval-news.ts";
import { earlier } from "./approval-row.ts";
import { SessionUnit } from "./session-unit.ts";
import { stepFailed } from "./step-failure.ts";
import { scopeOf } from "./step-scope.ts";
import type { Tx } from "./tx.ts";

/** Asks for a decision. What is decided on is fixed now, and known by its hash. */
export function askApproval(tx: Tx, session: SessionUnit, step: PlanStep, from: number): SessionInput | null {
  let subject: JsonValue;
  try {
    subject = evaluatedParameters(session.plan, step, scopeOf(tx, session));
  } catch (error) {
    return stepFailed(step, null, error);
  }
  const { message, details } = readSubject(subject);
  const timeout = step.approval?.timeout ?? null;
  const remindEvery = step.approval?.remindEvery ?? null;
  addApproval(tx, session, step, { message, details, timeout, remindEvery, from, taskId: null });
  return null;
}

interface NewApproval {
  readonly message: string;
  readonly details: JsonValue;
  readonly timeout: number | null;
  readonly remindEvery: number | null;
  /** From when its times count. */
  readonly from: number;
  /** The task that it is about; null where it is the step itself. */
  readonly taskId: string | null;
}

/** Its id. */
export function addApproval(tx: Tx, session: SessionUnit, step: PlanStep, asked: NewApproval): string {
  const { message, timeout, remindEvery: every, from, taskId } = asked;
  const expiresAt = timeout === null ? null : from + timeout;
  const remindAt = nextReminder({ every, from, given: 0, expiresAt }, from);
  const text = asked.details === null ? null : stringifyJson(asked.details);
  const approval = {
    id: `apr_${tx.context.ids.uuid()}`,
    step: step.index,
    message,
    details: text,
    subject_hash: subjectHash(session.row.plan_hash, step.id, message, text),
    requested_at: tx.now,
    expires_at: expiresAt,
    reminders: 0,
    task_id: taskId,
  };
  tx.run(
    `insert into approvals (id, session_id, step, status, message, details, subject_hash, requested_at,
      expires_at, remind_at, wake_at, task_id) values (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?)`,
    approval.id,
    session.id,
    step.index,
    message,
    text,
    approval.subject_hash,
    tx.now,
    expiresAt,
    remindAt,
    earlier(expiresAt, remindAt),
    taskId,
  );
  tellOfApproval(tx, session, "approval.requested", approval);
  return approval.id;
}

function readSubject(subject: JsonValue): { message: string; details: JsonValue } {
  if (!isJsonObject(subject)) throw new Error("an approval has no subject");
  const { message, details } = subject;
  return { message: String(message), details: details ?? null };
}

function subjectHash(planHash: string, stepId: string, message: string, details: string | null): string {
  return hash("sha256", JSON.stringify([planHash, stepId, message, details]));
}

/** The session does not need the decision any more. */
export function cancelApproval(tx: Tx, session: SessionUnit, step: number): void {
  const open = tx.get<{ id: string }>(
    "select id from approvals where session_id = ? and step = ? and task_id is null and status = 'pending'",
    session.id,
    step,
  );
  if (open !== undefined) cancel(tx, session, open.id, step);
}

/** Nobody needs to say any more whether an effect happened. Nothing where that was said. */
export function withdrawApproval(tx: Tx, id: string): void {
  const open = tx.get<{ session_id: string; step: number }>(
    "select session_id, step from approvals where id = ? and status = 'pending'",
    id,
  );
  const session = open === undefined ? undefined : SessionUnit.load(tx, open.session_id);
  if (open !== undefined && session !== undefined) cancel(tx, session, id, open.step);
}

function cancel(tx: Tx, session: SessionUnit, id: string, step: number): void {
  tx.run(
    "update approvals set status = 'cancelled', ended_at = ?, remind_at = null, wake_at = null where id = ?",
    tx.now,
    id,
  );
  withdrawNews(tx, session, id);
  session.event("approval.cancelled", { approvalId: id, stepId: session.plan.steps[step]?.id ?? null });
}
