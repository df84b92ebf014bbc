import type { AnnouncedAgent } from "../domain/agents/announcement.ts";
import type { HttpClient, HttpReader } from "../domain/http-client.ts";
import { AgentkitGateway } from "./channels/agentkit-gateway.ts";
import type { EngineOptions } from "./engine.ts";
import { Loop } from "./loop.ts";
import { Reconciler } from "./reconciler.ts";
import { TaskRelay } from "./task-relay.ts";

/** What a process needs to know where AgentKit and Ops-Core run apart. */
export interface OtherHalfOptions {
  /** Reaches the addresses of the operator's own settings. */
  readonly http: HttpClient & HttpReader;
  /** AgentKit in another process, whose agents are reached by its gateway; null = none. */
  readonly agentkit: AgentkitElsewhere | null;
  /** The origin of Ops-Core in another process, whose tasks are relayed to agents registered here; null = none. */
  readonly opsCoreOrigin: string | null;
}

export interface AgentkitElsewhere {
  /** The root of its API, without a trailing slash. */
  readonly url: string;
  readonly key: string | null;
  /** Takes an agent into the directory, as a REGISTER notification does. */
  readonly announce: (agent: AnnouncedAgent) => Promise<void>;
}

/** Tasks relayed at once: agents may think before they answer. */
const RELAY_AT_ONCE = 1_000;

/** What an engine does for the sake of the other half, where there is one. */
export class OtherHalf {
  /** Reaches the agents that AgentKit elsewhere told of. */
  readonly gateway: AgentkitGateway | undefined;
  readonly #relay: TaskRelay | undefined;
  readonly #relaying: Loop | undefined;
  readonly #reconciling: Loop | undefined;

  constructor({ otherHalf, ...options }: EngineOptions) {
    const { store, timers, log, signDelivery } = options;
    const { http, agentkit = null, opsCoreOrigin = null } = otherHalf ?? {};
    if (http === undefined) return;
    if (opsCoreOrigin !== null) {
      const { deliveries } = store;
      const own = { deliveries, internal: http, opsCoreOrigin, sign: signDelivery, atOnce: RELAY_AT_ONCE };
      const relay = new TaskRelay({ ...options, ...own });
      this.#relay = relay;
      this.#relaying = new Loop({ name: "relay", every: 500, tick: () => relay.tick(), timers, log });
    }
    if (agentkit !== null) {
      this.gateway = new AgentkitGateway({ ...agentkit, http });
      const reconciler = new Reconciler({ ...options, ...agentkit, agents: store.agents, http });
      this.#reconciling = new Loop({ name: "reconciler", every: 30_000, tick: () => reconciler.tick(), timers, log });
    }
  }

  start(): void {
    for (const loop of [this.#relaying, this.#reconciling]) {
      loop?.start();
      loop?.wake();
    }
  }

  /** A message that is no task is about to go to this agent. */
  readonly noteMessage = async (agentId: string): Promise<void> => {
    await this.#relay?.noteMessage(agentId);
  };

  /** A delivery may be due. */
  wake(): void {
    this.#relaying?.wake();
  }

  /** Resolves when no loop runs any more; exchanges under way go on. */
  async stop(): Promise<void> {
    await Promise.all([this.#relaying?.stop(), this.#reconciling?.stop()]);
  }

  /** Exchanges under way. */
  get open(): number {
    return this.#relay?.open ?? 0;
  }
}
