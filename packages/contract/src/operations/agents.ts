import { z } from "zod";
import { operation } from "../operation.ts";
import { cancelledAttempt } from "./cancellations.ts";
import { blocked, id, jsonObject, jsonValue, listOf, name, page, time, wait } from "./common.ts";
import { assignment } from "./tasks.ts";

const agentFields = {
  agentName: name,
  capabilities: z.array(z.string().min(1).max(200)).max(100).default([]),
  version: z.string().max(100).default("1.0"),
  metadata: jsonObject.nullable().default(null),
};

const agentRegistration = z.strictObject({
  ...agentFields,
  /** `push`: we POST tasks to `contactEndpoint`. `pull`: the agent asks for them. */
  channel: z.enum(["push", "pull"]).default("push"),
  contactEndpoint: z.string().max(2083).nullable().default(null),
  /** Tasks it may hold at once. */
  maxConcurrency: z.number().int().min(1).max(1000).optional(),
  /** The agent renews its lease; silence for 10 s gives its work to another. */
  heartbeat: z.boolean().default(false),
  /** Bounds one attempt where the step names no `timeout`, such as `2m`. */
  timeout: z.string().optional(),
  /** Bounds the time without progress, from its first progress on, where the step names no `silenceTimeout`. */
  silenceTimeout: z.string().optional(),
  /** A tiny task by which it shows that it works, when it was quarantined. */
  probe: z
    .strictObject({
      parameters: jsonObject.default({}),
      timeout: z.string().default("30s"),
      /** What its result must hold; absent = any result will do. */
      expect: jsonValue.optional(),
    })
    .optional(),
});

const healthWords = z.enum(["ready", "suspect", "unresponsive", "offline", "quarantined"]);

/** What an agent's health rests on. */
const healthEvidence = z.object({
  cause: z.enum([
    "failures",
    "manual",
    "never_seen",
    "lease_lost",
    "circuit_open",
    "late_heartbeat",
    "frozen_progress",
    "stale_state",
  ]),
  message: z.string(),
  since: time.nullable(),
  /** Counts, ids of tasks, and times. */
  details: z.record(z.string(), z.unknown()),
});

const agent = z.object({
  agentId: id,
  ...agentFields,
  channel: z.enum(["push", "pull"]),
  contactEndpoint: z.string().nullable(),
  maxConcurrency: z.number().int(),
  heartbeat: z.boolean(),
  silenceTimeout: z.string().nullable(),
  probe: z.object({ parameters: jsonObject, timeout: z.string(), expect: jsonValue.optional() }).nullable(),
  state: z.string(),
  stateDetails: jsonValue.nullable(),
  stateReportedAt: time.nullable(),
  /** What we derive from evidence, whatever the agent says of itself. */
  health: healthWords,
  healthSince: time,
  /** Null while it is `ready`. */
  healthEvidence: healthEvidence.nullable(),
  /** The strongest kind of outcome evidence this agent has shown. */
  evidence: z.enum(["none", "bare", "named", "explicit"]),
  slots: z.object({ total: z.number(), held: z.number(), draining: z.number() }),
  blocked: blocked.nullable(),
  registeredAt: time,
});
export type AgentView = z.infer<typeof agent>;

const stateReport = z.object({
  state: z.string(),
  details: jsonValue.nullable(),
  timestamp: z.string(),
  receivedAt: time,
});

const agentParams = z.object({ agentId: id });

export const agentOperations = {
  register: operation({
    id: "agents.register",
    summary: "Register an agent and receive its own key.",
    method: "POST",
    path: "/v1/opscore/agents",
    body: agentRegistration,
    output: z.object({ agent, agentKey: z.string() }),
    status: 201,
    errors: ["agent_name_taken", "endpoint_refused"],
    // An agent's own key registers that agent again, after a restart.
    permission: { scope: "agents:write", agent: "any", anonymous: "loopback" },
    idempotency: "key",
  }),
  list: operation({
    id: "agents.list",
    summary: "List agents, by name.",
    method: "GET",
    path: "/v1/opscore/agents",
    query: z.object({
      ...page,
      capability: z.string().optional(),
      state: z.string().optional(),
      health: healthWords.optional(),
    }),
    output: listOf(agent),
    permission: { scope: "agents:read", agent: "any", anonymous: "loopback" },
    idempotency: "read",
  }),
  get: operation({
    id: "agents.get",
    summary: "All that is known of an agent.",
    method: "GET",
    path: "/v1/opscore/agents/{agentId}",
    params: agentParams,
    output: agent,
    errors: ["agent_not_found"],
    permission: { scope: "agents:read", agent: "any", anonymous: "loopback" },
    idempotency: "read",
  }),
  remove: operation({
    id: "agents.remove",
    summary: "Deregister an agent; its open tasks go to another capable agent or fail with `agent_gone`.",
    method: "DELETE",
    path: "/v1/opscore/agents/{agentId}",
    params: agentParams,
    output: z.object({ agentId: id, reassigned: z.number().int() }),
    errors: ["agent_not_found"],
    permission: { scope: "agents:write", agent: "self" },
    idempotency: "natural",
  }),
  quarantine: operation({
    id: "agents.quarantine",
    summary: "Give an agent no work until somebody readmits it.",
    method: "POST",
    path: "/v1/opscore/agents/{agentId}/quarantine",
    params: agentParams,
    body: z.strictObject({ reason: z.string().max(1_000).nullable().default(null) }),
    output: agent,
    errors: ["agent_not_found"],
    permission: { scope: "agents:write" },
    idempotency: "natural",
  }),
  readmit: operation({
    id: "agents.readmit",
    summary: "End an agent's quarantine and forget its failures.",
    method: "POST",
    path: "/v1/opscore/agents/{agentId}/readmit",
    params: agentParams,
    output: agent,
    errors: ["agent_not_found"],
    permission: { scope: "agents:write" },
    idempotency: "natural",
  }),
  states: operation({
    id: "agents.states",
    summary: "The reports of an agent, newest first.",
    method: "GET",
    path: "/v1/opscore/agents/{agentId}/states",
    params: agentParams,
    query: z.object(page),
    output: listOf(stateReport),
    errors: ["agent_not_found"],
    permission: { scope: "agents:read", agent: "self" },
    idempotency: "read",
  }),
  claim: operation({
    id: "agents.claim",
    summary: "Pull: receive up to `max` tasks, waiting for one if there is none, and hear what is to be stopped.",
    method: "POST",
    path: "/v1/opscore/agents/{agentId}/claim",
    params: agentParams,
    body: z.strictObject({ wait: wait.default("20s"), max: z.number().int().min(1).max(100).default(1) }),
    output: z.object({ tasks: z.array(assignment), cancelled: z.array(cancelledAttempt) }),
    errors: ["agent_not_found"],
    permission: { scope: "tasks:result", agent: "self" },
    idempotency: "natural",
  }),
};
