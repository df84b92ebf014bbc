import type { Probe } from "../../packages/ops-core/src/domain/agents/probe.ts";
import { NEVER } from "./host.ts";
import type { Simulation } from "./simulation.ts";
import type { Work } from "./work.ts";

/** The time that work takes, and what its agent says of it meanwhile. */
export class Effort {
  readonly #sim: Simulation;
  readonly #name: string;
  /** It says how far it is. */
  readonly counts: boolean;
  /** Microseconds; null = its platform need not listen for it. */
  readonly silenceTimeout: number | null;

  /** By which it shows that it works. */
  readonly probe: Probe | null;
  #brokenUntil = 0;

  constructor(sim: Simulation, name: string) {
    this.#sim = sim;
    this.#name = name;
    this.counts = sim.roll(0.7);
    this.probe = sim.roll(0.5)
      ? { parameters: {}, timeout: 3_000_000, ...(sim.roll(0.5) ? { expect: name } : {}) }
      : null;
    this.silenceTimeout = this.counts && sim.roll(0.5) ? sim.between(2, 5) * 1_000_000 : null;
  }

  /** For a while it gets nothing right, whatever it says of itself. */
  breakDown(ms: number): void {
    this.#sim.story.tell(this.#name, `is broken for ${ms} ms`);
    this.#brokenUntil = this.#sim.now + ms;
  }

  get isBroken(): boolean {
    return this.#sim.now < this.#brokenUntil && this.#sim.fault("agent was broken", 1);
  }

  /**
   * Works for so many milliseconds. Now and then it gets stuck over it, and says so with the same number over and over,
   * or stops for good without a word: then it never comes to an end.
   * @param isGone its agent has died meanwhile
   */
  async spend(work: Work, ms: number, isGone: () => boolean): Promise<void> {
    const sim = this.#sim;
    if (!this.counts) return sim.sleep(ms);
    const freezes = sim.fault("agent froze at work", 0.05);
    const stops = !freezes && sim.fault("agent stopped at work", 0.04);
    const works = freezes || stops ? sim.between(0, ms) : ms;
    const counter = await this.#count(work, sim.now + works, isGone);
    if (freezes) await this.#repeat(work, counter, isGone);
    if (freezes || stops || isGone()) return NEVER;
  }

  /** Gets on until then; how far it came. */
  async #count(work: Work, end: number, isGone: () => boolean): Promise<number> {
    const sim = this.#sim;
    let counter = 0;
    while (sim.now < end && !isGone()) {
      await sim.sleep(Math.min(sim.between(200, 1_500), end - sim.now));
      if (isGone()) break;
      counter += 1;
      await this.#say(work, counter);
    }
    return counter;
  }

  /** Says the same until it hears that nobody waits for it. */
  async #repeat(work: Work, counter: number, isGone: () => boolean): Promise<void> {
    const sim = this.#sim;
    let isWanted = true;
    while (isWanted && !isGone()) {
      await sim.sleep(sim.between(200, 1_500));
      if (!isGone()) isWanted = await this.#say(work, counter);
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
