import { OpspawnError } from "@opspawn/contract";
import type { ToldReceipt } from "../../packages/ops-core/src/domain/effects/effect.ts";
import type { Simulation } from "./simulation.ts";
import type { Work } from "./work.ts";

const EFFECT = "pay";
/** Tries to announce; who is not heard pays nothing. */
const TRIES = 4;

/**
 * How an agent does something outside: it announces it, does it under the key that it is given, and tells of it. It dies
 * in between, forgets its receipt or tells it much later, says that it has not done it, and contradicts itself.
 */
export class Cashier {
  readonly #sim: Simulation;
  readonly #agent: string;
  readonly #die: () => void;

  constructor(sim: Simulation, agent: string, die: () => void) {
    this.#sim = sim;
    this.#agent = agent;
    this.#die = die;
  }

  /** False: the work cannot go on. */
  async pay(work: Work): Promise<boolean> {
    const sim = this.#sim;
    const key = await this.#announce(work);
    if (key === null || key === "done") return key === "done";
    if (sim.fault("agent died before its effect", 0.08)) return this.#dead();
    this.#pay(work, key);
    if (sim.fault("agent died after its effect", 0.12)) {
      // Or it only forgot to tell, until much later.
      if (sim.roll(0.5)) sim.later(sim.between(2_000, 20_000), () => this.#tell(work, "done"));
      return this.#dead();
    }
    if (!sim.fault("receipt forgotten", 0.15)) await this.#tell(work, "done");
    return true;
  }

  #dead(): boolean {
    this.#die();
    return false;
  }

  /** The key; `done` when it was done before, null when it is not to be done. */
  async #announce(work: Work): Promise<string | null> {
    const sim = this.#sim;
    const { taskId, token } = work;
    const payloadHash = sim.fault("agent contradicts itself", 0.03) ? "another" : "this";
    const intent = { effectId: EFFECT, kind: null, description: null, payload: null, payloadHash };
    for (let tries = 0; tries < TRIES; tries += 1) {
      try {
        const said = await sim.call((store) => store.effects.intend(taskId, token, intent), true);
        if (said.type === "done") return "done";
        return said.type === "differs" ? null : said.effect.key;
      } catch (error) {
        if (error instanceof OpspawnError && error.code === "lease_lost") return null;
        await sim.sleep(200);
      }
    }
    return null;
  }

  /** Whoever receives it does it once per key. */
  #pay({ taskId: task, attempt }: Work, key: string): void {
    const sim = this.#sim;
    const known = sim.paid.has(key);
    sim.paid.add(key);
    sim.story.tell(this.#agent, `pays for ${task} (${attempt})${known ? " again" : ""}`);
    sim.effects.push({ type: "outside", at: sim.now, agent: this.#agent, task, attempt, effect: EFFECT, key, known });
  }

  async #tell({ taskId, token, attempt }: Work, status: ToldReceipt["status"]): Promise<void> {
    const sim = this.#sim;
    const told: ToldReceipt = { status, result: null, note: null };
    for (let tries = 0; tries < TRIES; tries += 1) {
      try {
        const effect = await sim.call((store) => store.effects.receipt(taskId, token, EFFECT, told), true);
        if (effect.status !== "done")
          sim.complaints.push(`what was paid for ${taskId} (${attempt}) is ${effect.status}`);
        return;
      } catch {
        await sim.sleep(300);
      }
    }
  }
}
