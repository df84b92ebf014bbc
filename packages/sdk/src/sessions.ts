import {
  type CancellationView,
  type JsonValue,
  type OperationOutput,
  type OperationRequest,
  operations,
} from "@opspawn/contract";
import { microsOf } from "./duration.ts";
import { OpspawnWaitError } from "./errors.ts";
import { allItems, PAGE_LIMIT } from "./page.ts";
import { atLeast, retrying, SHORTEST_POLL } from "./retry.ts";
import type { CallOptions, KeyedCallOptions, Transport } from "./transport.ts";

const {
  start,
  get,
  list,
  retry,
  fork,
  pause,
  resume,
  cancel,
  cancellations,
  signal: sendSignal,
  label,
  why,
  events,
} = operations.sessions;

export type SessionStart = OperationRequest<typeof start>["body"];
export type SessionFork = OperationRequest<typeof fork>["body"];
export type SessionQuery = OperationRequest<typeof list>["query"];
export type CancellationQuery = OperationRequest<typeof cancellations>["query"];
export type SessionDetail = OperationOutput<typeof get>;

const TERMINAL: readonly string[] = ["completed", "failed", "cancelled"];
const LONGEST_WAIT = 30_000_000;

/** A session in this status never changes again. */
export function isTerminal(session: { readonly status: string }): boolean {
  return TERMINAL.includes(session.status);
}

export interface WaitForOptions {
  /** Longest wait, such as `5m`. Default: until it ends. */
  readonly timeout?: string | undefined;
  /** Longest time without an answer (a server that restarts) before the error is thrown. Default `1m`. */
  readonly patience?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears of each failure that will be tried again. */
  readonly onRetry?: ((error: unknown) => void) | undefined;
}

/** Executions of workflows. */
export class Sessions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Starts a workflow, by `workflowId` or inline as `workflow`. Resolves once the session is stored. */
  start(body: SessionStart, options?: KeyedCallOptions) {
    return this.#transport.call(start, { body }, options);
  }

  /** A session with its steps; with `wait` (at most `1m`) the answer comes when it ends, or after that time. */
  get(sessionId: string, query: { wait?: string | undefined } = {}, options?: CallOptions) {
    return this.#transport.call(get, { params: { sessionId }, query }, options);
  }

  /**
   * Waits until the session has ended, whatever its end. Sits out restarts of the server.
   * @throws OpspawnWaitError when `timeout` is over first; the session goes on.
   */
  async waitFor(sessionId: string, options: WaitForOptions = {}): Promise<SessionDetail> {
    const { clock, chance } = this.#transport;
    const { signal, onRetry } = options;
    const patience = microsOf(options.patience ?? "1m", "patience");
    const end = options.timeout === undefined ? Infinity : clock.now() + microsOf(options.timeout, "timeout");
    for (;;) {
      const began = clock.now();
      const wait = `${Math.ceil(Math.max(0, Math.min(LONGEST_WAIT, end - began)) / 1000)}ms`;
      const until = Math.min(end, began + patience);
      const again = { clock, chance, until, signal, onRetry };
      const session = await retrying(() => this.get(sessionId, { wait }, { signal }), again);
      if (isTerminal(session)) return session;
      if (clock.now() >= end) {
        throw new OpspawnWaitError(`Session ${sessionId} is still ${session.status} after ${options.timeout}`);
      }
      await atLeast(SHORTEST_POLL, began, clock, signal);
    }
  }

  /** One page, newest first. */
  list(query: SessionQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  /** All pages, newest first. */
  listAll(query: SessionQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  /** Goes on where a failed or cancelled session stopped, in a new session that takes over what was done. */
  retry(sessionId: string, body: { labels?: Record<string, string> } = {}, options?: KeyedCallOptions) {
    return this.#transport.call(retry, { params: { sessionId }, body }, options);
  }

  /** Does the step `from` of an ended session, and all behind it, again, in a new session. */
  fork(sessionId: string, body: SessionFork, options?: KeyedCallOptions) {
    return this.#transport.call(fork, { params: { sessionId }, body }, options);
  }

  /** What runs may end; nothing new is given out until it is resumed. */
  pause(sessionId: string, body: { reason?: string | undefined } = {}, options?: CallOptions) {
    return this.#transport.call(pause, { params: { sessionId }, body }, options);
  }

  /** Lets a paused session go on. */
  resume(sessionId: string, options?: CallOptions) {
    return this.#transport.call(resume, { params: { sessionId } }, options);
  }

  /** No new step starts, open tasks are cancelled, late results are refused; the answer tells which agents are to stop. */
  cancel(sessionId: string, body: { reason?: string | undefined } = {}, options?: CallOptions) {
    return this.#transport.call(cancel, { params: { sessionId }, body }, options);
  }

  /** One page of what became of those who were to stop, in the session and those within it; oldest first. */
  cancellations(sessionId: string, query: CancellationQuery = {}, options?: CallOptions) {
    return this.#transport.call(cancellations, { params: { sessionId }, query }, options);
  }

  /** All pages of that. */
  cancellationsAll(sessionId: string, query: CancellationQuery = {}, options?: CallOptions) {
    const pageOf = (cursor: string | undefined) =>
      this.cancellations(sessionId, { limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options);
    return allItems(pageOf);
  }

  /**
   * Waits until each agent that was to stop has said what it did, or was given up. Sits out restarts of the server.
   * @throws OpspawnWaitError when `timeout` is over first
   */
  async waitForStops(sessionId: string, options: WaitForOptions = {}): Promise<CancellationView[]> {
    const { clock, chance } = this.#transport;
    const { signal, onRetry } = options;
    const patience = microsOf(options.patience ?? "1m", "patience");
    const end = options.timeout === undefined ? Infinity : clock.now() + microsOf(options.timeout, "timeout");
    for (;;) {
      const began = clock.now();
      const again = { clock, chance, until: Math.min(end, began + patience), signal, onRetry };
      const all = await retrying(() => collected(this.cancellationsAll(sessionId, {}, { signal })), again);
      if (all.every(({ endedAt }) => endedAt !== null)) return all;
      if (clock.now() >= end) {
        const open = all.filter(({ endedAt }) => endedAt === null).length;
        throw new OpspawnWaitError(`${open} of ${all.length} cancellations are still open after ${options.timeout}`);
      }
      await atLeast(Math.min(SHORTEST_POLL, Math.max(end - began, 0)), began, clock, signal);
    }
  }

  /** Sends a signal; `delivered: false` = no step waits for it yet, and it is kept for the one that will. */
  signal(sessionId: string, name: string, body: { payload?: JsonValue } = {}, options?: KeyedCallOptions) {
    return this.#transport.call(sendSignal, { params: { sessionId, name }, body }, options);
  }

  /** Replaces all labels. */
  label(sessionId: string, labels: Record<string, string>, options?: CallOptions) {
    return this.#transport.call(label, { params: { sessionId }, body: { labels } }, options);
  }

  /** What the session waits for, evaluated now. */
  why(sessionId: string, options?: CallOptions) {
    return this.#transport.call(why, { params: { sessionId } }, options);
  }

  /** Events of the session and its tasks; `client.events.follow({ session })` tells them as they happen. */
  events(sessionId: string, query: OperationRequest<typeof events>["query"] = {}, options?: CallOptions) {
    return this.#transport.call(events, { params: { sessionId }, query }, options);
  }
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
