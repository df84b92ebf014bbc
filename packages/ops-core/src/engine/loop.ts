import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";

export interface LoopOptions {
  readonly name: string;
  /** Milliseconds between the end of one tick and the start of the next. */
  readonly every: number;
  readonly tick: () => Promise<unknown>;
  readonly timers: Timers;
  readonly log: Log;
}

/** Calls `tick` again and again, never twice at a time. A tick that fails is logged; the next one comes all the same. */
export class Loop {
  readonly #options: LoopOptions;
  #state: "idle" | "started" | "stopped" = "idle";
  #ticking = false;
  #again = false;
  #ticks = Promise.resolve();
  #cancel: (() => void) | null = null;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Starting twice is starting once; a stopped loop stays stopped. */
  start(): void {
    if (this.#state !== "idle") return;
    this.#state = "started";
    this.#arm();
  }

  /** Asks for a tick as soon as the present one has ended. */
  wake(): void {
    if (this.#state !== "started") return;
    if (this.#ticking) this.#again = true;
    else this.#begin();
  }

  /** Resolves when no tick runs any more. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#cancel?.();
    this.#cancel = null;
    await this.#ticks;
  }

  #arm(): void {
    if (this.#state !== "started") return;
    this.#cancel = this.#options.timers.set(this.#options.every, () => this.#begin());
  }

  #begin(): void {
    this.#cancel?.();
    this.#cancel = null;
    // Before the tick, which may wake its own loop while it has not promised anything yet.
    this.#ticking = true;
    this.#ticks = this.#run();
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      await this.#tick();
    } while (this.#again && this.#state === "started");
    // In the same turn as the last look at `again`, so that no wake falls between.
    this.#ticking = false;
    this.#arm();
  }

  async #tick(): Promise<void> {
    const { tick, log, name } = this.#options;
    try {
      await tick();
    } catch (error) {
      log.error({ err: error, loop: name }, "A loop's tick failed; it will be tried again.");
    }
  }
}
