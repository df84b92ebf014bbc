import type { JsonObject } from "@opspawn/contract";
import type { Agent, AgentState, EvidenceClass } from "../../domain/agents/agent.ts";
import type { AgentStore } from "../../domain/agents/agent-store.ts";
import { agentBlock } from "../../domain/agents/claimable.ts";
import type { AgentHealth, Health, HealthCause } from "../../domain/agents/health.ts";
import type { Probe } from "../../domain/agents/probe.ts";
import type { AgentRecord } from "../../domain/store.ts";
import { readStored } from "../../domain/stored-json.ts";
import { announceAgent, claimForAgent, registerAgent, removeAgent } from "./agents.ts";
import { once } from "./idempotency.ts";
import { explainAgent } from "./lanes.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import { quarantineByHand, readmit } from "./quarantines.ts";
import { report } from "./reports.ts";
import type { SqliteContext } from "./store.ts";

interface AgentRow {
  id: string;
  name: string;
  version: string;
  capabilities: string;
  endpoint: string | null;
  metadata: string | null;
  channel: Agent["channel"];
  max_concurrency: number;
  heartbeat: number;
  timeout: number | null;
  registered_at: number;
  registration_time: string | null;
  announced_at: number | null;
  state: string;
  state_details: string | null;
  state_timestamp: string;
  state_received_at: number;
  evidence: EvidenceClass;
  lease_until: number | null;
  silence_timeout: number | null;
  probe: string | null;
  health: Health;
  health_cause: HealthCause | null;
  health_since: number | null;
  health_evidence: string | null;
  held: number;
  draining: number;
}

const AGENTS = `select a.*,
  (select count(*) from tasks t where t.status = 'running' and t.agent_id = a.id)
    + (select count(*) from draining_slots d where d.agent_id = a.id) as held,
  (select count(*) from draining_slots d where d.agent_id = a.id) as draining
  from agents a`;

export function agentStore({ db, writer, read }: SqliteContext): AgentStore {
  const one = (condition: string, value: string): AgentRecord | null => {
    const row = db.get<AgentRow>(`${AGENTS} where a.removed_at is null and ${condition}`, value);
    return row === undefined ? null : toAgent(row);
  };
  return {
    register: (agent) =>
      writer.submit("normal", (tx) => {
        const { value, replayed } = once(tx, agent.idempotency, () => registerAgent(tx, agent));
        return { ...value, replayed };
      }),
    announce: (agent) => writer.submit("normal", (tx) => announceAgent(tx, agent)),
    remove: (agentId, announcedAt) => writer.submit("normal", (tx) => removeAgent(tx, agentId, announcedAt)),
    report: (incoming) => writer.submit("outcome", (tx) => report(tx, incoming)),
    claim: (agentId, max) => writer.submit("outcome", (tx) => claimForAgent(tx, agentId, max)),
    quarantine: (agentId, by, reason) => writer.submit("normal", (tx) => quarantineByHand(tx, agentId, by, reason)),
    readmit: (agentId) => writer.submit("normal", (tx) => readmit(tx, agentId)),
    get: async (agentId) => one("a.id = ?", agentId),
    getByName: async (name) => one("a.name = ? order by a.registered_at desc limit 1", name),
    list: async (page, filter) => {
      const where = new Where().add("a.removed_at is null");
      if (filter.capability !== undefined) {
        where.add("exists (select 1 from json_each(a.capabilities) where value = ?)", filter.capability);
      }
      if (filter.state !== undefined) where.add("a.state = ?", filter.state);
      if (filter.health !== undefined) where.add("a.health = ?", filter.health);
      if (page.cursor !== undefined) where.add("(a.name, a.id) > (?, ?)", ...decodeCursor(page.cursor, 2));
      const rows = db.all<AgentRow>(
        `${AGENTS} ${where.sql} order by a.name, a.id limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(rows, page, toAgent, (row) => [row.name, row.id]);
    },
    states: async (agentId, page) => {
      const where = new Where().add("agent_id = ?", agentId);
      if (page.cursor !== undefined) where.add("sequence < ?", ...decodeCursor(page.cursor, 1));
      const rows = db.all<{
        sequence: number;
        state: string;
        details: string | null;
        timestamp: string;
        received_at: number;
      }>(`select * from agent_reports ${where.sql} order by sequence desc limit ?`, ...where.values, page.limit + 1);
      const toState = (row: (typeof rows)[number]): AgentState => ({
        state: row.state,
        details: row.details,
        timestamp: row.timestamp,
        receivedAt: row.received_at,
      });
      return toPage(rows, page, toState, (row) => [row.sequence]);
    },
    blocked: async (agentId) =>
      read((tx) => {
        const agent = tx.context.agents.get(agentId);
        const block = agent === undefined ? null : agentBlock(agent, tx.now);
        if (agent === undefined || block === null) return null;
        return explainAgent(tx, agent, block);
      }),
  };
}

function healthOf({ health, health_cause, health_since, health_evidence }: AgentRow): AgentHealth {
  const { since = null, ...evidence } = JSON.parse(health_evidence ?? "{}") as JsonObject & { since?: number | null };
  return { health, cause: health_cause, since, evidence, changedAt: health_since };
}

function toAgent(row: AgentRow): AgentRecord {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    capabilities: JSON.parse(row.capabilities) as string[],
    endpoint: row.endpoint,
    metadata: readStored(row.metadata) as JsonObject | null,
    channel: row.channel,
    maxConcurrency: row.max_concurrency,
    heartbeat: row.heartbeat === 1,
    timeout: row.timeout,
    silenceTimeout: row.silence_timeout,
    probe: row.probe === null ? null : (readStored(row.probe) as unknown as Probe),
    registeredAt: row.registered_at,
    registrationTime: row.registration_time,
    announcedAt: row.announced_at,
    state: row.state,
    details: row.state_details,
    timestamp: row.state_timestamp,
    receivedAt: row.state_received_at,
    evidence: row.evidence,
    slots: { total: row.max_concurrency, held: row.held, draining: row.draining },
    leaseUntil: row.lease_until,
    health: healthOf(row),
  };
}
