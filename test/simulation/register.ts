import type { RegisterAgent } from "../../packages/ops-core/src/domain/store.ts";
import type { Simulation } from "./simulation.ts";

/** How an agent comes to be known: it registers itself, or AgentKit tells of it again and again. */
export class Register {
  readonly isAnnounced: boolean;
  readonly #sim: Simulation;
  readonly #name: string;
  /** The life and version under which AgentKit has told of it; null while that is not certain. */
  #known: { readonly life: string | null; readonly version: string } | null = null;

  constructor(sim: Simulation, name: string, isAnnounced: boolean) {
    this.#sim = sim;
    this.#name = name;
    this.isAnnounced = isAnnounced;
  }

  /** The id under which it is known from now on. */
  async enter(given: RegisterAgent): Promise<string> {
    const sim = this.#sim;
    const since = sim.clock.now();
    if (!this.isAnnounced) {
      const { agentId } = await sim.call((store) => store.agents.register(given));
      this.#ofEarlierLife(agentId, since);
      return agentId;
    }
    const known = this.#known;
    // Whatever comes of this, until it is answered.
    this.#known = null;
    const { id, registrationTime: life, version } = given;
    const told = await sim.call((store) => store.agents.announce(given));
    this.#known = { life, version };
    const isSame = known?.life === life && known.version === version;
    if (told.changed && isSame)
      sim.complaints.push(`${this.#name} was told of again, unchanged, and something changed`);
    if (known !== null && known.life !== life) this.#ofEarlierLife(id, since);
    return id;
  }

  /** It is deregistered, or may be. */
  forget(): void {
    this.#known = null;
  }

  /** What it was given before it was known to have begun anew is lost with its earlier life. */
  #ofEarlierLife(id: string, since: number): void {
    const sim = this.#sim;
    const sql = "select id from tasks where status = 'running' and agent_id = ? and attempt_created_at < ?";
    for (const task of sim.look<{ id: string }>(sql, id, since)) {
      sim.complaints.push(`${this.#name} has begun anew, and is thought to be at ${task.id}`);
    }
  }
}
