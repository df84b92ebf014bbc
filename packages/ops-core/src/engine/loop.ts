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
  #running: Promise<void> | null = null;
  #again = false;
  #cancel: (() => void) | null = null;
  #state: "idle" | "started" | "stopped" = "idle";

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
    if (this.#running !== null) this.#again = true;
    else void this.#run();
  }

  /** Resolves when no tick runs any more. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#cancel?.();
    this.#cancel = null;
    await this.#running;
  }

  #arm(): void {
    if (this.#state !== "started") return;
    this.#cancel = this.#options.timers.set(this.#options.every, () => void this.#run());
  }

  async #run(): Promise<void> {
    if (this.#running !== null) return;
    this.#cancel?.();
    this.#running = this.#ticks();
    await this.#running;
    this.#running = null;
    this.#arm();
  }

  async #ticks(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#options.tick();
      } catch (error) {
        this.#options.log.error(
          { err: error, loop: this.#options.name },
          "A loop's tick failed; it will be tried again.",
        );
      }
    } while (this.#again && this.#state === "started");
  }
}
