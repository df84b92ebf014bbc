import { formatTime, type JsonObject, stringifyJson } from "@opspawn/contract";
import { timeOrNull } from "../../domain/blocked-view.ts";
import { readStored } from "../../domain/stored-json.ts";
import type { ApprovalRow } from "./approval-row.ts";
import { enqueueDelivery } from "./deliveries.ts";
import { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";

type Asked = Pick<
  ApprovalRow,
  "id" | "step" | "message" | "details" | "subject_hash" | "requested_at" | "expires_at" | "reminders" | "task_id"
>;

/** Tells that somebody is to decide: in the history, and to whoever hears of the session. */
export function tellOfApproval(
  tx: Tx,
  session: SessionUnit,
  type: "approval.requested" | "approval.reminded",
  approval: Asked,
): void {
  const stepId = session.plan.steps[approval.step]?.id ?? null;
  const times: JsonObject = {
    ...(approval.expires_at === null ? {} : { expiresAt: formatTime(approval.expires_at) }),
    ...(approval.reminders === 0 ? {} : { reminders: approval.reminders }),
  };
  const about: JsonObject = approval.task_id === null ? {} : { taskId: approval.task_id };
  session.event(type, { approvalId: approval.id, stepId, ...about, ...times });
  const url = callbackOf(tx, session);
  if (url === null) return;
  const body = stringifyJson({
    type,
    timestamp: formatTime(tx.now),
    data: {
      approvalId: approval.id,
      sessionId: session.id,
      workflowId: session.row.workflow_id,
      workflowVersion: session.row.workflow_version,
      stepId,
      ...about,
      message: approval.message,
      details: readStored(approval.details),
      subjectHash: approval.subject_hash,
      requestedAt: formatTime(approval.requested_at),
      expiresAt: timeOrNull(approval.expires_at),
      reminders: approval.reminders,
    },
  });
  enqueueDelivery(tx, {
    id: `dlv_${tx.context.ids.uuid()}`,
    kind: "webhook",
    url,
    headers: {},
    body,
    // Not the session's: whoever does not take these must still hear of its end in time.
    aggregate: approval.id,
    agentId: null,
    sessionId: session.id,
  });
}

/** What has not arrived yet is not sent any more: a question that is answered is not asked again. */
export function withdrawNews(tx: Tx, session: SessionUnit, approvalId: string): void {
  const url = callbackOf(tx, session);
  if (url === null) return;
  tx.run(
    `update deliveries set status = 'failed', ended_at = ?, wake_at = null, last_error = ?
      where endpoint = ? and aggregate = ? and status = 'pending'`,
    tx.now,
    "The approval ended before this had arrived.",
    new URL(url).origin,
    approvalId,
  );
}

/** Where a session's news go; those of a session that is a step of another, to where the other's do. */
function callbackOf(tx: Tx, session: SessionUnit): string | null {
  for (let at: SessionUnit | undefined = session; at !== undefined; ) {
    const { callback_url: url, parent_id: parent } = at.row;
    if (url !== null || parent === null) return url;
    at = SessionUnit.load(tx, parent);
  }
  return null;
}
