import { type EventView, isJsonObject, operations, parseJson } from "@opspawn/contract";
import { requestPath } from "./address.ts";
import { sleep } from "./clock.ts";
import { microsOf } from "./duration.ts";
import { isPassing, OpspawnApiError, OpspawnConnectionError, OpspawnResetError } from "./errors.ts";
import { pauseBefore } from "./retry.ts";
import { type Block, readBlocks } from "./server-sent.ts";
import type { Transport } from "./transport.ts";

/** An event, and what to give as `after` to go on behind it, in this process or another one. */
export interface FollowedEvent extends EventView {
  readonly cursor: string;
}

export interface FollowOptions {
  /** Only of this session, until it has ended. */
  readonly session?: string | undefined;
  /** Only of this task, until it has ended. */
  readonly task?: string | undefined;
  /** Of this session, stand-alone task or agent, without an end. */
  readonly stream?: string | undefined;
  /** Of this agent, and of the attempts it was given. */
  readonly agent?: string | undefined;
  /** Of types that begin like this: `task.`. */
  readonly type?: string | undefined;
  /**
   * Events after it follow: the `cursor` of an event, or a position (a `sequence` where one stream, session or task is
   * followed). Default: from the first one kept.
   */
  readonly after?: string | number | undefined;
  /** Ends the iteration, quietly. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time without an answer (a server that restarts) before the error is thrown. Default `1m`. */
  readonly patience?: string | undefined;
  /** Hears of each failure that will be tried again. */
  readonly onRetry?: ((error: unknown) => void) | undefined;
  /** Hears (`expired`, `foreign`) that the place is lost; everything kept follows. Default: an error is thrown. */
  readonly onReset?: ((reason: string) => void) | undefined;
}

/** The server says something every 15 s. */
const LONGEST_SILENCE = 45_000_000;

/** See `Events.follow`. */
export async function* follow(transport: Transport, options: FollowOptions): AsyncGenerator<FollowedEvent, void> {
  const following = new Following(transport, options);
  try {
    while (!following.isOver) yield* following.connection();
  } finally {
    following.stop();
  }
}

class Following {
  isOver = false;
  readonly #transport: Transport;
  readonly #options: FollowOptions;
  readonly #patience: number;
  readonly #stopped = new AbortController();
  readonly #signal: AbortSignal;
  #cursor: string;
  #after: number | undefined;
  /** When the server was last heard. */
  #heard: number;
  #failures = 0;

  constructor(transport: Transport, options: FollowOptions) {
    const { after, signal } = options;
    this.#transport = transport;
    this.#options = options;
    this.#patience = microsOf(options.patience ?? "1m", "patience");
    this.#signal = signal === undefined ? this.#stopped.signal : AbortSignal.any([signal, this.#stopped.signal]);
    this.#cursor = typeof after === "string" ? after : "";
    this.#after = typeof after === "number" ? after : undefined;
    this.#heard = transport.clock.now();
    this.isOver = signal?.aborted === true;
  }

  stop(): void {
    this.isOver = true;
    this.#stopped.abort();
  }

  /** What one connection tells, until it ends; with the pause before the next one. */
  async *connection(): AsyncGenerator<FollowedEvent, void> {
    try {
      yield* this.#read();
      if (!this.isOver) await this.#pause(undefined);
    } catch (error) {
      if (this.isOver || this.#options.signal?.aborted) this.stop();
      else if (isPassing(error)) await this.#pause(error);
      else throw error;
    }
  }

  async *#read(): AsyncGenerator<FollowedEvent, void> {
    const { clock, baseUrl } = this.#transport;
    const silent = new AbortController();
    const signal = AbortSignal.any([this.#signal, silent.signal]);
    let cancel = (): void => undefined;
    const heard = (): void => {
      cancel();
      this.#heard = clock.now();
      cancel = clock.after(LONGEST_SILENCE, () => silent.abort());
    };
    try {
      const bytes = await this.#transport.open(this.#path(), this.#cursor, signal);
      if (bytes === null) {
        this.isOver = true;
        return;
      }
      heard();
      for await (const block of broken(readBlocks(bytes, heard), baseUrl)) {
        yield* this.#take(block);
        if (this.isOver) return;
      }
    } finally {
      cancel();
      silent.abort();
    }
  }

  *#take({ event, data, id }: Block): Generator<FollowedEvent, void> {
    if (id !== undefined) {
      this.#cursor = id;
      this.#after = undefined;
    }
    if (data === undefined) return;
    if (event === "reset") this.#reset(String(objectOf(data).reason));
    else if (event === "end") this.isOver = true;
    else if (event === undefined) {
      this.#failures = 0;
      yield { ...(objectOf(data) as unknown as EventView), cursor: this.#cursor };
    }
  }

  #reset(reason: string): void {
    if (this.#options.onReset === undefined) throw new OpspawnResetError(reason);
    this.#options.onReset(reason);
  }

  #path(): string {
    const { session, task, stream, agent, type } = this.#options;
    const query = { after: this.#cursor === "" ? this.#after : undefined, type };
    if (session !== undefined) return requestPath(operations.sessions.events, { sessionId: session }, query);
    if (task !== undefined) return requestPath(operations.tasks.events, { taskId: task }, query);
    return requestPath(operations.events.list, {}, { ...query, stream, agent });
  }

  /** @param error why it failed; undefined when the server ended the connection, because it restarts for instance */
  async #pause(error: unknown): Promise<void> {
    const { clock, chance } = this.#transport;
    const asked = error instanceof OpspawnApiError ? (error.retryAfter ?? 0) : 0;
    const pause = Math.max(asked, pauseBefore(this.#failures, chance));
    if (error !== undefined) {
      if (clock.now() + pause >= this.#heard + this.#patience) throw error;
      this.#options.onRetry?.(error);
    }
    this.#failures += 1;
    await sleep(clock, pause, this.#signal).catch(() => this.stop());
  }
}

/** What ends a connection in the middle is a failure of the connection, whatever `fetch` calls it. */
async function* broken(blocks: AsyncGenerator<Block>, baseUrl: string): AsyncGenerator<Block> {
  try {
    yield* blocks;
  } catch (error) {
    const message = `The connection to ${baseUrl} was cut off.`;
    throw new OpspawnConnectionError("unreachable", baseUrl, message, error);
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  return isJsonObject(value) ? value : {};
}
