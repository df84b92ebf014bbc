import { OpspawnError } from "@opspawn/contract";
import type { Clock } from "../../packages/ops-core/src/domain/clock.ts";
import { EventStreams } from "../../packages/ops-core/src/domain/events/event-streams.ts";
import type { Failpoint, FailpointName } from "../../packages/ops-core/src/domain/failpoint.ts";
import type { HttpClient } from "../../packages/ops-core/src/domain/http-client.ts";
import type { Log } from "../../packages/ops-core/src/domain/log.ts";
import type { AttemptStore, Store } from "../../packages/ops-core/src/domain/store.ts";
import { Engine } from "../../packages/ops-core/src/engine/engine.ts";
import { SendCapacity } from "../../packages/ops-core/src/engine/send-capacity.ts";
import { TestTimers } from "../../packages/ops-core/src/outbound/test-timers.ts";
import type { SqliteStore } from "../../packages/ops-core/src/store/sqlite/store.ts";
import type { World } from "../../packages/ops-core/src/store/suite/test-world.ts";

const CAPACITY = 12;

/** No answer came: nobody listened, or the process died over the question. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/**
 * One life of the server's process. A real one ends between two instructions; this one can only be made to have no
 * effect any more: its statements fail, its timers never fire, nothing it sends leaves, and nobody hears its answers.
 */
export class Life {
  readonly timers = new TestTimers();
  /** See `Simulation.onlookers`. */
  readonly onlookers = new TestTimers();
  readonly capacity = new SendCapacity(CAPACITY);
  /** Rejects when it dies. */
  readonly death: Promise<never>;
  /** Where it was killed; null while it lives. */
  killedAt: string | null = null;
  /** It is up and takes requests. */
  serves = false;
  /** What its followers are told. */
  streams!: EventStreams;
  /** Tokens of the attempts that it has begun to send. */
  readonly posted = new Set<string>();
  #armed: FailpointName | null = null;
  #end: (error: Error) => void = () => undefined;

  readonly #complain: (what: string) => void;
  readonly #log: Log;

  /** @param complain hears of errors that no disk and no death explains */
  constructor(time: number, complain: (what: string) => void) {
    this.timers.time = time;
    this.onlookers.time = time;
    this.#complain = complain;
    this.#log = { error: ({ err }: { err?: unknown }) => complainOf(err, complain) } as unknown as Log;
    this.death = new Promise((_, reject) => {
      this.#end = reject;
    });
    this.death.catch(() => undefined);
  }

  get isAlive(): boolean {
    return this.killedAt === null;
  }

  /** The next time it comes to this point it dies there. */
  arm(point: FailpointName): void {
    this.#armed = point;
  }

  readonly failpoint: Failpoint = (name) => {
    if (name === this.#armed) this.kill(name);
  };

  kill(where: string): void {
    if (!this.isAlive) return;
    this.killedAt = where;
    this.serves = false;
    this.timers.waiting = [];
    this.onlookers.waiting = [];
    this.#end(new NoAnswer(`the server died (${where})`));
  }

  /**
   * Starts the engine on what the processes before it left.
   * @param late where its senders find the attempts once it is thought to be dead
   */
  async start({ ids, raw: store }: World, clock: Clock, http: HttpClient, late: () => AttemptStore): Promise<void> {
    this.streams = new EventStreams({ events: store.events, timers: this.onlookers, max: 100, maxPerKey: 100 });
    store.onCommit((hints) => this.streams.notify(hints));
    const engine = new Engine({
      store: this.#outlived(store, late, clock),
      http,
      clock,
      ids,
      timers: this.timers,
      log: this.#log,
      capacity: this.capacity,
      publicUrl: "http://us.test",
      signMessage: () => ({}),
      signDelivery: ({ id }) => ({ "webhook-id": id }),
      failpoint: this.failpoint,
    });
    try {
      await engine.start();
      this.serves = this.isAlive;
    } catch {
      this.kill("a commit of its start failed");
    }
  }

  /** What is found to be due must have been foreseen: who owns time goes by the store's outlook. */
  #announced(store: Store, own: AttemptStore, name: keyof AttemptStore, clock: Clock): unknown {
    if (name !== "expire") return own[name];
    return async (max: number) => {
      const { next } = (store as SqliteStore).outlook();
      const found = own.expire(max);
      const isForeseen = next !== null && next <= clock.now();
      const count = await found;
      if (count > 0 && !isForeseen && this.isAlive) this.#complain(`${count} things were due, and next was ${next}`);
      return count;
    };
  }

  /** A process that only stood still goes on where it was: what its senders saw, they tell its successor. */
  #outlived(store: Store, late: () => AttemptStore, clock: Clock): Store {
    const attempts = new Proxy(store.attempts, {
      get: (own, name: keyof AttemptStore) =>
        this.isAlive
          ? this.#announced(store, own, name, clock)
          : async (...given: never[]) => Reflect.apply(late()[name], null, given) as unknown,
    });
    return new Proxy(store, {
      get: (own, name) => (name === "attempts" ? attempts : (Reflect.get(own, name) as unknown)),
    });
  }
}

/** Defects of ours, which no fault of the world explains. @param complain is told of them */
export function complainOf(error: unknown, complain: (what: string) => void): void {
  if (!(error instanceof OpspawnError) || error.code !== "internal") return;
  complain(`${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`);
}
