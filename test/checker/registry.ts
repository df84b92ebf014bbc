import type { Fact, History } from "./history.ts";

/** Which agents were registered at which moment, by the log. */
export class Registry {
  readonly #facts: readonly Fact[];

  constructor(history: History) {
    const all = [...history.streams.values()].flat();
    this.#facts = all.filter(({ type }) => type.startsWith("agent.")).sort((a, b) => a.position - b.position);
  }

  /** An agent that serves a lane when something is said to have happened because another one went; or null. */
  left(lane: string, { position, at }: Fact): string | null {
    const served = new Map<string, readonly string[]>();
    for (const { type, data, position: where, at: then } of this.#facts) {
      const id = String(data.agentId);
      if (type === "agent.removed" && (where < position || then === at)) served.delete(id);
      if ((type !== "agent.registered" && type !== "agent.updated") || where > position) continue;
      const capabilities = data.capabilities as string[];
      served.set(id, [`agent:${id}`, `name:${data.agentName}`, ...capabilities.map((each) => `capability:${each}`)]);
    }
    return [...served].find(([, lanes]) => lanes.includes(lane))?.[0] ?? null;
  }
}
