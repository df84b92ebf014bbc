import { formatTime, type TaskView } from "@opspawn/contract";
import type { Blocked } from "./blocked.ts";

/** Why something waits, as callers see it. */
export function blockedView(blocked: Blocked | null): TaskView["blocked"] {
  if (blocked === null) return null;
  const { reason, message, since, details } = blocked;
  return { reason, message, since: formatTime(since), details };
}

/** The same as one sentence for people. */
export function blockedSentence(blocked: Blocked): string {
  return `${blocked.message} (${blocked.reason}, since ${formatTime(blocked.since)})`;
}

export function timeOrNull(micros: number | null): string | null {
  return micros === null ? null : formatTime(micros);
}
