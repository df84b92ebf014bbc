import { OpspawnError } from "@opspawn/contract";
import type { Simulation } from "./simulation.ts";

/** Somebody who pauses sessions, and never forgets to let them go on. */
export class Pauser {
  readonly #sim: Simulation;
  readonly #paused = new Set<string>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** All that it paused goes on, or has ended. */
  get isContent(): boolean {
    return this.#paused.size === 0;
  }

  meetSometimes(sessionId: string): void {
    const sim = this.#sim;
    if (sim.roll(0.1)) sim.later(sim.between(200, 3_000), () => this.#pause(sessionId));
  }

  async #pause(sessionId: string): Promise<void> {
    const sim = this.#sim;
    // Whether it was heard shows when it is to go on.
    this.#paused.add(sessionId);
    await sim.call((store) => store.sessions.pause(sessionId, "pauser", null)).catch(() => undefined);
    sim.story.tell("client", `paused ${sessionId}`);
    sim.later(sim.between(500, 5_000), () => this.#resume(sessionId));
  }

  async #resume(sessionId: string): Promise<void> {
    const sim = this.#sim;
    try {
      await sim.call((store) => store.sessions.resume(sessionId, "pauser"));
    } catch (error) {
      const code = error instanceof OpspawnError ? error.code : null;
      // It has ended meanwhile, or there never was one: the server did not hear of it.
      if (code !== "session_terminal" && code !== "session_not_found") {
        sim.later(300, () => this.#resume(sessionId));
        return;
      }
    }
    this.#paused.delete(sessionId);
    sim.story.tell("client", `resumed ${sessionId}`);
  }
}
