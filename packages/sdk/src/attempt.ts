import { type Assignment, beginning, type JsonValue, OpspawnError, parseTime } from "@opspawn/contract";
import { confirmStop, TaskCancelled } from "./cancelled-task.ts";
import type { OpspawnClient } from "./client.ts";
import type { Chance, Clock } from "./clock.ts";
import { isPassing, OpspawnApiError } from "./errors.ts";
import { type Act, type EffectOptions, performEffect } from "./perform-effect.ts";
import { atLeast, retrying } from "./retry.ts";
import { TaskFailure } from "./task-failure.ts";
import type { TaskProgress, TaskResult } from "./tasks.ts";

export interface WorkContext {
  /**
   * Aborted when the attempt is no longer ours (timed out, given away; its reason is a `TaskCancelled` when it was
   * cancelled) or the worker must stop.
   */
  readonly signal: AbortSignal;
  /**
   * Says how far the work is: a number of your own that grows (items, bytes, steps), and a note for people. Never rejects:
   * what goes wrong is told to `onError`, and when the attempt is no longer ours the signal aborts.
   */
  readonly progress: (counter?: number, note?: string) => Promise<void>;
  /** Announces an effect, does it once over all attempts, and tells that it is done (see `performEffect`). */
  readonly effect: <T extends JsonValue | undefined>(
    effectId: string,
    payload: JsonValue,
    act: Act<T>,
    options?: EffectOptions,
  ) => Promise<T>;
}

/** Does one task. Its value is the result; what it throws is the failure (see `TaskFailure`). */
export type WorkHandler = (
  task: Assignment,
  context: WorkContext,
) => Promise<JsonValue | undefined> | JsonValue | undefined;

export interface AttemptRun {
  readonly client: OpspawnClient;
  readonly task: Assignment;
  readonly handler: WorkHandler;
  /** Stop now, without an outcome. */
  readonly halt: AbortSignal;
  /** Aborted when the attempt is no longer ours; whoever hears of a cancellation aborts it with a `TaskCancelled`. */
  readonly lost: AbortController;
  readonly onError: ((error: unknown) => void) | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
}

// A lease lasts 10 s; two renewals may fail before it is lost.
const RENEW_EVERY = 3_000_000;
// Shorter than the time between renewals, so that a call that hangs costs one of them.
const RENEW_TIMEOUT = "2500ms";
// What a platform takes; beyond it, it would refuse the outcome as a whole.
const CODE_LIMIT = 100;
const MESSAGE_LIMIT = 10_000;

/** One attempt from its claim to its posted outcome. Never rejects: what goes wrong is told to `onError`. */
export async function runAttempt(run: AttemptRun): Promise<void> {
  const { lost } = run;
  const done = new AbortController();
  const signal = AbortSignal.any([run.halt, lost.signal]);
  const renewing = renew(run, lost, done.signal);
  try {
    const handled = handle(run, contextOf(run, lost, signal));
    const outcome = await outcomeOf(run, handled, signal);
    // Halted: the lease runs out and the task is offered again. Lost: nobody wants this outcome.
    if (!signal.aborted) await post(run, outcome, signal);
    // Cancelled: somebody wants to know when it has stopped.
    if (lost.signal.reason instanceof TaskCancelled) await confirmStop({ ...run, ...run.task.opspawn }, handled);
  } catch (error) {
    if (!signal.aborted) run.onError?.(error);
  } finally {
    done.abort();
    await renewing;
  }
}

/** Renews at once (which acknowledges the attempt), then every few seconds until `done`. */
async function renew(run: AttemptRun, lost: AbortController, done: AbortSignal): Promise<void> {
  const { taskId, token } = run.task.opspawn;
  const options = { timeout: RENEW_TIMEOUT, maxRetries: 0, signal: done };
  const over = AbortSignal.any([done, lost.signal, run.halt]);
  while (!over.aborted) {
    const began = run.clock.now();
    try {
      await run.client.tasks.lease(taskId, token, options);
    } catch (error) {
      if (done.aborted) return;
      if (isOver(error)) lost.abort(cancelledBy(error) ?? error);
      run.onError?.(error);
    }
    await atLeast(RENEW_EVERY, began, run.clock, over);
  }
}

/** The server no longer counts on this attempt. */
function isOver(error: unknown): boolean {
  return error instanceof OpspawnApiError && (error.code === "lease_lost" || error.status === 404);
}

function cancelledBy(error: unknown): TaskCancelled | null {
  const notice = error instanceof OpspawnApiError ? error.cancellation : undefined;
  return notice === undefined ? null : new TaskCancelled(notice);
}

async function sayProgress(run: AttemptRun, lost: AbortController, said: TaskProgress): Promise<void> {
  const { taskId, token } = run.task.opspawn;
  if (lost.signal.aborted) return;
  try {
    await run.client.tasks.progress(taskId, token, said, { timeout: RENEW_TIMEOUT, maxRetries: 0, signal: run.halt });
  } catch (error) {
    if (isOver(error)) lost.abort(cancelledBy(error) ?? error);
    run.onError?.(error);
  }
}

/** What the handler comes to, however long that takes. Never rejects. */
async function handle(run: AttemptRun, context: WorkContext): Promise<TaskResult> {
  const { token } = run.task.opspawn;
  try {
    context.signal.throwIfAborted();
    const result = await run.handler(run.task, context);
    return { token, status: "completed", result: result ?? null };
  } catch (error) {
    return { token, status: "failed", error: errorOf(error) };
  }
}

/** The same, or the reason of the signal: a handler that ignores it must not keep the worker from going on. */
async function outcomeOf(run: AttemptRun, handled: Promise<TaskResult>, signal: AbortSignal): Promise<TaskResult> {
  const { token } = run.task.opspawn;
  const aborted = new Promise<TaskResult>((resolve) => {
    const failure = (): TaskResult => ({ token, status: "failed", error: errorOf(signal.reason) });
    if (signal.aborted) resolve(failure());
    else signal.addEventListener("abort", () => resolve(failure()), { once: true });
  });
  return Promise.race([handled, aborted]);
}

function contextOf(run: AttemptRun, lost: AbortController, signal: AbortSignal): WorkContext {
  const { client, task, onError } = run;
  const tools = { signal, onError };
  return {
    signal,
    progress: (counter, note) => sayProgress(run, lost, { counter, note }),
    effect: (effectId, payload, act, options) =>
      performEffect({ effects: client.effects, ...task.opspawn }, effectId, payload, act, { ...tools, ...options }),
  };
}

function errorOf(error: unknown): NonNullable<TaskResult["error"]> {
  const message = beginning(error instanceof Error ? error.message : String(error), MESSAGE_LIMIT);
  if (!(error instanceof TaskFailure)) return { code: "agent_error", message };
  return {
    code: beginning(error.code, CODE_LIMIT),
    message,
    ...(error.retryable === undefined ? {} : { retryable: error.retryable }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  };
}

/** Posts until it is accepted, refused, or too late to matter. */
async function post(run: AttemptRun, outcome: TaskResult, signal: AbortSignal): Promise<void> {
  const { taskId, token, deadline } = run.task.opspawn;
  const { clock, chance, onError } = run;
  const until = parseTime(deadline) ?? Infinity;
  const send = (body: TaskResult) =>
    retrying(() => run.client.tasks.result(taskId, body, { signal }), {
      clock,
      chance,
      until,
      signal,
      onRetry: onError,
    });
  try {
    await send(outcome);
  } catch (error) {
    if (isOver(error) || isPassing(error) || outcome.status === "failed") throw error;
    if (!(error instanceof OpspawnApiError || error instanceof OpspawnError || error instanceof TypeError)) throw error;
    // The result itself cannot be stored (too large, say): that is this task's failure, not silence until it times out.
    onError?.(error);
    const message = beginning(`The result was refused: ${error.message}`, MESSAGE_LIMIT);
    await send({ token, status: "failed", error: { code: "result_refused", message, retryable: false } });
  }
}
