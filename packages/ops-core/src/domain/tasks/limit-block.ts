import { formatDuration, formatTime, type JsonObject } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import type { ConcurrencyLimit, RateLimit } from "./limits.ts";

/** Why a task has to wait for others of its key. */
export type LimitBlock =
  /** `held`: permits of the key that are taken. */
  | ({ readonly reason: "concurrency_limit"; readonly held: number } & ConcurrencyLimit)
  /** `nextAt`: when the next task of the key may begin. */
  | ({ readonly reason: "rate_limit"; readonly nextAt: number } & RateLimit);

/** A task that counts against a key. */
export interface LimitHold {
  readonly taskId: string;
  /** When its attempt began. */
  readonly since: number;
  /** Set where its attempt was given up and may still be at work: until when that is waited for. */
  readonly until: number | null;
}

/** @param holds those who hold the key, or used it last; some of them, the oldest first */
export function limitReason(block: LimitBlock, holds: readonly LimitHold[]): Omit<Blocked, "since"> {
  const { reason, key, limit } = block;
  const details: JsonObject = { key, limit, holds: holds.map(holdView) };
  if (block.reason === "concurrency_limit") {
    const { held } = block;
    const message = `Key \`${key}\`: ${held} of ${limit} run${holdsText(holds, held)}.`;
    return { reason, message, details: { ...details, held, nextPermitAt: null } };
  }
  const per = formatDuration(block.per);
  const next = formatTime(block.nextAt);
  const last = holds.at(-1);
  const lastText = last === undefined ? "" : `, the last ${last.taskId}`;
  const message = `Key \`${key}\`: ${limit} of ${limit} began within ${per}${lastText}; the next may begin at ${short(next)}.`;
  return { reason, message, details: { ...details, per, nextPermitAt: next } };
}

function holdView({ taskId, since, until }: LimitHold): JsonObject {
  return { taskId, since: formatTime(since), drainsUntil: until === null ? null : formatTime(until) };
}

function holdsText(holds: readonly LimitHold[], held: number): string {
  const [first] = holds;
  if (first === undefined) return "";
  const names = holds.slice(0, 3).map(({ taskId, until }) => (until === null ? taskId : `${taskId} (given up)`));
  const more = held > names.length ? ` and ${held - names.length} more` : "";
  return ` since ${short(formatTime(first.since))}: ${names.join(", ")}${more}`;
}

function short(time: string): string {
  return time.replace(/\.\d+Z$/, "Z");
}
