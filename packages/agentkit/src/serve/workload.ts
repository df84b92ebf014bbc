import { type Clock, sleep, TaskFailure } from "@opspawn/sdk";
import { Execution, type ExecutionTools } from "./execution.ts";
import type { Logger } from "./logger.ts";
import type { CancelOrder, Message, Ticket } from "./message.ts";
import type { Outcome } from "./outcome.ts";
import { OutcomeMemory } from "./outcome-memory.ts";
import { Refusal } from "./refusal.ts";
import type { TaskHandler } from "./task.ts";

/** What a delivery is answered. */
export interface Answer {
  readonly status: 200 | 202;
  readonly body: string;
  /** To be called when the answer did not reach the caller. */
  readonly lost: () => void;
}

export interface WorkloadOptions {
  readonly handle: TaskHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Tasks at once; more are refused. */
  readonly maxConcurrency: number;
  /** Microseconds a delivery waits for its outcome before it is acknowledged instead. */
  readonly answerWithin: number;
  /** Reports an outcome by a call of its own; never rejects. */
  readonly report: (ticket: Ticket, outcome: Outcome) => Promise<void>;
  /** Whether `report` may be used for this ticket. */
  readonly reportable: (ticket: Ticket) => boolean;
  /** Says by a call of its own that a cancelled attempt has stopped; never rejects. */
  readonly confirmStop: (ticket: Ticket) => Promise<void>;
  /** Says how far an attempt is; false when nobody waits for it any more. Never rejects. */
  readonly progress: ExecutionTools["progress"];
  /** Where effects under a ticket are announced. Default: nowhere. */
  readonly effects?: ExecutionTools["effects"];
  readonly memory?: OutcomeMemory;
}

/** Attempts that were cancelled before they came are remembered, the latest of them. */
const CANCELLED_KEPT = 1_000;

const ACKNOWLEDGED: Answer = { status: 202, body: '{"status":"acknowledged"}', lost: () => undefined };

/**
 * The tasks an agent has been given: one execution per idempotency key, however often it is delivered. A success is
 * remembered for all attempts, a failure for its own attempt, so that a retry does the work again and a resend does not.
 */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #memory: OutcomeMemory;
  readonly #executions = new Set<Execution>();
  readonly #reports = new Set<Promise<void>>();
  /** Tokens. */
  readonly #cancelled = new Set<string>();

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#memory = options.memory ?? new OutcomeMemory();
  }

  /** Tasks whose handler has not returned. */
  get size(): number {
    return this.#executions.size;
  }

  /**
   * Takes a delivery: starts its task, joins the execution under way, or repeats the remembered outcome.
   * @param key the delivery's idempotency key; without one each delivery is work of its own
   * @throws Refusal 429 when there is no free slot
   */
  async accept(message: Message, key: string | null): Promise<Answer> {
    const { ticket } = message;
    if (ticket !== null && this.#cancelled.has(ticket.token)) throw cancelled();
    const running = key === null ? undefined : this.#inHand(key);
    if (running !== undefined) return this.#join(running, ticket);
    const known = key === null ? undefined : this.#memory.get(key);
    const isRetry = known?.outcome.status === "failed" && (ticket?.attempt ?? 1) > known.attempt;
    if (known !== undefined && !isRetry) return this.#answerWith(known.outcome, ticket);
    return this.#answer(this.#start(message, key));
  }

  /**
   * A task is wanted no more: its handler's signal aborts, and when the handler has ended that is reported.
   * @returns what the message is answered. Of what is not here nothing is said: another process may have it.
   */
  cancel({ ticket, reason }: CancelOrder, key: string): Answer {
    this.#noteCancelled(ticket.token);
    const running = this.#inHand(key);
    if (running?.ticket?.token === ticket.token) {
      running.cancel(reason);
      return ACKNOWLEDGED;
    }
    const known = this.#memory.get(key);
    if (known?.attempt !== ticket.attempt) return said("unknown");
    if (known.outcome.status === "failed") return said("stopped");
    this.#report(ticket, known.outcome);
    return ACKNOWLEDGED;
  }

  #noteCancelled(token: string): void {
    this.#cancelled.add(token);
    for (const oldest of this.#cancelled) {
      if (this.#cancelled.size <= CANCELLED_KEPT) break;
      this.#cancelled.delete(oldest);
    }
  }

  /**
   * Waits until nothing is in hand and every outcome is reported, as far as that takes no longer than `within` each.
   * @param within microseconds, after which tasks still in hand are told to stop and no longer waited for
   */
  async drain(within: number): Promise<void> {
    const allReturned = Promise.all([...this.#executions].map((execution) => execution.returned));
    await settledWithin(this.#options.clock, allReturned, within);
    for (const execution of this.#executions) {
      execution.stop(new TaskFailure("The agent was stopped before the task was done.", { code: "agent_stopping" }));
    }
    await Promise.all([...this.#executions].map((execution) => execution.outcome));
    await settledWithin(this.#options.clock, Promise.all(this.#reports), within);
  }

  #inHand(key: string): Execution | undefined {
    for (const execution of this.#executions) if (execution.key === key) return execution;
    return undefined;
  }

  #start(message: Message, key: string | null): Execution {
    const { clock, maxConcurrency, handle, logger, reportable, effects = () => null } = this.#options;
    if (this.#executions.size >= maxConcurrency) throw busy(`This agent does ${maxConcurrency} at a time.`);
    const execution = new Execution(handle, message, key, {
      clock,
      logger,
      effects,
      progress: async (ticket, said) => !reportable(ticket) || this.#options.progress(ticket, said),
    });
    this.#executions.add(execution);
    void execution.outcome.then((outcome) => this.#settle(execution, outcome));
    return execution;
  }

  /** In one go, so that a resend finds the task either in hand or remembered. */
  #settle(execution: Execution, outcome: Outcome): void {
    if (execution.isCancelled) {
      this.#endCancelled(execution);
      return;
    }
    this.#remember(execution, outcome);
    if (execution.reportLater) this.#report(execution.ticket, outcome);
    if (!execution.stopped) {
      this.#executions.delete(execution);
      return;
    }
    void execution.returned.then((final) => {
      this.#executions.delete(execution);
      // Done after all, though it was told to stop: the next attempt need not do it again.
      if (final.status === "completed") this.#remember(execution, final);
    });
  }

  /** Work that was done nonetheless is reported as it is: it is refused, and known. */
  #endCancelled(execution: Execution): void {
    void execution.returned.then((final) => {
      this.#executions.delete(execution);
      const { ticket } = execution;
      if (final.status === "completed") this.#remember(execution, final);
      if (final.status === "completed") this.#report(ticket, final);
      else if (ticket !== null && this.#options.reportable(ticket)) this.#track(this.#options.confirmStop(ticket));
    });
  }

  #join(execution: Execution, ticket: Ticket | null): Promise<Answer> {
    if (execution.isCancelled) throw cancelled();
    if (execution.stopped) throw busy("An earlier attempt at this task was told to stop and has not done so yet.");
    execution.continueUnder(ticket);
    if (!this.#mayAcknowledge(ticket)) return this.#answer(execution);
    execution.reportLater = true;
    return Promise.resolve(ACKNOWLEDGED);
  }

  /** The outcome if it comes soon, an acknowledgement if not. */
  async #answer(execution: Execution): Promise<Answer> {
    const { ticket } = execution;
    const { clock, answerWithin } = this.#options;
    const outcome = this.#mayAcknowledge(ticket)
      ? await settledWithin(clock, execution.outcome, answerWithin)
      : await execution.outcome;
    if (outcome !== undefined) return this.#answerWith(outcome, ticket);
    execution.reportLater = true;
    return ACKNOWLEDGED;
  }

  #answerWith(outcome: Outcome, ticket: Ticket | null): Answer {
    return { status: 200, body: outcome.body, lost: () => this.#report(ticket, outcome) };
  }

  #mayAcknowledge(ticket: Ticket | null): boolean {
    return ticket === null || this.#options.reportable(ticket);
  }

  #remember(execution: Execution, outcome: Outcome): void {
    if (execution.key === null) return;
    this.#memory.remember(execution.key, { attempt: execution.ticket?.attempt ?? 1, outcome });
  }

  #report(ticket: Ticket | null, outcome: Outcome): void {
    if (ticket === null || !this.#options.reportable(ticket)) return;
    this.#track(this.#options.report(ticket, outcome));
  }

  #track(call: Promise<void>): void {
    const report = call.finally(() => this.#reports.delete(report));
    this.#reports.add(report);
  }
}

function said(status: "stopped" | "unknown"): Answer {
  return { status: 200, body: JSON.stringify({ status }), lost: () => undefined };
}

function cancelled(): Refusal {
  return new Refusal(409, "task_cancelled", "This attempt was cancelled.");
}

function busy(message: string): Refusal {
  return new Refusal(429, "agent_busy", message, { "retry-after": "1" });
}

/** The promise's value, or undefined when it has none `within` microseconds. */
async function settledWithin<T>(clock: Clock, promise: Promise<T>, within: number): Promise<T | undefined> {
  const settled = new AbortController();
  const late = sleep(clock, within, settled.signal).then(
    () => undefined,
    () => undefined,
  );
  const value = await Promise.race([promise, late]);
  settled.abort();
  return value;
}
