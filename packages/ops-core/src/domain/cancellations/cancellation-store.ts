import type { Page, Paged } from "../store.ts";
import type { Cancellation, CancelledAttempt, CancelReceipt } from "./cancellation.ts";

/**
 * What becomes of attempts that were cancelled while somebody may have been at them. Whatever cancels a task makes them; a
 * late outcome, a report and a stage's time end them.
 */
export interface CancellationStore {
  /**
   * The agent's word, under the token of the attempt. What says less than is known already changes nothing. Errors:
   * `task_not_found`, `lease_lost` for a token never issued or one that was lost otherwise, `not_cancelled`.
   */
  confirm(taskId: string, token: string, receipt: CancelReceipt): Promise<Cancellation>;
  /**
   * What an agent that asks for work is to stop; told again until it has said that it heard of it. `isNews`: some of it
   * for the first time.
   */
  tell(agentId: string): Promise<{ told: readonly CancelledAttempt[]; isNews: boolean }>;
  /** By attempt. */
  ofTask(taskId: string): Promise<readonly Cancellation[]>;
  /** Those of the sessions within it, too; oldest first. */
  ofSession(sessionId: string, page: Page): Promise<Paged<Cancellation>>;
}

/** What becomes of cancel messages, which are deliveries. */
export interface CancelMessageStore {
  /** It has arrived; with what the agent answered to it. */
  told(id: string, attempt: number, cancellationId: string, receipt: CancelReceipt | null): Promise<void>;
  /** It is given up. */
  untold(id: string, attempt: number, cancellationId: string, error: string): Promise<void>;
}
