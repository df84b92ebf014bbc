import type { CancelNoticeView } from "@opspawn/contract";
import type { OpspawnClient } from "./client.ts";
import type { Chance, Clock } from "./clock.ts";
import { retrying } from "./retry.ts";
import type { CancelReceipt, TaskResult } from "./tasks.ts";

/** Why a handler's signal was aborted: the task was cancelled, and nobody wants its result any more. */
export class TaskCancelled extends Error {
  override readonly name = "TaskCancelled";
  readonly cancellationId: string;

  constructor({ cancellationId, reason }: Pick<CancelNoticeView, "cancellationId" | "reason">) {
    super(`The task was cancelled: ${reason}`);
    this.cancellationId = cancellationId;
  }
}

export interface CancelledRun {
  readonly client: OpspawnClient;
  readonly taskId: string;
  readonly token: string;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Nothing more is said once it is aborted. */
  readonly halt: AbortSignal;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** A receipt that does not arrive within this time is of little use: the server has given up by then. */
const SAY_WITHIN = 30_000_000;
const CALL_TIMEOUT = "5s";

/**
 * Says that a cancelled attempt is being stopped, and when its handler has ended, that it has. A handler that finished all
 * the same has its result posted: it is refused, and kept as what was done nonetheless. Never rejects.
 * @param handled settles when the handler has ended, with what it would have been told
 */
export async function confirmStop(run: CancelledRun, handled: Promise<TaskResult>): Promise<void> {
  await say(run, "acknowledged");
  const halted = new Promise<null>((resolve) => {
    if (run.halt.aborted) resolve(null);
    else run.halt.addEventListener("abort", () => resolve(null), { once: true });
  });
  const outcome = await Promise.race([handled, halted]);
  if (outcome === null) return;
  if (outcome.status === "completed") await postLate(run, outcome);
  else await say(run, "stopped");
}

async function say(run: CancelledRun, status: CancelReceipt["status"]): Promise<void> {
  const options = { timeout: CALL_TIMEOUT, signal: run.halt };
  await attempt(run, () => run.client.tasks.cancellation(run.taskId, { token: run.token, status }, options));
}

async function postLate(run: CancelledRun, outcome: TaskResult): Promise<void> {
  const options = { timeout: CALL_TIMEOUT, signal: run.halt };
  await attempt(run, () => run.client.tasks.result(run.taskId, outcome, options));
}

async function attempt(run: CancelledRun, call: () => Promise<unknown>): Promise<void> {
  const { clock, chance, halt: signal, onError } = run;
  try {
    await retrying(call, { clock, chance, until: clock.now() + SAY_WITHIN, signal, onRetry: onError });
  } catch (error) {
    if (!signal.aborted) onError?.(error);
  }
}
