import { hash } from "node:crypto";
import { formatTime, isJsonObject, type JsonObject, type JsonValue, stringifyJson } from "@opspawn/contract";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import { evaluatedParameters } from "../../domain/workflows/data.ts";
import type { PlanStep } from "../../domain/workflows/plan.ts";
import type { SessionUnit } from "./session-unit.ts";
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
  const wakeAt = timeout === null ? null : from + timeout;
  const id = `apr_${tx.context.ids.uuid()}`;
  const text = details === null ? null : stringifyJson(details);
  tx.run(
    `insert into approvals (id, session_id, step, status, message, details, subject_hash, requested_at,
      expires_at, wake_at) values (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?)`,
    id,
    session.id,
    step.index,
    message,
    text,
    subjectHash(session.row.plan_hash, step.id, message, text),
    tx.now,
    wakeAt,
    wakeAt,
  );
  const expires: JsonObject = wakeAt === null ? {} : { expiresAt: formatTime(wakeAt) };
  session.event("approval.requested", { approvalId: id, stepId: step.id, ...expires });
  return null;
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
    "select id from approvals where session_id = ? and step = ? and status = 'pending'",
    session.id,
    step,
  );
  if (open === undefined) return;
  tx.run("update approvals set status = 'cancelled', ended_at = ?, wake_at = null where id = ?", tx.now, open.id);
  session.event("approval.cancelled", { approvalId: open.id, stepId: session.plan.steps[step]?.id ?? null });
}
