import { formatTime } from "@opspawn/contract";
import { type Clock, type Effects, performEffect, TaskFailure } from "@opspawn/sdk";
import { childLogger, type Logger } from "./logger.ts";
import type { Message, Ticket } from "./message.ts";
import { completed, failed, type Outcome } from "./outcome.ts";
import type { AgentTask, TaskHandler } from "./task.ts";

export interface ExecutionTools {
  readonly clock: Clock;
  readonly logger: Logger;
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
  #ticket: Ticket | null;
  #cancelDeadline: () => void = () => undefined;

  constructor(handle: TaskHandler, message: Message, key: string | null, tools: ExecutionTools) {
    this.key = key;
    this.#clock = tools.clock;
    this.#effects = tools.effects;
    this.#ticket = message.ticket;
    const taskId = message.ticket?.taskId ?? key;
    this.logger = childLogger(tools.logger, { taskId, sessionId: message.sessionId });
    this.returned = this.#run(handle, message);
    const stopped = new Promise<Outcome>((resolve) => {
      this.#abort.signal.addEventListener("abort", () => resolve(failed(this.#abort.signal.reason)));
    });
    this.outcome = Promise.race([this.returned, stopped]);
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
