import { z } from "zod";
import { id, time } from "./common.ts";

/** `finished`: the work was done nonetheless. `unreachable`: a stage's time passed without a word. */
const stage = z.enum(["requested", "delivered", "acknowledged", "stopped", "finished", "refused", "unreachable"]);

/** An attempt that was cancelled while an agent or a tool may have been at it. */
export const cancellation = z.object({
  cancellationId: id,
  sessionId: id.nullable(),
  stepId: z.string().nullable(),
  taskId: id,
  attempt: z.number().int(),
  /** Null where a tool was called. */
  agentId: id.nullable(),
  agentName: z.string().nullable(),
  tool: z.string().nullable(),
  /** How the agent hears of it: by a message, in the answers to its own calls, or not at all. */
  channel: z.enum(["message", "answer", "none"]),
  reason: z.string(),
  stage,
  /** It is known that nobody is at the work any more. */
  isConfirmed: z.boolean(),
  requestedAt: time,
  deliveredAt: time.nullable(),
  acknowledgedAt: time.nullable(),
  endedAt: time.nullable(),
  /** When nothing more is waited for; null once it has ended. */
  stageDeadline: time.nullable(),
  /** The stage at which it was given up. */
  stuckAt: z.enum(["requested", "delivered", "acknowledged"]).nullable(),
  /** How its end is known. */
  evidence: z.enum(["receipt", "answer", "result", "idle", "restart"]).nullable(),
  /** What the agent said, or why it was given up. */
  note: z.string().nullable(),
});
export type CancellationView = z.infer<typeof cancellation>;

/** What an agent is told in the answers to its calls; in an error, beside `code`. */
export const cancelNotice = z.object({
  cancellationId: id,
  reason: z.string(),
  requestedAt: time,
  stageDeadline: time.nullable(),
});
export type CancelNoticeView = z.infer<typeof cancelNotice>;

/** What an agent that asks for work is to stop. */
export const cancelledAttempt = z.object({
  taskId: id,
  token: z.string(),
  cancellationId: id,
  reason: z.string(),
});

/** The agent's word. */
export const cancelReceipt = z.strictObject({
  token: z.string().min(1).max(200),
  status: z.enum(["acknowledged", "stopped", "refused"]),
  note: z.string().max(1_000).optional(),
});

export const receiptAnswer = z.object({ taskId: id, cancellationId: id, stage });
