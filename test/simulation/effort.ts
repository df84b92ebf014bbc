import type { Simulation } from "./simulation.ts";
import type { Work } from "./work.ts";

const NEVER = new Promise<never>(() => undefined);

/** The time that work takes, and what its agent says of it meanwhile. */
export class Effort {
  readonly #sim: Simulation;
  readonly #name: string;
  /** It says how far it is. */
  readonly counts: boolean;
  /** Microseconds; null = its platform need not listen for it. */
  readonly silenceTimeout: number | null;

  constructor(sim: Simulation, name: string) {
    this.#sim = sim;
    this.#name = name;
    this.counts = sim.roll(0.7);
    this.silenceTimeout = this.counts && sim.roll(0.5) ? sim.between(2, 5) * 1_000_000 : null;
  }

  /**
   * Works for so many milliseconds. Now and then it gets stuck over it, and says so with the same number over and over,
   * or stops for good without a word: then it never comes to an end.
   * @param isGone its agent has died meanwhile
   */
  async spend(work: Work, ms: number, isGone: () => boolean): Promise<void> {
    const sim = this.#sim;
    if (!this.counts) return sim.sleep(ms);
    const end = sim.now + ms;
    const freezes = sim.fault("agent froze at work", 0.05);
    const stops = !freezes && sim.fault("agent stopped at work", 0.04);
    const stuckFrom = freezes || stops ? sim.now + sim.between(0, ms) : Number.POSITIVE_INFINITY;
    for (let counter = 0; sim.now < end || sim.now >= stuckFrom; ) {
      await sim.sleep(Math.max(Math.min(sim.between(200, 1_500), Math.min(end, stuckFrom) - sim.now), 100));
      if (isGone()) return NEVER;
      const isStuck = sim.now >= stuckFrom;
      if (isStuck && stops) return NEVER;
      if (!isStuck) counter += 1;
      const isWanted = await this.#say(work, counter);
      if (isStuck && !isWanted) return NEVER;
    }
  }

  async #say({ taskId, token, attempt }: Work, counter: number): Promise<boolean> {
    const sim = this.#sim;
    const beat = { counter, note: null };
    // A word that was lost is made good by the next one.
    const noted = await sim.call((store) => store.attempts.progress(taskId, token, beat), true).catch(() => null);
    if (noted === null || noted.type === "noted") return true;
    sim.story.tell(this.#name, `hears that ${taskId} (${attempt}) is ${noted.attemptStatus}`);
    return false;
  }
}
