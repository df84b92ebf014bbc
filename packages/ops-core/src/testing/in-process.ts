import type { JsonValue, Operation, OperationOutput, OperationRequest } from "@opspawn/contract";
import { guardOperations } from "../auth/guard.ts";
import { Mint } from "../auth/mint.ts";
import type { Clock } from "../domain/clock.ts";
import type { Actor, Context } from "../domain/context.ts";
import type { Failpoint } from "../domain/failpoint.ts";
import type { HttpClient } from "../domain/http-client.ts";
import type { Ids } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import { createOperations, type Handlers } from "../domain/operations.ts";
import type { Ports } from "../domain/ports.ts";
import type { StoredEvent } from "../domain/store.ts";
import type { Timers } from "../domain/timers.ts";
import { Waiters } from "../domain/waiters.ts";
import { compileStored, Plans } from "../domain/workflows/plans.ts";
import { Engine, type LoopName } from "../engine/engine.ts";
import { SendCapacity } from "../engine/send-capacity.ts";
import { handlerOf } from "../http/operation-runner.ts";
import { readPart } from "../http/request-input.ts";
import type { Outlook } from "../store/sqlite/outlook.ts";
import { openSqlite, type SqliteStore } from "../store/sqlite/store.ts";
import type { MemoryData } from "./memory-data.ts";

/** The whole world of a process: it reads no clock, makes no chance and opens no connection of its own. */
export interface Surroundings {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly timers: Timers;
  /** See `EngineOptions`. */
  readonly pollTimers?: (loop: LoopName) => Timers;
  /** Reaches agents, tools and receivers of webhooks. */
  readonly http: HttpClient;
  readonly log: Log;
  readonly failpoint?: Failpoint;
}

export interface InProcessOptions extends Surroundings {
  readonly data: MemoryData;
  /** Messages under way at once. Default: 10,000. */
  readonly maxSends?: number;
}

/** What an operation is given; what it does not name is empty. */
export type Request<Op extends Operation> = Partial<OperationRequest<Op>>;

const MAX_SENDS = 10_000;
const MAX_WAITS = 10_000;
const URL_OF_IT = "http://opspawn.test";

/**
 * The server without its transports, in a world that the caller owns: the store, the operations and the engine that
 * production runs, wired as `app.ts` wires them. Operations are called as a request would call them: checked against
 * their schemas, and guarded.
 */
export class InProcess {
  readonly #store: SqliteStore;
  readonly #operations: Handlers;
  readonly #engine: Engine;
  readonly #waiters: Waiters;
  readonly #ids: Ids;
  #news = 0;

  constructor(options: InProcessOptions) {
    const { data, clock, ids, timers, http, log, pollTimers, failpoint } = options;
    const capacity = new SendCapacity(options.maxSends ?? MAX_SENDS);
    this.#ids = ids;
    this.#store = openSqlite(
      { path: ":memory:", clock, ids, compile: compileStored, sendCapacity: capacity.left, failpoint },
      () => data.connection,
    );
    const store = this.#store;
    this.#waiters = new Waiters({ timers, max: MAX_WAITS });
    store.onCommit((hints) => {
      this.#waiters.notify(hints);
      if (hints.streams.size > 0) this.#news += 1;
    });
    this.#operations = guardOperations(createOperations(this.#ports(options)), {
      agentOfTask: async (taskId) => (await store.tasks.get(taskId))?.agentId ?? null,
    });
    this.#engine = new Engine({
      store,
      http,
      clock,
      ids,
      timers,
      log,
      capacity,
      publicUrl: URL_OF_IT,
      signMessage: () => ({}),
      signDelivery: ({ id }) => ({ "webhook-id": id }),
      ...(pollTimers === undefined ? {} : { pollTimers }),
      ...(failpoint === undefined ? {} : { failpoint }),
    });
  }

  /** Takes up what a process before it left, then runs. */
  start(): Promise<void> {
    return this.#engine.start();
  }

  /** True while something happens for which no time has to pass. */
  get isBusy(): boolean {
    return this.#store.isBusy;
  }

  /** Commits so far that brought events. */
  get news(): number {
    return this.#news;
  }

  /** Transitions committed so far. */
  get transitions(): number {
    return this.#store.stats.transitions;
  }

  /** The step that a task does, or undoes; null for one that stands alone, or is not known. */
  async stepOf(taskId: string): Promise<string | null> {
    return (await this.#store.tasks.get(taskId))?.stepId ?? null;
  }

  outlook(): Outlook {
    return this.#store.outlook();
  }

  /** Events after a position, or of one stream after a sequence; oldest first. */
  events(after: number, limit: number, stream?: string): Promise<readonly StoredEvent[]> {
    return this.#store.events.list(after, limit, stream);
  }

  /** The word for why a task waits; null when it does not. */
  async whyTask(taskId: string): Promise<string | null> {
    return (await this.#store.tasks.why(taskId))?.reason ?? null;
  }

  /** See `SqliteStore.forget`. */
  forget(sessionIds: readonly string[]): Promise<readonly string[]> {
    return this.#store.forget(sessionIds);
  }

  /** Does what a request would do. @throws OpspawnError as the request would be refused */
  async call<Op extends Operation>(
    operation: Op,
    request: Request<Op>,
    actor: Actor,
    idempotencyKey?: string,
  ): Promise<OperationOutput<Op>> {
    const { params, query, body } = operation;
    const input = {
      params: params === undefined ? {} : readPart(params, "path", request.params ?? {}),
      query: query === undefined ? {} : readPart(query.strict(), "query", request.query ?? {}),
      body: body === undefined ? undefined : readPart(body, "body", request.body),
    };
    const context: Context = {
      actor,
      requestId: this.#ids.uuid(),
      idempotencyKey,
      signal: new AbortController().signal,
      replayed: false,
    };
    const output: JsonValue = await handlerOf(this.#operations, operation)(context, input);
    return output as OperationOutput<Op>;
  }

  #ports({ clock, ids, http }: InProcessOptions): Ports {
    return {
      store: this.#store,
      clock,
      ids,
      waiters: this.#waiters,
      plans: new Plans(this.#store.workflows),
      keys: new Mint({ ids, root: "", forget: () => undefined }),
      decideUrl: () => ({ isAllowed: true }),
      http,
      publicUrl: () => URL_OF_IT,
      reregister: "same-endpoint",
      agentKeys: true,
      notifyUrl: null,
      opsCoreOrigin: null,
    };
  }
}
