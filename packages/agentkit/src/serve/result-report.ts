import { formatDuration, OpspawnError, parseJson } from "@opspawn/contract";
import {
  type Clock,
  isPassing,
  OpspawnApiError,
  type OpspawnClient,
  sleep,
  TaskFailure,
  type TaskResult,
} from "@opspawn/sdk";
import type { Logger } from "./logger.ts";
import type { Ticket } from "./message.ts";
import { failed, type Outcome } from "./outcome.ts";

export interface ReportTools {
  readonly client: OpspawnClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gives up when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Reports an outcome under its token, until it is accepted, refused, or its deadline has passed. Never rejects.
 */
export async function reportOutcome(ticket: Ticket, outcome: Outcome, tools: ReportTools): Promise<void> {
  const fields = { taskId: ticket.taskId, attempt: ticket.attempt, status: outcome.status };
  try {
    await send(ticket, outcome, tools);
    tools.logger.info(fields, "outcome reported");
  } catch (error) {
    const reason = reasonOf(error);
    tools.logger.error({ ...fields, reason }, "outcome not reported");
    if (outcome.status === "completed" && isRefusal(error)) await reportRefusal(ticket, reason, tools);
  }
}

const STOP_TRIES = 5;

/** Says that a cancelled attempt has stopped. Never rejects: who is not heard is given up by the platform. */
export async function reportStop({ taskId, attempt, token }: Ticket, tools: ReportTools): Promise<void> {
  const { client, logger, signal } = tools;
  try {
    await client.tasks.cancellation(taskId, { token, status: "stopped" }, { maxRetries: STOP_TRIES, signal });
    logger.info({ taskId, attempt }, "stop reported");
  } catch (error) {
    logger.error({ taskId, attempt, reason: reasonOf(error) }, "stop not reported");
  }
}

const SECOND = 1_000_000;
/** Bounds one call, its quick retries included, so that a connection that hangs does not last until the deadline. */
const CALL_TIMEOUT = 15 * SECOND;

async function send(ticket: Ticket, outcome: Outcome, tools: ReportTools): Promise<void> {
  const { client, clock, logger, signal } = tools;
  const body = { token: ticket.token, ...(parseJson(outcome.body) as object) } as TaskResult;
  for (;;) {
    const timeout = formatDuration(Math.max(1, Math.min(CALL_TIMEOUT, ticket.deadline - clock.now())));
    try {
      await client.tasks.result(ticket.taskId, body, { timeout, maxRetries: Number.POSITIVE_INFINITY, signal });
      return;
    } catch (error) {
      const asked = error instanceof OpspawnApiError ? error.retryAfter : undefined;
      const pause = asked ?? SECOND;
      if (!isPassing(error) || signal.aborted || clock.now() + pause >= ticket.deadline) throw error;
      logger.warn({ taskId: ticket.taskId, reason: reasonOf(error) }, "outcome not reported yet");
      await sleep(clock, pause, signal);
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The platform said no to the result itself: too large, or text it cannot store. */
function isRefusal(error: unknown): boolean {
  if (error instanceof OpspawnApiError) return [400, 413, 422].includes(error.status);
  return error instanceof OpspawnError;
}

/** A result the platform will not take must not leave the task waiting for one until its time is over. */
async function reportRefusal(ticket: Ticket, reason: string, tools: ReportTools): Promise<void> {
  const message = `The platform refused the result: ${reason}`;
  await reportOutcome(ticket, failed(new TaskFailure(message, { code: "result_refused", retryable: false })), tools);
}
