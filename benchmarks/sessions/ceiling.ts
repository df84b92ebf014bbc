import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Agents } from "./agents.ts";
import type { CeilingSetUp } from "./ceiling-server.ts";
import { SessionClient } from "./client.ts";
import type { Variant } from "./round.ts";
import type { Shapes } from "./shapes.ts";

/** As long as a real key; the ceiling does not look at it. */
const KEY = `opk_00000000-0000-7000-8000-000000000000_${"0".repeat(44)}`;

export interface Ceiling extends Variant {
  /** A server in the same process whose handler does nothing. */
  readonly empty: string;
}

/** Starts the ceiling's server and lets the agents work for it too. */
export async function startCeiling(agents: Agents, shapes: Shapes): Promise<Ceiling> {
  const child = fork(join(import.meta.dirname, "ceiling-server.ts"), { execArgv: [] });
  const setUp: CeilingSetUp = { shapes, endpoints: agents.endpoints };
  child.send(setUp);
  const [{ origin, empty }] = (await once(child, "message")) as [{ origin: string; empty: string }];
  agents.workFor(
    origin,
    agents.endpoints.map(() => KEY),
  );
  const client = new SessionClient(origin, KEY);
  return {
    name: "ceiling",
    client,
    origin,
    empty,
    pid: child.pid ?? 0,
    stop: async () => {
      client.close();
      await agents.leave(origin);
      child.disconnect();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
