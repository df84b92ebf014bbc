import { type CannonClient, type CannonRequest, requestsPerSecond } from "../harness/autocannon.ts";
import type { Product } from "../harness/product.ts";

interface Member {
  readonly agentId: string;
  readonly agentKey: string;
}

/** Agents that report their states, each over a connection of its own and with its own key. */
export class Fleet {
  readonly #product: Product;
  readonly #members: readonly Member[];

  private constructor(product: Product, members: readonly Member[]) {
    this.#product = product;
    this.#members = members;
  }

  static async register(product: Product, size: number): Promise<Fleet> {
    const members: Member[] = [];
    for (let n = 0; n < size; n += 1) {
      const body = { agentName: `bench-${n}`, channel: "pull" };
      const { agent, agentKey } = await product.call<{ agent: { agentId: string }; agentKey: string }>(
        "POST",
        "/v1/opscore/agents",
        body,
      );
      members.push({ agentId: agent.agentId, agentKey });
    }
    return new Fleet(product, members);
  }

  /** Reports per second, all members at once, each as fast as it is answered. @throws Error unless each answer is a 2xx */
  report(seconds: number): Promise<number> {
    let next = 0;
    return requestsPerSecond({
      url: this.#product.origin,
      connections: this.#members.length,
      duration: seconds,
      setupClient: (client: CannonClient) => {
        const member = this.#members[next % this.#members.length];
        next += 1;
        // Every report is a change of state, as with agents that work.
        if (member !== undefined) client.setRequests([reportOf(member, "active"), reportOf(member, "idle")]);
      },
    });
  }

  /** The reports that the server has kept of one member. */
  async kept(): Promise<number> {
    const path = `/v1/opscore/agents/${this.#members[0]?.agentId}/states`;
    return (await this.#product.call<{ items: unknown[] }>("GET", path)).items.length;
  }
}

function reportOf({ agentId, agentKey }: Member, state: string): CannonRequest {
  const details = { task_name: "summarise the findings", progress: 0.5 };
  const body = (): string => JSON.stringify({ agentId, timestamp: new Date().toISOString(), state, details });
  return {
    method: "POST",
    path: `/v1/opscore/agent/${agentId}/state`,
    headers: { authorization: `Bearer ${agentKey}`, "content-type": "application/json", accept: "application/json" },
    body: body(),
    setupRequest: (request) => ({ ...request, body: body() }),
  };
}
