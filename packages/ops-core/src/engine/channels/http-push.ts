import type { Clock } from "../../domain/clock.ts";
import type { Failpoint } from "../../domain/failpoint.ts";
import type { HttpClient, HttpResult } from "../../domain/http-client.ts";
import type { Ids } from "../../domain/ids.ts";
import type { Log } from "../../domain/log.ts";
import type { AttemptStore, Sender } from "../../domain/store.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import type { Timers } from "../../domain/timers.ts";
import { callBody } from "../../domain/tools/invoke.ts";
import { isShutdown } from "../http-ends.ts";
import { messageBody, messageHeaders } from "../message.ts";
import type { AgentkitGateway } from "./agentkit-gateway.ts";
import { agentEnd, type ExchangeEnd, toolEnd } from "./exchange-end.ts";

/** Signs what goes to an agent; empty when there is no secret to sign with. */
export type SignMessage = (agentId: string, messageId: string, body: string) => Readonly<Record<string, string>>;

export interface HttpPushOptions {
  readonly attempts: AttemptStore;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly timers: Timers;
  readonly log: Log;
  readonly publicUrl: string;
  readonly sign: SignMessage;
  /** For agents that AgentKit elsewhere told of; without it they are called directly. */
  readonly gateway?: AgentkitGateway | undefined;
  readonly failpoint?: Failpoint;
}

/**
 * Milliseconds an acknowledgement may wait to be written. Most results overtake it, and then it need not be written at
 * all; a crash in between only means one more send of the same attempt. An agent that may tell outcomes by its states
 * waits less: its reports are judged when the exchange is known to be closed.
 */
const ACKNOWLEDGE_WITHIN = 250;
const ACKNOWLEDGE_SOON = 20;
const ACKNOWLEDGE_AGAIN = 1_000;
const MAX_TIMEOUT = 2 ** 31 - 1;

/**
 * Hands attempts to agents by POSTing the AgentKit message to their endpoint, or to the gateway that reaches them, and
 * calls tools.
 */
export class HttpPush {
  readonly #options: HttpPushOptions;
  readonly #open = new Map<string, AbortController>();
  #taken = new Map<string, Sender>();
  #flushing: { readonly at: number; readonly cancel: () => void } | null = null;

  constructor(options: HttpPushOptions) {
    this.#options = options;
  }

  /** Exchanges under way. */
  get open(): number {
    return this.#open.size;
  }

  /** The attempts (`<taskId>/<number>`) whose end is still to be written. */
  get known(): ReadonlySet<string> {
    return new Set([...this.#open.keys(), ...this.#taken.keys()]);
  }

  /** Never rejects: whatever comes of it is written to the store. */
  async deliver(attempt: ClaimedAttempt): Promise<void> {
    const id = `${attempt.taskId}/${attempt.attempt}`;
    const abort = new AbortController();
    this.#open.set(id, abort);
    try {
      this.#options.failpoint?.("engine.before-send");
      const result = await this.#post(attempt, abort.signal);
      this.#options.failpoint?.("engine.after-send");
      if (this.#open.get(id) === abort) this.#open.delete(id);
      if (result !== null && !abort.signal.aborted) await this.#record(attempt, result);
    } catch (error) {
      // The store could not be written: the attempt's own timers go on, and a restart sends it again.
      this.#options.log.error(
        { err: error, taskId: attempt.taskId, attempt: attempt.attempt },
        "An exchange's end was not recorded.",
      );
    } finally {
      if (this.#open.get(id) === abort) this.#open.delete(id);
    }
  }

  /** The attempt has ended. With `stop` its exchange is of no use any more; else the agent may finish its answer. */
  ended(id: string, stop: boolean): void {
    this.#taken.delete(id);
    if (stop) this.#open.get(id)?.abort();
  }

  /** Writes the acknowledgements that wait. Never rejects: what could not be written is kept. */
  async flush(): Promise<void> {
    this.#flushing?.cancel();
    this.#flushing = null;
    const taken = [...this.#taken];
    this.#taken = new Map();
    const written = await Promise.allSettled(taken.map(([, sender]) => this.#options.attempts.acknowledge(sender)));
    for (const [i, { status }] of written.entries()) if (status === "rejected") this.#keep(taken[i]);
    const failure = written.find((each) => each.status === "rejected");
    if (failure === undefined) return;
    this.#options.log.error({ err: failure.reason }, "Acknowledgements were not recorded; they will be tried again.");
    this.#flushWithin(ACKNOWLEDGE_AGAIN);
  }

  #keep(taken: readonly [string, Sender] | undefined): void {
    if (taken !== undefined && !this.#taken.has(taken[0])) this.#taken.set(...taken);
  }

  async #post(attempt: ClaimedAttempt, signal: AbortSignal): Promise<HttpResult | null> {
    const { clock, http, ids, publicUrl, sign } = this.#options;
    const { agentId, endpoint } = attempt;
    const left = Math.floor((attempt.timeoutAt - clock.now()) / 1000);
    if (endpoint === null || left <= 0) return null;
    const body = agentId === null ? callBody(attempt.parameters) : messageBody(attempt, publicUrl);
    const timeout = Math.min(left, MAX_TIMEOUT);
    const headers = messageHeaders(attempt, spanId(ids));
    const gateway = this.#gatewayOf(attempt);
    if (gateway !== undefined && agentId !== null) {
      return gateway.post({ agentId }, { headers, body, timeout, signal });
    }
    // A tool is called as ever, unsigned: what our secret signs says that it comes from us, not from a step's author.
    return http.post({
      url: endpoint,
      headers: agentId === null ? headers : { ...headers, ...sign(agentId, attempt.taskId, body) },
      body,
      headersTimeout: timeout,
      deadline: timeout,
      signal,
    });
  }

  async #record(attempt: ClaimedAttempt, result: HttpResult): Promise<void> {
    const { attempts, clock } = this.#options;
    const sender: Sender = {
      taskId: attempt.taskId,
      attempt: attempt.attempt,
      epoch: attempt.epoch,
      send: attempt.send,
    };
    if (isShutdown(result)) return;
    const end = this.#endOf(attempt, result, clock.now());
    switch (end.kind) {
      case "acknowledged":
        this.#acknowledge(attempt, sender);
        return;
      case "outcome":
        await attempts.observe(sender, end.outcome);
        return;
      case "undelivered":
        await attempts.undelivered(sender, end.message);
        return;
      case "broken":
        await attempts.broken(sender, end.message);
        return;
      case "at_work":
        await attempts.broken(sender, end.message, true);
        return;
    }
  }

  #endOf(attempt: ClaimedAttempt, result: HttpResult, now: number): ExchangeEnd {
    if (attempt.tool !== null) return toolEnd(result, attempt, now);
    return this.#gatewayOf(attempt)?.end(result) ?? agentEnd(result, attempt.send, now);
  }

  /** An agent that AgentKit elsewhere told of is reached by its gateway. */
  #gatewayOf(attempt: ClaimedAttempt): AgentkitGateway | undefined {
    return attempt.announced ? this.#options.gateway : undefined;
  }

  #acknowledge(attempt: ClaimedAttempt, sender: Sender): void {
    this.#taken.set(`${attempt.taskId}/${attempt.attempt}`, sender);
    this.#flushWithin(attempt.explicit ? ACKNOWLEDGE_WITHIN : ACKNOWLEDGE_SOON);
  }

  /** Never later than asked for before. */
  #flushWithin(ms: number): void {
    const { timers } = this.#options;
    const at = timers.now() + ms;
    if (this.#flushing !== null && this.#flushing.at <= at) return;
    this.#flushing?.cancel();
    this.#flushing = { at, cancel: timers.set(ms, () => void this.flush()) };
  }
}

/** 64 bits of an id, all but two of them random. */
function spanId(ids: Ids): string {
  const id = ids.uuid();
  return id.slice(19, 23) + id.slice(24);
}
