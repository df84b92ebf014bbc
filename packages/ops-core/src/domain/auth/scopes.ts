import type { Scope } from "@opspawn/contract";

const KNOWN: Record<Scope | "admin", true> = {
  admin: true,
  "agents:read": true,
  "agents:write": true,
  "agents:report": true,
  "workflows:read": true,
  "workflows:write": true,
  "sessions:read": true,
  "sessions:write": true,
  "schedules:read": true,
  "schedules:write": true,
  "approvals:read": true,
  "approvals:write": true,
  "tasks:read": true,
  "tasks:write": true,
  "tasks:result": true,
  "tools:read": true,
  "tools:write": true,
  "tools:invoke": true,
  "messages:send": true,
  "deliveries:read": true,
  "events:read": true,
  "metrics:read": true,
  "keys:read": true,
  "keys:write": true,
};

/** Every scope a key can have; `admin` covers all. */
export const SCOPES = Object.keys(KNOWN) as readonly (Scope | "admin")[];

/** What an agent's own key is made with: all that an agent may do for itself. */
export const AGENT_SCOPES: readonly Scope[] = [
  "agents:read",
  "agents:write",
  "agents:report",
  "tasks:result",
  "tools:read",
  "tools:invoke",
  "messages:send",
];

export function isScope(text: string): text is Scope | "admin" {
  return Object.hasOwn(KNOWN, text);
}
