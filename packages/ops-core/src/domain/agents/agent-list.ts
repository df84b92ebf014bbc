import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from "@opspawn/contract";
import type { Agent } from "./agent.ts";
import { agentInfo } from "./agent-info.ts";
import type { AnnouncedAgent } from "./announcement.ts";

/** AgentKit's answer to `GET /v1/agents`, as far as its entries can be agents; null when it is no list. */
export function readAgentList(body: JsonValue): AnnouncedAgent[] | null {
  const data = isJsonObject(body) ? body.data : undefined;
  if (!Array.isArray(data)) return null;
  return data.flatMap((entry) => readEntry(entry) ?? []);
}

function readEntry(entry: JsonValue): AnnouncedAgent | null {
  if (!isJsonObject(entry)) return null;
  const { agentId, agentName, version, capabilities, contactEndpoint, metadata } = entry;
  // The originals' stand-in for AgentKit writes it in the other way.
  const time = entry.registration_time ?? entry.registrationTime;
  if (typeof agentId !== "string" || agentId === "" || typeof agentName !== "string") return null;
  if (typeof version !== "string" || typeof contactEndpoint !== "string" || !isTexts(capabilities)) return null;
  return {
    agentId,
    agentName,
    version,
    capabilities,
    contactEndpoint,
    metadata: isJsonObject(metadata) ? metadata : {},
    registrationTime: typeof time === "string" ? time : null,
  };
}

function isTexts(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

/** Whether a list tells what is known already. */
export function saysTheSame(listed: AnnouncedAgent, known: Agent): boolean {
  const { registration_time: time, ...info } = agentInfo(known);
  const { registrationTime, ...said } = listed;
  if (registrationTime !== null && registrationTime !== time) return false;
  return ordered(said as unknown as JsonObject) === ordered({ ...info, metadata: info.metadata ?? {} });
}

function ordered(agent: JsonObject): string {
  return stringifyJson(Object.fromEntries(Object.entries(agent).sort(([a], [b]) => (a < b ? -1 : 1))));
}
