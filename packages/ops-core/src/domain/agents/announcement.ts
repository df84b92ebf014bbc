import type { JsonObject } from "@opspawn/contract";
import type { Ports } from "../ports.ts";
import { readEndpoint } from "../request-fields.ts";
import { declaredConcurrency, declaredSilence } from "./agent.ts";

/** What AgentKit tells of an agent it has registered. */
export interface AnnouncedAgent {
  readonly agentId: string;
  readonly agentName: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  readonly contactEndpoint: string;
  readonly metadata: JsonObject;
  /** Tells a restarted agent from a repeated notice; null when it was not sent. */
  readonly registrationTime: string | null;
}

/** Takes an agent into the directory, or updates it; an unchanged repetition changes nothing. */
export async function announceAgent(
  ports: Pick<Ports, "store" | "clock" | "decideUrl">,
  announced: AnnouncedAgent,
): Promise<void> {
  const { agentId, agentName, version, capabilities, metadata, registrationTime } = announced;
  const loc = ["body", "agent_details", "contactEndpoint"];
  await ports.store.agents.announce({
    id: agentId,
    name: agentName,
    version,
    capabilities,
    endpoint: readEndpoint(announced.contactEndpoint, loc, ports.decideUrl),
    // AgentKit has no other way to say none.
    metadata: Object.keys(metadata).length === 0 ? null : metadata,
    channel: "push",
    maxConcurrency: declaredConcurrency(metadata, 1),
    heartbeat: false,
    timeout: null,
    silenceTimeout: declaredSilence(metadata),
    probe: null,
    registeredAt: ports.clock.now(),
    registrationTime,
  });
}
