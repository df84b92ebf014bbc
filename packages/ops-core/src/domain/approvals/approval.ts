export type ApprovalStatus = "pending" | "approved" | "rejected" | "expired" | "cancelled";

/** A decision that a session waits for, or waited for. Times are microseconds. */
export interface Approval {
  readonly id: string;
  readonly sessionId: string;
  readonly workflowId: string;
  readonly stepId: string;
  /** The task whose effects it is about; null where the step itself asks. */
  readonly taskId: string | null;
  readonly status: ApprovalStatus;
  readonly message: string;
  /** JSON text or null. */
  readonly details: string | null;
  /** Of all that is decided on: the definition, the step, the message and the details. */
  readonly subjectHash: string;
  /** Names of the keys that may decide; null = every key that has the scope. */
  readonly approvers: readonly string[] | null;
  readonly requestedAt: number;
  readonly expiresAt: number | null;
  readonly reminders: number;
  readonly remindAt: number | null;
  readonly endedAt: number | null;
  readonly decidedBy: string | null;
  readonly comment: string | null;
}

export interface ApprovalDecision {
  readonly approved: boolean;
  /** Who decides, as the session's result will name them. */
  readonly by: string;
  readonly comment: string | null;
  /** JSON text: what the step comes to, where the question is whether an effect happened. */
  readonly result?: string | null;
  /** What the decider saw; the decision is refused when it is something else. */
  readonly subjectHash?: string | undefined;
}

export interface ApprovalFilter {
  readonly status?: string | undefined;
  readonly session?: string | undefined;
  readonly workflow?: string | undefined;
}

/** A way to decide once without a key. Times are microseconds. */
export interface ApprovalLink {
  readonly id: string;
  readonly approvalId: string;
  readonly decision: "approve" | "reject" | "any";
  /** SHA-256 of its token, hex. */
  readonly hash: string;
  /** Whom it was made for. */
  readonly recipient: string;
  /** The key that made it; when that ends, so do its links. */
  readonly keyId: string;
  readonly expiresAt: number;
  readonly usedAt: number | null;
}
