import { isPassing, OpspawnApiError, type TaskProgress } from "@opspawn/sdk";
import type { Ticket } from "./message.ts";
import type { ReportTools } from "./result-report.ts";

/**
 * Says how far an attempt is. Best effort: what is not heard of is made good by the next word.
 * @returns false when the platform no longer waits for this attempt
 */
export async function reportProgress(
  ticket: Ticket,
  said: TaskProgress,
  { client, logger, signal }: ReportTools,
): Promise<boolean> {
  try {
    await client.tasks.progress(ticket.taskId, ticket.token, said, { timeout: "3s", maxRetries: 0, signal });
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn({ taskId: ticket.taskId, attempt: ticket.attempt, reason }, "progress not reported");
    // A platform that does not know of progress answers 404 as well, and waits all the same.
    return isPassing(error) || !(error instanceof OpspawnApiError) || error.code !== "lease_lost";
  }
}
