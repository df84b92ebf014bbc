import type { CancellationStage, OpenStage } from "./transitions.ts";

/**
 * How an agent hears of it: `message`: it is sent one. `answer`: in the answers to its own calls, when it asks for work,
 * renews a lease or reports progress. `none`: it takes no cancel messages, or is a tool.
 */
export type CancelChannel = "message" | "answer" | "none";

/**
 * How the end is known: `receipt`: the agent's own word under its token. `answer`: what it answered to the cancel message.
 * `result`: an outcome that came too late. `idle`: it reported that it has nothing to do. `restart`: it was started anew.
 */
export type CancelEvidence = "receipt" | "answer" | "result" | "idle" | "restart";

/** One attempt that was cancelled while somebody may have been at it. Times are microseconds. */
export interface Cancellation {
  readonly id: string;
  readonly sessionId: string | null;
  readonly stepId: string | null;
  readonly taskId: string;
  readonly attempt: number;
  /** Null where a tool was called. */
  readonly agentId: string | null;
  /** As it was called then. */
  readonly agentName: string | null;
  readonly tool: string | null;
  readonly channel: CancelChannel;
  readonly reason: string;
  readonly stage: CancellationStage;
  readonly requestedAt: number;
  readonly deliveredAt: number | null;
  readonly acknowledgedAt: number | null;
  readonly endedAt: number | null;
  /** When the stage is given up; null once it has ended. */
  readonly stageDeadline: number | null;
  /** The stage at which it was given up. */
  readonly stuckAt: OpenStage | null;
  readonly evidence: CancelEvidence | null;
  /** What the agent said, or why nothing more is waited for. */
  readonly note: string | null;
}

/** What an agent says of a cancellation under the token of the attempt. */
export interface CancelReceipt {
  readonly status: "acknowledged" | "stopped" | "refused";
  readonly note: string | null;
}

/** What an agent is told of a cancellation in the answers to its calls. Times are microseconds. */
export interface CancelNotice {
  readonly cancellationId: string;
  readonly reason: string;
  readonly requestedAt: number;
  readonly stageDeadline: number | null;
}

/** As told to an agent that asks for work. */
export interface CancelledAttempt {
  readonly taskId: string;
  readonly token: string;
  readonly cancellationId: string;
  readonly reason: string;
}

/** What a cancel message says; its addresses are added when it is sent. Times are microseconds. */
export interface CancelMessage extends CancelledAttempt {
  readonly attempt: number;
  readonly taskName: string;
  readonly sessionId: string | null;
  readonly capability: string | null;
  readonly requestedAt: number;
  /** When the agent's word is no longer waited for. */
  readonly deadline: number;
}
