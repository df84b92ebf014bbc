import { OpspawnError, stringifyJson } from "@opspawn/contract";
import type { Ports } from "../ports.ts";
import { DELIVERIES, type Wait } from "../waiters.ts";
import type { Agent } from "./agent.ts";
import { agentInfo } from "./agent-info.ts";

/** Milliseconds a registration waits for its news to be sent once. */
const SENT_WITHIN = 5_000;

type NotificationPorts = Pick<Ports, "store" | "ids" | "waiters" | "notifyUrl">;

/**
 * Tells Ops-Core elsewhere of an agent registered or removed here: a delivery like any other, so it arrives in the end,
 * and in order. Does nothing where nobody is to be told.
 * @returns the delivery's id, or null
 */
export async function notifyOpsCore(
  { store, ids, notifyUrl }: NotificationPorts,
  type: "REGISTER" | "DEREGISTER",
  agent: Agent,
): Promise<string | null> {
  // Ops-Core's notifications have no form for an agent that cannot be called.
  if (notifyUrl === null || agent.endpoint === null) return null;
  const id = `dlv_${ids.uuid()}`;
  // AgentKit without metadata must not send null: Ops-Core refuses it.
  const details = { ...agentInfo(agent), metadata: agent.metadata ?? {} };
  await store.deliveries.enqueue({
    id,
    kind: "notification",
    url: notifyUrl,
    headers: {},
    body: ascii(stringifyJson({ event_type: type, agent_details: details })),
    aggregate: agent.id,
    agentId: agent.id,
    sessionId: null,
  });
  return id;
}

/**
 * Tells of a registration and waits, for a while, until that was tried once: agents report their state right after they
 * have their id, and Ops-Core should know them by then.
 */
export async function notifyRegistration(ports: NotificationPorts, agent: Agent, signal: AbortSignal): Promise<void> {
  const id = await notifyOpsCore(ports, "REGISTER", agent);
  const wait = id === null ? null : openWait(ports, signal);
  if (id === null || wait === null) return;
  const isTried = async () => ((await ports.store.deliveries.get(id))?.attempts ?? 1) > 0;
  try {
    while (!(await isTried()) && (await wait.next()));
  } finally {
    wait.close();
  }
}

/** Null when too many wait, or the server stops: the registration is done, and must not fail for want of patience. */
function openWait({ waiters }: NotificationPorts, signal: AbortSignal): Wait | null {
  try {
    return waiters.open([DELIVERIES], SENT_WITHIN, signal);
  } catch (error) {
    if (error instanceof OpspawnError) return null;
    throw error;
  }
}

/** As the original wrote it: everything beyond ASCII as `\uXXXX`. */
function ascii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
