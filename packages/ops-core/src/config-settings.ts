import { checkWebhookSecret } from "@opspawn/contract";
import {
  type Read,
  readBaseUrl,
  readFailpoint,
  readHost,
  readList,
  readText,
  readWebUrl,
  readWhole,
  readWord,
  readWords,
  type Setting,
  setting,
} from "./config-values.ts";
import type { OpenGroup } from "./domain/context.ts";
import { type ArmedFailpoint, FAILPOINTS } from "./domain/failpoint.ts";
import { Secret } from "./domain/secret.ts";
import type { LogLevel } from "./telemetry/log.ts";

export const ROLES = ["api", "engine", "worker", "agentkit"] as const;
export type Role = (typeof ROLES)[number];

const OPEN_GROUPS: readonly OpenGroup[] = ["agentkit", "tasks"];
const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
/** The words of Python's logging, which the originals' files use. */
const PYTHON_LEVELS = { warning: "warn", critical: "fatal" } as const;

const readSecret: Read<Secret | null> = (text) => new Secret(text);
const readWebhookSecret: Read<Secret | null> = (text) => {
  try {
    checkWebhookSecret(text);
    return new Secret(text);
  } catch {
    return null;
  }
};

/** Every setting of the server, once. */
export const SETTINGS = {
  host: setting<string>({
    env: ["OPSPAWN_HOST", "HOST"],
    flag: "host",
    yaml: "host",
    read: readHost,
    rule: "is no host name or address; use 127.0.0.1 for this machine only, or 0.0.0.0 for all networks",
    fallback: "127.0.0.1",
  }),
  port: setting<number>({
    env: ["OPSPAWN_PORT", "PORT"],
    flag: "port",
    yaml: "port",
    read: readWhole(0, 65_535),
    rule: "is no port; use a number from 0 to 65535, where 0 takes any free one",
    fallback: 8000,
  }),
  data: setting<string>({
    env: ["OPSPAWN_DATA"],
    flag: "data",
    yaml: "data",
    read: readText,
    rule: "is no folder",
    fallback: ".opspawn",
  }),
  roles: setting<readonly Role[]>({
    env: ["OPSPAWN_ROLE"],
    flag: "role",
    yaml: "role",
    read: readWords(ROLES),
    rule: `is no role; use any of ${ROLES.join(",")}`,
    fallback: ROLES,
  }),
  publicUrl: setting<string | null>({
    env: ["OPSPAWN_PUBLIC_URL"],
    yaml: "publicUrl",
    read: readBaseUrl,
    rule: "is no http or https URL; use the address under which agents reach this server, such as https://ops.example.com",
    fallback: null,
  }),
  outboundAllow: setting<readonly string[]>({
    env: ["OPSPAWN_OUTBOUND_ALLOW"],
    yaml: "outboundAllow",
    read: readList,
    rule: "is no list of hosts and address ranges",
    fallback: [],
  }),
  open: setting<readonly OpenGroup[]>({
    env: ["OPSPAWN_OPEN"],
    yaml: "open",
    read: readWords(OPEN_GROUPS),
    rule: `names no group that can be open to everybody; use any of ${OPEN_GROUPS.join(",")}, or leave it away`,
    fallback: [],
  }),
  reregister: setting<"never" | "same-endpoint">({
    env: ["OPSPAWN_REREGISTER"],
    yaml: "reregister",
    read: readWord(["never", "same-endpoint"]),
    rule: "is not known; use same-endpoint, which lets agents without keys return after a restart, or never",
    fallback: "never",
  }),
  operatorKey: setting<Secret | null>({
    env: ["OPSCORE_API_KEY"],
    read: readSecret,
    isSecret: true,
    rule: "is no key",
    fallback: null,
  }),
  webhookUrl: setting<string | null>({
    env: ["OPSCORE_WEBHOOK_URL"],
    yaml: "webhookUrl",
    read: readWebUrl,
    rule: "is no http or https URL; use the notify address of Ops-Core",
    fallback: null,
  }),
  webhookSecret: setting<Secret | null>({
    env: ["OPSCORE_WEBHOOK_SECRET"],
    read: readWebhookSecret,
    isSecret: true,
    rule: "is no webhook secret; use any text, or whsec_ followed by base64",
    fallback: null,
  }),
  agentkitUrl: setting<string | null>({
    env: ["AGENTKIT_API_URL"],
    yaml: "agentkitUrl",
    read: (text) => readBaseUrl(text)?.replace(/\/v1$/, "") ?? null,
    rule: "is no http or https URL; use the address of the AgentKit service, or leave it away to serve both in one process",
    fallback: null,
  }),
  mockToolUrl: setting<string | null>({
    env: ["MOCK_TOOL_ENDPOINT_URL"],
    yaml: "mockToolUrl",
    read: readWebUrl,
    rule: "is no http or https URL; use the address of the mock tool, or leave it away",
    fallback: null,
  }),
  logLevel: setting<LogLevel>({
    env: ["LOG_LEVEL"],
    flag: "log-level",
    yaml: "logLevel",
    read: readWord(LOG_LEVELS, PYTHON_LEVELS),
    rule: `is no log level; use one of ${LOG_LEVELS.join(", ")}`,
    fallback: "info",
  }),
  maxInFlight: setting<number>({
    env: ["OPSPAWN_MAX_IN_FLIGHT"],
    yaml: "maxInFlight",
    read: readWhole(1, 1_000_000),
    rule: "is no count of requests; use a whole number from 1",
    fallback: 5_000,
  }),
  maxWaits: setting<number>({
    env: ["OPSPAWN_MAX_WAITS"],
    yaml: "maxWaits",
    read: readWhole(1, 1_000_000),
    rule: "is no count of waiting requests; use a whole number from 1",
    fallback: 4_000,
  }),
  maxStreams: setting<number>({
    env: ["OPSPAWN_MAX_STREAMS"],
    yaml: "maxStreams",
    read: readWhole(1, 1_000_000),
    rule: "is no count of streams; use a whole number from 1",
    fallback: 1_000,
  }),
  ratePerAgent: setting<number>({
    env: ["OPSPAWN_RATE_PER_AGENT"],
    yaml: "ratePerAgent",
    read: readWhole(0, 1_000_000),
    rule: "is no count of requests a second; use a whole number, where 0 caps nothing",
    fallback: 500,
  }),
  ratePerAddress: setting<number>({
    env: ["OPSPAWN_RATE_PER_ADDRESS"],
    yaml: "ratePerAddress",
    read: readWhole(0, 1_000_000),
    rule: "is no count of requests a second; use a whole number, where 0 caps nothing",
    fallback: 1_000,
  }),
  maxSends: setting<number>({
    env: ["OPSPAWN_MAX_SENDS"],
    yaml: "maxSends",
    read: readWhole(1, 100_000),
    rule: "is no count of open deliveries; use a whole number from 1",
    fallback: 1_000,
  }),
  /** For tests of crashes; no key of the file, so that nobody leaves it behind. */
  failpoint: setting<ArmedFailpoint | null>({
    env: ["OPSPAWN_FAILPOINT"],
    read: readFailpoint,
    rule: `is no failpoint; use one of ${FAILPOINTS.join(", ")}, and :n to be killed at the n-th hit, or leave it away`,
    fallback: null,
  }),
};

export type SettingName = keyof typeof SETTINGS;

/** The value of each setting. */
export type Settings = {
  readonly [N in SettingName]: (typeof SETTINGS)[N] extends Setting<infer T> ? T : never;
};
