import type { JsonObject } from "@opspawn/contract";
import { step, workflow } from "./test-definitions.ts";
import { need, type World } from "./test-world.ts";

export const TENANT = "${{ input.tenant }}";
export const AT_ONCE = { retry: { maxAttempts: 4, initialDelay: "0s" } };

/** A session with one step, which is limited; what is given is of the step. */
export function limited(w: World, tenant: string, fields: JsonObject = {}, capability = "work") {
  const rest = { concurrency: { key: TENANT, limit: 1 }, ...fields };
  return w.start(workflow([step("a", { agentCapability: capability, ...rest })]), { data: { tenant } });
}

export function rated(w: World, limit: number, per: string, fields: JsonObject = {}) {
  return limited(w, "t", { concurrency: null, rateLimit: { key: TENANT, limit, per }, ...fields });
}

export function many(w: World, name = "worker", capability = "work"): Promise<string> {
  return w.agent(name, { capabilities: [capability], maxConcurrency: 100 });
}

export async function taskOf(w: World, sessionId: string): Promise<string> {
  return need((await w.store.tasks.list({ limit: 5 }, { session: sessionId })).items[0], "task").id;
}

export async function why(w: World, sessionId: string): Promise<string | undefined> {
  return (await w.store.tasks.why(await taskOf(w, sessionId)))?.reason;
}

/** The first limit that is listed, as `held/limit, waiting`. */
export async function listed(w: World): Promise<string> {
  const { items } = await w.store.limits.list({ limit: 9 }, {});
  return items.map(({ key, held, limit, waiting }) => `${key} ${held}/${limit}, ${waiting}`).join("; ");
}
