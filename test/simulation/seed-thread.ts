import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Told } from "./scenario.ts";

/**
 * Simulates seeds in a thread of its own. In that of its tests node:test follows every promise, and a simulation makes
 * millions of them: it would take a third more time.
 */
export class SeedThread {
  readonly #worker = new Worker(new URL("./seed-worker.ts", import.meta.url));

  /** One after the other. Rejects when the simulation throws, and is of no use after that. */
  async simulate(seed: number): Promise<Told> {
    this.#worker.postMessage(seed);
    const [told] = (await once(this.#worker, "message")) as [Told];
    return told;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
