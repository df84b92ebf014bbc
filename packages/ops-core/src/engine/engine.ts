import type { Clock } from "../domain/clock.ts";
import type { Failpoint } from "../domain/failpoint.ts";
import type { HttpClient } from "../domain/http-client.ts";
import type { Ids } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Hints, Store } from "../domain/store.ts";
import type { Timers } from "../domain/timers.ts";
import { HttpPush, type SignMessage } from "./channels/http-push.ts";
import { Loop } from "./loop.ts";
import { OtherHalf, type OtherHalfOptions } from "./other-half.ts";
import { Outbox, type SignDelivery } from "./outbox.ts";
import type { SendCapacity } from "./send-capacity.ts";

export interface EngineOptions {
  readonly store: Store;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly timers: Timers;
  readonly log: Log;
  /** Shared with the store, which claims no more than this process can send. */
  readonly capacity: SendCapacity;
  /** Where agents reach this server, without a trailing slash. */
  readonly publicUrl: string;
  readonly signMessage: SignMessage;
  readonly signDelivery: SignDelivery;
  /** Where AgentKit and Ops-Core run apart. */
  readonly otherHalf?: OtherHalfOptions;
  /** Timers of each loop's polls; default: `timers`. Who owns time may leave out polls that would find nothing. */
  readonly pollTimers?: (loop: LoopName) => Timers;
  readonly failpoint?: Failpoint;
}

/** The engine's own loops. */
export type LoopName = "dispatcher" | "timers" | "heart" | "adopter" | "outbox" | "pruner" | "schedules";

const CLAIM_AT_ONCE = 200;
const EXPIRE_AT_ONCE = 500;
const FIRE_AT_ONCE = 100;
const ADOPT_AT_ONCE = 200;
const PRUNE_AT_ONCE = 1_000;
/** Milliseconds a stop waits for exchanges under way; what is left is sent again by the next start. */
const DRAIN_WITHIN = 5_000;
/** Milliseconds after which a dispatch looks everywhere, however many lanes were named meanwhile. */
const LOOK_EVERYWHERE = 200;

/** The loops that make stored intent happen. Wake-ups are hints; what is polled is the truth. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #push: HttpPush;
  readonly #outbox: Outbox;
  readonly #otherHalf: OtherHalf;
  readonly #loops: Readonly<Record<LoopName, Loop>>;
  readonly #lanes = new Set<string>();
  #lookedEverywhere = Number.NEGATIVE_INFINITY;
  #unsubscribe: (() => void) | null = null;

  constructor(options: EngineOptions) {
    const { store, timers, log } = options;
    this.#options = options;
    this.#otherHalf = new OtherHalf(options);
    const { gateway, noteMessage } = this.#otherHalf;
    this.#push = new HttpPush({ ...options, attempts: store.attempts, sign: options.signMessage, gateway });
    const { signDelivery: sign, otherHalf } = options;
    this.#outbox = new Outbox({
      ...options,
      deliveries: store.deliveries,
      sign,
      internal: otherHalf?.http,
      noteMessage,
    });
    const { pollTimers = () => timers } = options;
    const loop = (name: LoopName, every: number, tick: () => Promise<unknown>) =>
      new Loop({ name, every, tick, timers: pollTimers(name), log });
    this.#loops = {
      dispatcher: loop("dispatcher", LOOK_EVERYWHERE, () => this.dispatch()),
      timers: loop("timers", 250, () => this.expire()),
      heart: loop("heart", 1_000, () => store.process.beat()),
      adopter: loop("adopter", 3_000, () => this.adopt()),
      outbox: loop("outbox", 500, () => this.#outbox.tick()),
      schedules: loop("schedules", 250, () => this.fire()),
      pruner: loop("pruner", 60_000, () => store.process.prune(PRUNE_AT_ONCE)),
    };
  }

  /** Judges the time nobody judged, takes over what an earlier process was sending, then starts the loops. */
  async start(): Promise<void> {
    const { store, capacity, failpoint } = this.#options;
    this.#unsubscribe = store.onCommit((hints) => this.#notice(hints));
    capacity.open(() => this.#push.open);
    await store.process.beat();
    failpoint?.("start.before-adopt");
    await this.adopt();
    failpoint?.("start.after-adopt");
    for (const loop of Object.values(this.#loops)) loop.start();
    this.#otherHalf.start();
    this.#loops.dispatcher.wake();
    this.#loops.outbox.wake();
  }

  /** Claims nothing more, lets exchanges under way finish for a while, and says farewell. */
  async stop(): Promise<void> {
    const { store, capacity, timers } = this.#options;
    capacity.close();
    await Promise.all([...Object.values(this.#loops).map((loop) => loop.stop()), this.#otherHalf.stop()]);
    const started = timers.now();
    while (this.#push.open + this.#outbox.open + this.#otherHalf.open > 0 && timers.now() - started < DRAIN_WITHIN) {
      await new Promise<void>((resolve) => timers.set(20, resolve));
    }
    this.#unsubscribe?.();
    await this.#push.flush();
    await store.process.resign();
  }

  /** Claims waiting work: in the lanes a commit named, or everywhere. */
  async dispatch(): Promise<void> {
    const { store, timers } = this.#options;
    // Nobody names the lanes of work whose time has come, so hints alone would leave it waiting.
    const everywhere = this.#lanes.size === 0 || timers.now() - this.#lookedEverywhere >= LOOK_EVERYWHERE;
    const lanes = everywhere ? undefined : [...this.#lanes];
    if (everywhere) this.#lookedEverywhere = timers.now();
    this.#lanes.clear();
    while ((await store.tasks.claimLanes(CLAIM_AT_ONCE, lanes)) >= CLAIM_AT_ONCE);
  }

  /** Decides everything that is due. */
  async expire(): Promise<void> {
    while ((await this.#options.store.attempts.expire(EXPIRE_AT_ONCE)) >= EXPIRE_AT_ONCE);
  }

  /** Starts what schedules have due. */
  async fire(): Promise<void> {
    while ((await this.#options.store.schedules.fire(FIRE_AT_ONCE)) > 0);
  }

  /** Sends what an earlier process was sending, and what is ours without our knowing. */
  async adopt(): Promise<void> {
    const { attempts } = this.#options.store;
    while ((await attempts.adopt(ADOPT_AT_ONCE, this.#push.known)).length >= ADOPT_AT_ONCE);
  }

  #notice(hints: Hints): void {
    for (const { id, stop } of hints.endedAttempts) this.#push.ended(id, stop);
    for (const attempt of hints.claimed) void this.#push.deliver(attempt);
    if (hints.lanes.size > 0) {
      for (const lane of hints.lanes) this.#lanes.add(lane);
      this.#loops.dispatcher.wake();
    }
    if (!hints.deliveries) return;
    this.#loops.outbox.wake();
    this.#otherHalf.wake();
  }
}
