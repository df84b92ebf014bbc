import { type Clock, pause } from "../clock.ts";
import { backoff, isTransient } from "./backoff.ts";
import type { Logger } from "./logger.ts";
import type { Ticket } from "./message.ts";
import { failure, type Outcome, underToken } from "./outcome.ts";
import { detailOf, networkError, type Platform, type PlatformAnswer } from "./platform.ts";

export interface ReportTools {
  readonly platform: Pick<Platform, "post">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gives up when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Calls the task's `resultUrl` until the outcome is accepted, refused, or its deadline has passed. The token is all the
 * proof a result needs, so no key goes to an address that came in a message. Never rejects.
 */
export async function reportOutcome(ticket: Ticket, outcome: Outcome, tools: ReportTools): Promise<void> {
  const { clock, signal, logger } = tools;
  const fields = { taskId: ticket.taskId, attempt: ticket.attempt, status: outcome.status };
  for (let tries = 1; ; tries++) {
    const verdict = await callOnce(ticket, outcome, tools);
    if (verdict.type === "accepted") return logger.info(fields, "outcome reported");
    if (verdict.type === "refused") return refused(ticket, outcome, verdict.answer, tools);
    const delay = Math.max(backoff(tries, clock), verdict.retryAfter);
    if (clock.now() + delay >= ticket.deadline) {
      return logger.error({ ...fields, reason: verdict.reason }, "outcome not reported: the deadline has come");
    }
    logger.warn({ ...fields, tries, reason: verdict.reason }, "outcome not reported yet");
    await pause(clock, delay, signal);
    if (signal.aborted) return logger.error(fields, "outcome not reported: the agent was stopped");
  }
}

type Verdict =
  | { readonly type: "accepted" }
  | { readonly type: "refused"; readonly answer: PlatformAnswer }
  | { readonly type: "again"; readonly reason: string; readonly retryAfter: number };

async function callOnce(ticket: Ticket, outcome: Outcome, { platform }: ReportTools): Promise<Verdict> {
  try {
    const answer = await platform.post(ticket.resultUrl, underToken(ticket.token, outcome), null);
    if (answer.status >= 200 && answer.status < 300) return { type: "accepted" };
    if (!isTransient(answer.status)) return { type: "refused", answer };
    const seconds = Number(answer.headers.get("retry-after") ?? 0);
    return { type: "again", reason: detailOf(answer), retryAfter: Number.isFinite(seconds) ? seconds * 1_000_000 : 0 };
  } catch (error) {
    return { type: "again", reason: networkError(error), retryAfter: 0 };
  }
}

async function refused(ticket: Ticket, outcome: Outcome, answer: PlatformAnswer, tools: ReportTools): Promise<void> {
  const fields = { taskId: ticket.taskId, attempt: ticket.attempt, reason: detailOf(answer) };
  if (answer.status === 409) return tools.logger.warn(fields, "outcome came too late: the attempt is no longer ours");
  tools.logger.error(fields, "outcome refused");
  if (outcome.status === "failed") return;
  // A result the platform will not take (too large, text it cannot store) must not leave the task waiting for one.
  const message = `The platform refused the result: ${detailOf(answer)}`;
  await reportOutcome(ticket, failure("result_refused", message, { retryable: false }), tools);
}
