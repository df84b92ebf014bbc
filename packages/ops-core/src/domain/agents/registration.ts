import { formatTime, type OperationInput, OpspawnError, type operations } from "@opspawn/contract";
import type { ApiKey } from "../auth/key.ts";
import { keyRecord, type MintedKey } from "../auth/minting.ts";
import { AGENT_SCOPES } from "../auth/scopes.ts";
import { type Context, isAdmin } from "../context.ts";
import { idempotencyOf, repeatable } from "../idempotency.ts";
import type { Ports } from "../ports.ts";
import { invalidField, readDuration, readEndpoint, readSilence } from "../request-fields.ts";
import type { Idempotency, RegisterAgent } from "../store.ts";
import { TIMEOUT_MAX } from "../workflows/limits.ts";
import { type Agent, declaredConcurrency, declaredSilence } from "./agent.ts";
import { notifyRegistration } from "./notification.ts";
import type { Probe } from "./probe.ts";

type Registration = OperationInput<typeof operations.agents.register>["body"];

/**
 * Registers an agent, or an agent anew that may prove to be the same one, and makes the key it speaks with.
 * @returns the text of that key, shown once; null where agents have no keys of their own
 */
export async function registerAgent(
  ports: Ports,
  context: Context,
  body: Registration,
): Promise<{ agentId: string; agentKey: string | null }> {
  const idempotency = idempotencyOf(context, "agents.register", body);
  const minted = ports.agentKeys ? mint(ports, idempotency) : null;
  const { value, replayed } = await repeatable(ports.store.answers, idempotency, () =>
    register(ports, context, { body, minted, idempotency }),
  );
  context.replayed = replayed;
  return { agentId: value.agentId, agentKey: minted?.text ?? null };
}

interface Asked {
  readonly body: Registration;
  readonly minted: MintedKey | null;
  readonly idempotency: Idempotency | undefined;
}

async function register(ports: Ports, context: Context, { body, minted, idempotency }: Asked) {
  const agent = toAgent(ports, body);
  const replace = await replacement(ports, context, body.agentName);
  const key = minted === null ? null : agentKey(agent, minted);
  const { replayed, ...value } = await ports.store.agents.register({ ...agent, replace, key, idempotency });
  if (!replayed) await notifyRegistration(ports, { ...agent, id: value.agentId }, context.signal);
  return { value, replayed };
}

function mint({ keys }: Ports, idempotency: Idempotency | undefined): MintedKey {
  return idempotency === undefined ? keys.mint() : keys.derive(JSON.stringify(idempotency));
}

function toAgent(ports: Ports, body: Registration): Agent {
  const { agentName, version, capabilities, metadata, channel, heartbeat } = body;
  const registeredAt = ports.clock.now();
  return {
    id: ports.ids.uuid(),
    name: agentName,
    version,
    capabilities,
    endpoint: endpointOf(ports, body),
    metadata,
    channel,
    maxConcurrency: body.maxConcurrency ?? declaredConcurrency(metadata, 1),
    heartbeat,
    timeout: body.timeout === undefined ? null : readDuration(body.timeout, ["body", "timeout"], TIMEOUT_MAX, "7d"),
    silenceTimeout:
      body.silenceTimeout === undefined
        ? declaredSilence(metadata)
        : readSilence(body.silenceTimeout, ["body", "silenceTimeout"]),
    probe: probeOf(body),
    registeredAt,
    registrationTime: formatTime(registeredAt),
  };
}

function probeOf({ probe }: Registration): Probe | null {
  if (probe === undefined) return null;
  const { parameters, expect } = probe;
  const timeout = readDuration(probe.timeout, ["body", "probe", "timeout"], TIMEOUT_MAX, "7d");
  return { parameters, timeout, ...(expect === undefined ? {} : { expect }) };
}

function endpointOf(ports: Ports, { channel, contactEndpoint }: Registration): string | null {
  const loc = ["body", "contactEndpoint"];
  if (contactEndpoint !== null) return readEndpoint(contactEndpoint, loc, ports.decideUrl);
  if (channel === "pull") return null;
  throw invalidField(loc, 'is required, unless the agent asks for its work with `channel: "pull"`', "missing");
}

/** Whether this caller may take the place of an agent that has the name already. */
async function replacement(ports: Ports, context: Context, name: string): Promise<RegisterAgent["replace"]> {
  const { actor } = context;
  if (isAdmin(actor)) return "allowed";
  if (actor.agentId === null) return ports.reregister;
  const known = await ports.store.agents.getByName(name);
  if (known?.id === actor.agentId) return "allowed";
  throw new OpspawnError("forbidden", `This key speaks for agent ${actor.agentId} only.`);
}

function agentKey(agent: Agent, minted: MintedKey): ApiKey {
  const { id, name, registeredAt } = agent;
  const life = { createdAt: registeredAt, expiresAt: null };
  return keyRecord(minted, { name, scopes: AGENT_SCOPES, agentId: id, registered: true, ...life });
}
