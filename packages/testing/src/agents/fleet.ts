import { operations } from "@opspawn/contract";
import type { Members } from "../definition.ts";
import { Chance } from "../world/chance.ts";
import type { World } from "../world/world.ts";
import { ScriptedConduct } from "./script.ts";
import { ScriptedHost } from "./scripted-host.ts";
import { type AgentScript, TestHost, type ToolScript } from "./test-agent.ts";

/** The agents and tools of a test. They are registered when something next happens, so that naming them takes no wait. */
export class Fleet {
  readonly #world: World;
  readonly #agents: { name: string; capabilities: readonly string[] }[] = [];
  readonly #tools: string[] = [];
  #arriving: (() => Promise<unknown>)[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get members(): Members {
    return { agents: this.#agents, tools: this.#tools };
  }

  agent(name: string, script: AgentScript): TestHost {
    const { capabilities = [], concurrency = 1, timeout } = script;
    const contactEndpoint = this.#url("agent");
    const host = this.#host(name, "agent", script, contactEndpoint);
    this.#agents.push({ name, capabilities });
    const rest = timeout === undefined ? {} : { timeout };
    const body = {
      agentName: name,
      capabilities: [...capabilities],
      contactEndpoint,
      maxConcurrency: concurrency,
      ...rest,
    };
    this.#arriving.push(() => this.#world.call(operations.agents.register, { body }));
    return new TestHost(host);
  }

  tool(name: string, script: ToolScript): TestHost {
    const { concurrency, parameters } = script;
    const endpoint = this.#url("tool");
    const host = this.#host(name, "tool", script, endpoint);
    this.#tools.push(name);
    const body = {
      name,
      endpoint,
      ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }),
      ...(parameters === undefined ? {} : { parameters }),
    };
    this.#arriving.push(() => this.#world.call(operations.tools.register, { body }));
    return new TestHost(host);
  }

  /** Registers whoever is new. @throws OpspawnError as the API refuses it */
  async arrive(): Promise<void> {
    const arriving = this.#arriving;
    this.#arriving = [];
    for (const register of arriving) await register();
  }

  #url(kind: "agent" | "tool"): string {
    const number = kind === "agent" ? this.#agents.length + 1 : this.#tools.length + 1;
    return `http://${kind}-${number}.test/`;
  }

  #host(name: string, kind: "agent" | "tool", script: AgentScript | ToolScript, url: string): ScriptedHost {
    const world = this.#world;
    const chance = Chance.of(world.seed, `${kind}/${name}`);
    const conduct = new ScriptedConduct(name, script, chance, (problem) => world.complain(problem));
    const host = new ScriptedHost({ world, name, kind, conduct });
    world.network.add(url, host);
    return host;
  }
}
