import { isJsonObject, type JsonObject, jsonNumber, parseDuration } from "@opspawn/contract";
import { SILENCE_TIMEOUT_MAX, SILENCE_TIMEOUT_MIN } from "../workflows/limits.ts";
import type { Probe } from "./probe.ts";

export type AgentChannel = "push" | "pull";

/** What kind of outcome evidence an agent has shown, weakest first. Only the strongest one shown settles attempts. */
export type EvidenceClass = "none" | "bare" | "named" | "explicit";
const STRENGTH: Record<EvidenceClass, number> = { none: 0, bare: 1, named: 2, explicit: 3 };

export function isStronger(a: EvidenceClass, b: EvidenceClass): boolean {
  return STRENGTH[a] > STRENGTH[b];
}

/** An agent as registered. Times are microseconds. */
export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  /** Null for agents that only pull. */
  readonly endpoint: string | null;
  readonly metadata: JsonObject | null;
  readonly channel: AgentChannel;
  readonly maxConcurrency: number;
  readonly heartbeat: boolean;
  /** Default bound of one attempt; null = 2 minutes. */
  readonly timeout: number | null;
  /** Default bound on the silence of an attempt that has sent progress; null = none. */
  readonly silenceTimeout: number | null;
  /** By which it shows that it works when it is quarantined; null = the next real task does. */
  readonly probe: Probe | null;
  readonly registeredAt: number;
  /** As received with a REGISTER notification, to tell a restart from a repetition. */
  readonly registrationTime: string | null;
}

/** The last report received. */
export interface AgentState {
  /** `UNKNOWN` until the agent reports. */
  readonly state: string;
  /** JSON text. */
  readonly details: string | null;
  /** As the agent wrote it, rendered. */
  readonly timestamp: string;
  readonly receivedAt: number;
}

export const UNKNOWN_STATE = "UNKNOWN";
const MAX_CONCURRENCY = 1000;

/** `metadata.config.silenceTimeout`, such as `30s`, for agents that have no other way to say it; null = none. */
export function declaredSilence(metadata: JsonObject | null): number | null {
  const config = metadata?.config;
  const declared = isJsonObject(config) ? config.silenceTimeout : undefined;
  const micros = typeof declared === "string" ? parseDuration(declared) : null;
  return micros === null || micros < SILENCE_TIMEOUT_MIN || micros > SILENCE_TIMEOUT_MAX ? null : micros;
}

/** `metadata.config.maxConcurrency`, the way agents of the originals can say it; else `fallback`. */
export function declaredConcurrency(metadata: JsonObject | null, fallback: number): number {
  const config = metadata?.config;
  const declared = isJsonObject(config) ? jsonNumber(config.maxConcurrency) : undefined;
  if (declared === undefined || !Number.isInteger(declared) || declared < 1) return fallback;
  return Math.min(declared, MAX_CONCURRENCY);
}

/** `metadata.config.cancel: true`: the agent knows what a message of type `cancel` is. No agent is sent one unasked. */
export function takesCancelMessages(metadata: JsonObject | null): boolean {
  const config = metadata?.config;
  return isJsonObject(config) && config.cancel === true;
}
