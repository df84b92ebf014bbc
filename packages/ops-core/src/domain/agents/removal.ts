import type { Ports } from "../ports.ts";
import { notifyOpsCore } from "./notification.ts";
import { needAgent } from "./view.ts";

/**
 * Deregisters an agent, and tells Ops-Core elsewhere.
 * @throws OpspawnError `agent_not_found`
 */
export async function removeAgent(ports: Ports, agentId: string): Promise<{ reassigned: number }> {
  const agent = await needAgent(ports.store, agentId);
  const removed = await ports.store.agents.remove(agentId);
  // Its keys ended with it.
  ports.keys.forget();
  await notifyOpsCore(ports, "DEREGISTER", agent);
  return removed;
}
