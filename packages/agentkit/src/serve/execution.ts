import { formatTime } from "@opspawn/contract";
import { type Clock, type Effects, performEffect, TaskFailure, type TaskProgress } from "@opspawn/sdk";
import { childLogger, type Logger } from "./logger.ts";
import type { Message, Ticket } from "./message.ts";
import { completed, failed, type Outcome } from "./outcome.ts";
import type { AgentTask, TaskHandler } from "./task.ts";

export interface ExecutionTools {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Says how far an attempt is; false when nobody waits for it any more. Never rejects. */
  readonly progress: (ticket: Ticket, said: TaskProgress) => Promise<boolean>;
  /** Where effects under this ticket are announced; null where nobody keeps account of them. */
  readonly effects: (ticket: Ticket) => Pick<Effects, "announce" | "receipt"> | null;
}

/** A task in the handler's hands. */
export class Execution {
  readonly key: string | null;
  readonly logger: Logger;
  /** What its senders are told: the handler's outcome, or that it was told to stop, whichever comes first. */
  readonly outcome: Promise<Outcome>;
  /** Resolves when the handler has returned or thrown, even if that is after it was told to stop. */
  readonly returned: Promise<Outcome>;
  /** Some delivery was answered without the outcome. */
  reportLater = false;
  readonly #clock: Clock;
  readonly #effects: ExecutionTools["effects"];
  readonly #abort = new AbortController();
  readonly #stop = Promise.withResolvers<Outcome>();
  #cancelled = false;
  readonly #reportProgress: ExecutionTools["progress"];
  #ticket: Ticket | null;
  #cancelDeadline: () => void = () => undefined;

  constructor(handle: TaskHandler, message: Message, key: string | null, tools: ExecutionTools) {
    this.#reportProgress = tools.progress;
    this.key = key;
    this.#clock = tools.clock;
    this.#effects = tools.effects;
    this.#ticket = message.ticket;
    const taskId = message.ticket?.taskId ?? key;
    this.logger = childLogger(tools.logger, { taskId, sessionId: message.sessionId });
    this.returned = this.#run(handle, message);
    this.outcome = Promise.race([this.returned, this.#stop.promise]);
    this.#armDeadline();
  }

  /** Of the latest attempt that was delivered; null when the sender wants no report. */
  get ticket(): Ticket | null {
    return this.#ticket;
  }

  /** It was told to stop; the handler may still be at it. */
  get stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Goes on under a later attempt's token and deadline. An earlier one changes nothing. */
  continueUnder(ticket: Ticket | null): void {
    if (ticket === null || ticket.attempt < (this.#ticket?.attempt ?? 0)) return;
    this.#ticket = ticket;
    this.#armDeadline();
  }

  stop(reason: TaskFailure): void {
    this.#abort.abort(reason);
    this.#stop.resolve(failed(this.#abort.signal.reason));
  }

  /** Nobody wants its outcome any more, but somebody wants to know when the handler has ended. */
  cancel(reason: string): void {
    this.#cancelled = true;
    this.#abort.abort(new TaskFailure(`The task was cancelled: ${reason}`, { code: "cancelled", retryable: false }));
  }

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  async #run(handle: TaskHandler, message: Message): Promise<Outcome> {
    try {
      const { signal } = this.#abort;
      return completed(
        await handle({
          taskId: message.ticket?.taskId ?? this.key ?? "",
          name: message.taskName,
          capability: message.ticket?.capability ?? null,
          parameters: message.payload,
          sessionId: message.sessionId,
          attempt: message.ticket?.attempt ?? 1,
          messageType: message.messageType,
          senderId: message.senderId,
          signal,
          progress: (counter, note) => this.#progress(counter, note),
          effect: (...effect) => this.#perform(...effect),
          logger: this.logger,
        }),
      );
    } catch (error) {
      // A handler that stops when told usually throws the signal's own error: the reason says more.
      return failed(this.stopped ? this.#abort.signal.reason : error);
    } finally {
      this.#cancelDeadline();
    }
  }

  async #progress(counter?: number, note?: string): Promise<void> {
    const ticket = this.#ticket;
    if (ticket === null || this.stopped) return;
    const isWanted = await this.#reportProgress(ticket, { counter, note });
    // A later attempt that has been delivered meanwhile goes on.
    if (isWanted || ticket.token !== this.#ticket?.token) return;
    this.stop(new TaskFailure("The platform waits for this attempt no longer.", { code: "lease_lost" }));
  }

  /** Under the token of the latest attempt that was delivered. */
  readonly #perform: AgentTask["effect"] = async (effectId, payload, act, options) => {
    const effects = this.#ticket === null ? null : this.#effects(this.#ticket);
    if (this.#ticket === null || effects === null) return act(`${this.key ?? ""}/${effectId}`, { again: false });
    const onError = (error: unknown) => {
      this.logger.warn({ effectId, reason: error instanceof Error ? error.message : error }, "receipt not delivered");
    };
    const { signal } = this.#abort;
    return performEffect({ effects, ...this.#ticket }, effectId, payload, act, { signal, onError, ...options });
  };

  #armDeadline(): void {
    this.#cancelDeadline();
    if (this.#ticket === null) return;
    const rest = this.#ticket.deadline - this.#clock.now();
    if (rest <= 0) {
      // Whoever sent it just now did not think so; refusing would fail every task on a machine whose clock runs ahead.
      this.logger.warn(
        { deadline: formatTime(this.#ticket.deadline) },
        "deadline already passed by this clock; ignored",
      );
      return;
    }
    this.#cancelDeadline = this.#clock.after(rest, () => {
      const message = "The agent did not finish before the task's deadline.";
      this.stop(new TaskFailure(message, { code: "deadline_exceeded" }));
    });
  }
}
