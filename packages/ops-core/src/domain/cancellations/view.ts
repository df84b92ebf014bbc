import { type CancellationView, formatTime } from "@opspawn/contract";
import { timeOrNull } from "../blocked-view.ts";
import type { Cancellation } from "./cancellation.ts";

export function cancellationView(cancellation: Cancellation): CancellationView {
  const { id, requestedAt, deliveredAt, acknowledgedAt, endedAt, stageDeadline, ...known } = cancellation;
  return {
    cancellationId: id,
    ...known,
    isConfirmed: isConfirmed(cancellation),
    requestedAt: formatTime(requestedAt),
    deliveredAt: timeOrNull(deliveredAt),
    acknowledgedAt: timeOrNull(acknowledgedAt),
    endedAt: timeOrNull(endedAt),
    stageDeadline: timeOrNull(stageDeadline),
  };
}

/** It is known that nobody is at the work any more. */
function isConfirmed({ stage }: Cancellation): boolean {
  return stage === "stopped" || stage === "finished";
}
