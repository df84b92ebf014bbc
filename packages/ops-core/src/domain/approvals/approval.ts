export type ApprovalStatus = "pending" | "approved" | "rejected" | "expired" | "cancelled";

/** A decision that a session waits for, or waited for. Times are microseconds. */
export interface Approval {
  readonly id: string;
  readonly sessionId: string;
  readonly workflowId: string;
  readonly stepId: string;
  readonly status: ApprovalStatus;
  readonly message: string;
  /** JSON text or null. */
  readonly details: string | null;
  /** Of all that is decided on, the definition included. */
  readonly subjectHash: string;
  readonly requestedAt: number;
  readonly expiresAt: number | null;
  readonly endedAt: number | null;
  readonly decidedBy: string | null;
  readonly comment: string | null;
}

export interface ApprovalDecision {
  readonly approved: boolean;
  /** Who decides, as the session's result will name them. */
  readonly by: string;
  readonly comment: string | null;
  /** What the decider saw; the decision is refused when it is something else. */
  readonly subjectHash?: string | undefined;
}

export interface ApprovalFilter {
  readonly status?: string | undefined;
  readonly session?: string | undefined;
  readonly workflow?: string | undefined;
}
