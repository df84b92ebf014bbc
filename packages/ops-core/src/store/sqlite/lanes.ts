import { formatTime, type JsonObject } from "@opspawn/contract";
import { type AgentBlock, agentBlock, type ToolBlock, toolBlock } from "../../domain/agents/claimable.ts";
import { nearest } from "../../domain/nearest.ts";
import { laneOf, type Requirement } from "../../domain/tasks/task.ts";
import type { AgentEntry, Doer, ToolEntry } from "./agent-index.ts";
import type { Tx } from "./tx.ts";

/** Why a lane's next task is not claimed. */
export interface LaneReason {
  readonly reason: string;
  readonly message: string;
  readonly details: JsonObject;
}

/** Agents that a reason names one by one. */
const NAMED = 20;

/** Writes why a lane waits, on change only. */
export function noteBlocked(tx: Tx, lane: string, requirement: Requirement): void {
  writeReason(tx, lane, explainLane(tx, requirement));
}

/** @param lane a lane; or the limits of a line, whatever lane it is in */
export function writeReason(tx: Tx, lane: string, { reason, message, details }: LaneReason): void {
  const text = JSON.stringify(details);
  tx.run(
    `insert into lanes (lane, reason, message, details, since) values (?, ?, ?, ?, ?) on conflict (lane) do update set
      since = case when lanes.reason = excluded.reason then lanes.since else excluded.since end,
      reason = excluded.reason, message = excluded.message, details = excluded.details
      where lanes.reason <> excluded.reason or lanes.details <> excluded.details`,
    lane,
    reason,
    message,
    text,
    tx.now,
  );
}

/** The claim's own predicate, asked for its reasons: names who matches and what keeps each of them. */
export function explainLane(tx: Tx, requirement: Requirement): LaneReason {
  if (requirement.kind === "tool") return explainTool(tx, requirement);
  const agents = tx.context.agents.inLane(laneOf(requirement)).filter((doer) => doer.kind === "agent");
  if (agents.length === 0) return nobody(tx, requirement);
  const blocks = agents.map((agent, i): Blocking => {
    return { agent, block: blockOf(tx, agent), holds: i < NAMED ? holds(tx, agent) : [] };
  });
  const reasons = [...new Set(blocks.map(({ block }) => block))];
  const busy = blocks.filter(({ block }) => block === "agent_busy" || block === "agent_draining");
  const only = reasons.length === 1 ? reasons[0] : undefined;
  return {
    reason: only ?? (busy.length > 0 ? "agents_busy" : "agents_unavailable"),
    message: `${requirementText(requirement)}: ${blocks
      .slice(0, 5)
      .map((blocking) => sentence(tx, blocking))
      .join("; ")}.`,
    details: {
      requirement: { ...requirement },
      agents: blocks.slice(0, NAMED).map(({ agent, block, holds: held }) => ({
        agentId: agent.id,
        agentName: agent.name,
        reason: block,
        holds: held,
      })),
      matching: agents.length,
    },
  };
}

function explainTool(tx: Tx, requirement: Extract<Requirement, { kind: "tool" }>): LaneReason {
  const tool = tx.context.agents.tool(requirement.tool);
  if (tool === undefined) return nobody(tx, requirement);
  const reason = toolBlock(tool, tx.now) ?? "ready";
  const held = holds(tx, tool);
  return {
    reason,
    message: `${toolSentence(tool, reason, held)}.`,
    details: { requirement: { ...requirement }, maxConcurrency: tool.maxConcurrency, holds: held },
  };
}

function toolSentence(tool: ToolEntry, block: ToolBlock | "ready", held: readonly Hold[]): string {
  const name = `Tool \`${tool.name}\``;
  const [first] = held;
  switch (block) {
    case "circuit_open":
      return `${name} fails; next try ${time(tool.circuit?.nextProbeAt ?? 0)}`;
    case "tool_busy": {
      const since = first === undefined ? "" : `, the oldest for ${first.taskId} since ${time(first.since)}`;
      return `${name} takes ${tool.maxConcurrency} calls at once, and has them${since}`;
    }
    case "tool_draining":
      return `${name} may still be busy with calls that were given up`;
    case "ready":
      return `${name} is free`;
  }
}

/** An agent that could do the work, what keeps it from it, and what it is at. */
interface Blocking {
  readonly agent: AgentEntry;
  readonly block: LaneBlock;
  /** Nothing for those that are not named. */
  readonly holds: Hold[];
}

type LaneBlock = AgentBlock | "waits_for_poll" | "ready";

function blockOf(tx: Tx, agent: AgentEntry): LaneBlock {
  const block = agentBlock(agent, tx.now);
  if (block !== null) return block;
  return agent.channel === "pull" ? "waits_for_poll" : "ready";
}

function nobody(tx: Tx, requirement: Requirement): LaneReason {
  if (requirement.kind === "agent") {
    return {
      reason: "agent_gone",
      message: `Agent ${requirement.agentId} is not registered.`,
      details: { requirement: { ...requirement } },
    };
  }
  const { wanted, prefix, reason, what } = namedWant(requirement);
  const known = [...tx.context.agents.lanes()]
    .filter((lane) => lane.startsWith(prefix))
    .map((lane) => lane.slice(prefix.length));
  const similar = nearest(wanted, known);
  const hint = similar.length > 0 ? ` The nearest: ${similar.map((word) => `\`${word}\``).join(", ")}.` : "";
  return {
    reason,
    message: `${what} \`${wanted}\`.${hint}`,
    details: { requirement: { ...requirement }, nearest: similar },
  };
}

interface NamedWant {
  readonly wanted: string;
  /** Of the lanes of those who could have been meant. */
  readonly prefix: string;
  readonly reason: string;
  readonly what: string;
}

function namedWant(requirement: Exclude<Requirement, { kind: "agent" }>): NamedWant {
  switch (requirement.kind) {
    case "capability":
      return {
        wanted: requirement.capability,
        prefix: "capability:",
        reason: "no_capable_agent",
        what: "No registered agent has the capability",
      };
    case "agentName":
      return {
        wanted: requirement.agentName,
        prefix: "name:",
        reason: "no_such_agent",
        what: "No registered agent has the name",
      };
    default:
      return { wanted: requirement.tool, prefix: "tool:", reason: "no_such_tool", what: "No tool is registered as" };
  }
}

function requirementText(requirement: Requirement): string {
  switch (requirement.kind) {
    case "agent":
      return `Wants agent ${requirement.agentId}`;
    case "agentName":
      return `Wants agent \`${requirement.agentName}\``;
    case "capability":
      return `Wants capability \`${requirement.capability}\``;
    case "tool":
      return `Wants tool \`${requirement.tool}\``;
  }
}

const WORDS: Record<Exclude<LaneBlock, "agent_busy" | "circuit_open">, string> = {
  agent_busy_elsewhere: "reports `active` for work that is not ours",
  agent_initializing: "is initializing",
  agent_finished: "has reported `finished`",
  agent_error: "has reported `error`",
  agent_draining: "may still be busy with work that has ended",
  agent_offline: "is offline",
  waits_for_poll: "pulls its work and has not asked for any",
  ready: "is free",
};

function sentence(tx: Tx, { agent, block, holds: held }: Blocking): string {
  if (block === "agent_busy") {
    const first = held[0];
    const with_ =
      first === undefined
        ? ""
        : ` with ${first.taskId}${held.length > 1 ? ` and ${held.length - 1} more` : ""} since ${time(first.since)}`;
    return `\`${agent.name}\` is busy${with_}`;
  }
  if (block === "circuit_open")
    return `\`${agent.name}\` fails; next try ${time(agent.circuit?.nextProbeAt ?? tx.now)}`;
  return `\`${agent.name}\` ${WORDS[block]}`;
}

interface Hold extends JsonObject {
  taskId: string;
  since: number;
}

/** Where a draining attempt lies is looked up row by row: joined with all attempts, it would be sought among all tasks. */
const HOLDS = `select id as task_id, attempt_created_at as since from tasks where status = 'running' and agent_id = :agent
  union all select d.task_id, coalesce(
    (select p.created_at from past_attempts p where p.task_id = d.task_id and p.n = d.n),
    (select t.attempt_created_at from tasks t where t.id = d.task_id)) from draining_slots d where d.agent_id = :agent
  order by since limit :max`;

const TOOL_HOLDS = `select id as task_id, attempt_created_at as since from tasks
    where status = 'running' and agent_id is null and lane = 'tool:' || :tool
  union all select d.task_id, coalesce(
    (select p.created_at from past_attempts p where p.task_id = d.task_id and p.n = d.n),
    (select t.attempt_created_at from tasks t where t.id = d.task_id)) from draining_slots d where d.tool = :tool
  order by since limit :max`;

interface HoldRow {
  readonly task_id: string;
  readonly since: number;
}

/** What the slots of an agent or tool are taken by, oldest first. */
function holds(tx: Tx, doer: Doer, max = 5): Hold[] {
  if (doer.held === 0) return [];
  const rows =
    doer.kind === "agent"
      ? tx.all<HoldRow>(HOLDS, { agent: doer.id, max })
      : tx.all<HoldRow>(TOOL_HOLDS, { tool: doer.name, max });
  return rows.map(({ task_id, since }) => ({ taskId: task_id, since }));
}

/** Why an agent is given nothing now, for a reason it has. */
export function explainAgent(tx: Tx, agent: AgentEntry, block: AgentBlock): LaneReason & { readonly since: number } {
  const { details } = explainLane(tx, { kind: "agent", agentId: agent.id });
  return {
    reason: block,
    message: `${sentence(tx, { agent, block, holds: holds(tx, agent) })}.`,
    details,
    since: blockedSince(tx, agent, block),
  };
}

/** Since when an agent cannot be given work, for a reason it has now; every time is one that was stored. */
function blockedSince(tx: Tx, agent: AgentEntry, block: AgentBlock): number {
  switch (block) {
    case "agent_busy":
    case "agent_draining":
      return holds(tx, agent, agent.maxConcurrency).at(-1)?.since ?? agent.stateReceivedAt;
    case "agent_offline":
      return agent.leaseUntil ?? agent.stateReceivedAt;
    case "circuit_open":
      return agent.circuit?.openedAt ?? agent.stateReceivedAt;
    default:
      return tx.get<{ since: number | null }>(FIRST_OF_STATE, { agent: agent.id })?.since ?? agent.stateReceivedAt;
  }
}

/** When the agent first said what it has said ever since. */
const FIRST_OF_STATE = `select min(r.received_at) as since from agent_reports r where r.agent_id = :agent
  and r.sequence > coalesce((select max(o.sequence) from agent_reports o join agents a on a.id = o.agent_id
    where o.agent_id = :agent and o.state <> a.own_state), -1)`;

function time(micros: number): string {
  return formatTime(micros).replace(/\.\d+Z$/, "Z");
}
