import type { Permission } from "./operation.ts";

/** A route of the originals: their clients work with it unchanged, so its bodies are theirs, not ours. */
export interface OriginalOperation {
  readonly id: string;
  readonly summary: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  /** Absent: everybody may, as with a health check. */
  readonly permission: Permission;
}

/** What the originals' routes do, declared once with who may do it. */
export const originalOperations = {
  register: {
    id: "agents.register",
    summary: "AgentKit: register an agent; its key comes in the header `x-agent-key`.",
    method: "POST",
    path: "/v1/agents/register",
    permission: { scope: "agents:write", agent: "any", anonymous: "loopback" },
  },
  listAgents: {
    id: "agents.list",
    summary: "AgentKit: list agents.",
    method: "GET",
    path: "/v1/agents",
    permission: { scope: "agents:read", agent: "any", anonymous: "loopback" },
  },
  deregister: {
    id: "agents.remove",
    summary: "AgentKit: deregister an agent.",
    method: "DELETE",
    path: "/v1/agents/{agentId}",
    permission: { scope: "agents:write", agent: "self" },
  },
  run: {
    id: "messages.send",
    summary: "AgentKit: send an agent a message, or invoke a tool.",
    method: "POST",
    path: "/v1/agents/{agentId}/run",
    permission: { scope: "messages:send", agent: "any", anonymous: "loopback" },
  },
  notify: {
    id: "agents.notify",
    summary: "Ops-Core: AgentKit's notification of a registration.",
    method: "POST",
    path: "/v1/opscore/internal/agent/notify",
    permission: { scope: "agents:write", anonymous: "loopback" },
  },
  reportState: {
    id: "agents.report",
    summary: "Ops-Core: an agent reports its state.",
    method: "POST",
    path: "/v1/opscore/agent/{agentId}/state",
    permission: { scope: "agents:report", agent: "self" },
  },
  readState: {
    id: "agents.state",
    summary: "Ops-Core: the state an agent reported last.",
    method: "GET",
    path: "/v1/opscore/agent/{agentId}/state",
    permission: { scope: "agents:read", agent: "any" },
  },
  trigger: {
    id: "workflows.trigger",
    summary: "Ops-Core: start a workflow for an agent, by id or inline.",
    method: "POST",
    path: "/v1/opscore/agent/{agentId}/workflow",
    permission: { scope: "sessions:write" },
  },
} as const satisfies Record<string, OriginalOperation>;
