import { type JsonValue, operations } from "@opspawn/contract";
import type { WorkflowPlan } from "@opspawn/ops-core/testing";
import { ScriptedHost } from "../agents/scripted-host.ts";
import { Chance } from "../world/chance.ts";
import type { World } from "../world/world.ts";
import { DescribedConduct, type ResultOf } from "./described-conduct.ts";
import { fittingValue } from "./fitting-value.ts";
import type { AgentSpec, SimulationSpec, ToolSpec } from "./spec.ts";

/** Agents of one description, or a tool. */
export interface Group {
  readonly name: string;
  readonly kind: "agent" | "tool";
  readonly capabilities: readonly string[];
  readonly count: number;
  readonly concurrency: number;
  readonly hosts: readonly ScriptedHost[];
}

/** What is made of one description. */
interface Make {
  readonly kind: "agent" | "tool";
  readonly spec: AgentSpec | ToolSpec;
  readonly conduct: DescribedConduct;
}

/** The agents and tools of a description. */
export class DescribedFleet {
  readonly #world: World;
  readonly #spec: SimulationSpec;
  readonly #plans: readonly WorkflowPlan[];
  readonly #tellsTwice: () => boolean;

  /** @param tellsTwice whether a result is told a second time */
  constructor(world: World, spec: SimulationSpec, plans: readonly WorkflowPlan[], tellsTwice: () => boolean) {
    this.#world = world;
    this.#spec = spec;
    this.#plans = plans;
    this.#tellsTwice = tellsTwice;
  }

  /** Registers them all. @throws OpspawnError as the API refuses it */
  async arrive(): Promise<Group[]> {
    const groups: Group[] = [];
    for (const [index, agent] of this.#spec.agents.entries()) groups.push(await this.#addAgents(agent, index));
    for (const [name, tool] of Object.entries(this.#spec.tools)) groups.push(await this.#addTool(name, tool));
    return groups;
  }

  async #addAgents(spec: AgentSpec, index: number): Promise<Group> {
    const { name, capabilities, count, concurrency } = spec;
    const make = this.#make(name, "agent", spec);
    const hosts: ScriptedHost[] = [];
    for (let i = 1; i <= count; i += 1) {
      const agentName = count === 1 ? name : `${name}-${i}`;
      const contactEndpoint = `http://agent-${index + 1}-${i}.test/`;
      hosts.push(this.#addHost(agentName, make, contactEndpoint));
      const body = { agentName, capabilities: [...capabilities], contactEndpoint, maxConcurrency: concurrency };
      await this.#world.call(operations.agents.register, { body });
    }
    return { name, kind: "agent", capabilities, count, concurrency, hosts };
  }

  async #addTool(name: string, spec: ToolSpec): Promise<Group> {
    const { concurrency } = spec;
    const endpoint = `http://tool-${Object.keys(this.#spec.tools).indexOf(name) + 1}.test/`;
    const host = this.#addHost(name, this.#make(name, "tool", spec), endpoint);
    await this.#world.call(operations.tools.register, { body: { name, endpoint, maxConcurrency: concurrency } });
    return { name, kind: "tool", capabilities: [], count: 1, concurrency, hosts: [host] };
  }

  #make(name: string, kind: "agent" | "tool", spec: AgentSpec | ToolSpec): Make {
    const chance = Chance.of(this.#world.seed, `${kind}s/${name}`);
    return { kind, spec, conduct: new DescribedConduct(spec, chance, this.#resultsOf(spec)) };
  }

  #addHost(name: string, { kind, spec, conduct }: Make, url: string): ScriptedHost {
    const world = this.#world;
    const host = new ScriptedHost({ world, name, kind, conduct, tellsTwice: this.#tellsTwice });
    world.network.add(url, host);
    if (spec.fails !== undefined) planDeath(world, host, Chance.of(world.seed, `deaths/${name}`), spec.fails);
    return host;
  }

  #resultsOf(spec: AgentSpec | ToolSpec): ResultOf {
    const made = new Map<string | null, JsonValue>();
    return (stepId) => {
      const known = made.get(stepId);
      if (known !== undefined) return known;
      const step = this.#plans.flatMap(({ steps }) => steps).find(({ id }) => id === stepId);
      const schema = step?.outputSchema ?? undefined;
      const given = (stepId === null ? undefined : spec.results[stepId]) ?? spec.result;
      const result = given ?? (schema === undefined ? null : fittingValue(schema));
      made.set(stepId, result);
      return result;
    };
  }
}

interface Failing {
  readonly every: number;
  readonly repair: number;
}

/** It dies, is there again, and dies again, each after a time that is drawn. */
function planDeath(world: World, host: ScriptedHost, chance: Chance, { every, repair }: Failing): void {
  world.time.after(chance.exponential(every), () => {
    const back = chance.exponential(repair);
    host.die(back);
    world.time.after(back, () => planDeath(world, host, chance, { every, repair }));
  });
}
