import { formatTime, type JsonObject, OpspawnError } from "@opspawn/contract";
import { timeOrNull } from "../blocked-view.ts";
import type { CancelNotice } from "./cancellation.ts";

/**
 * The refusal of a token that counts no more. Where that is because of a cancellation, the answer says which one.
 * Whatever route takes tokens answers with it.
 */
export function leaseLost(message: string, notice: CancelNotice | null): OpspawnError {
  if (notice === null) return new OpspawnError("lease_lost", message);
  return new OpspawnError("lease_lost", message, { details: { cancellation: noticeView(notice) } });
}

/** The field `cancellation` of an answer to an agent. */
function noticeView({ cancellationId, reason, requestedAt, stageDeadline }: CancelNotice) {
  return {
    cancellationId,
    reason,
    requestedAt: formatTime(requestedAt),
    stageDeadline: timeOrNull(stageDeadline),
  } satisfies JsonObject;
}
