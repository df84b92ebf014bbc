import { OpspawnError } from "@opspawn/contract";
import type { Store } from "../../packages/ops-core/src/domain/store.ts";
import { succeeded } from "../../packages/ops-core/src/store/suite/test-world.ts";
import type { Simulation } from "./simulation.ts";

/** Speaks in the name of an agent, or of nobody, and must not be believed. */
export class Impostor {
  readonly #sim: Simulation;
  readonly #agent: { readonly id: string; readonly name: string; readonly isAway: boolean };

  constructor(sim: Simulation, agent: { readonly id: string; readonly name: string; readonly isAway: boolean }) {
    this.#sim = sim;
    this.#agent = agent;
  }

  /** It tells the outcome of the task it was given last, under a token that it never got. */
  async makeUpToken(): Promise<void> {
    const sim = this.#sim;
    const last = sim.effects.findLast((entry) => entry.type === "delivery" && entry.agent === this.#agent.name);
    if (last?.type !== "delivery") return;
    const token = `${sim.between(1, last.attempt + 1)}.made-up`;
    const { type } = await sim.call((store) => store.attempts.settle(last.task, token, succeeded("made up")));
    sim.complaints.push(`a result of ${last.task} under the token ${token}, which nobody was given, was ${type}`);
  }

  /** Somebody else takes its name, and does not get it. */
  async pretend(): Promise<void> {
    const { id, name } = this.#agent;
    const replace = this.#sim.pick(["never", "same-endpoint"] as const);
    // Where its endpoint is proof, another one is none; where nothing is, not even the same.
    const endpoint = replace === "never" ? `http://${name}.test/` : "http://somebody.test/";
    const other = this.#sim.world.registration(name, { endpoint, channel: "push", replace });
    // Only while it is there: who has left may be replaced.
    const isThere = await this.#sim.call((store) => store.agents.get(id));
    if (isThere === null || this.#agent.isAway) return;
    await this.#refused("agent_name_taken", (store) => store.agents.register(other));
  }

  /** Nobody is known by this id. */
  async beNobody(): Promise<void> {
    const nobody = this.#sim.world.ids.uuid();
    await this.#refused("agent_not_found", (store) => store.agents.claim(nobody, 1));
    await this.#refused("agent_not_found", (store) => store.agents.remove(nobody));
    // It is known, and AgentKit has told of it since.
    const { id, name } = this.#agent;
    await this.#sim.call((store) => store.agents.remove(id, 1)).catch(() => undefined);
    const found = await this.#sim.call((store) => store.agents.get(id));
    const isRight = found !== null || this.#agent.isAway || id !== this.#agent.id;
    if (!isRight) this.#sim.complaints.push(`${name} was removed by news that are out of date`);
  }

  /** Takes the agent off the register. */
  async leave(): Promise<void> {
    const sim = this.#sim;
    const { id, name } = this.#agent;
    await this.#refused("agent_not_found", async (store) => {
      await store.agents.remove(id);
      if ((await store.agents.get(id)) !== null) sim.complaints.push(`${name} was removed and is still there`);
      throw new OpspawnError("agent_not_found", "It is gone.");
    });
  }

  async #refused(code: string, ask: (store: Store) => Promise<unknown>): Promise<void> {
    const sim = this.#sim;
    const answer = await sim.call(ask).then(
      () => "done",
      (error: unknown) => (error instanceof OpspawnError ? error.code : null),
    );
    if (answer === null || answer === code || answer === "unavailable") return;
    sim.complaints.push(`what had to be refused with ${code} was ${answer}`);
  }
}
