import { formatTime, OpspawnError, stringifyJson } from "@opspawn/contract";
import { type Agent, UNKNOWN_STATE } from "../../domain/agents/agent.ts";
import { STATE_TTL } from "../../domain/agents/claimable.ts";
import { isTrialDue } from "../../domain/agents/quarantine.ts";
import type { RegisterAgent } from "../../domain/store.ts";
import { type ClaimedAttempt, lanesServed, type TaskError } from "../../domain/tasks/task.ts";
import { agentEvent } from "./agent-events.ts";
import { beginHealth, noteHealth } from "./agent-health.ts";
import type { AgentEntry } from "./agent-index.ts";
import { renewLease } from "./agent-lease.ts";
import { assign, nextInLine, nextWaiting, toClaimed } from "./claim.ts";
import { redirectMessages } from "./deliveries.ts";
import { insertKey } from "./keys.ts";
import { loseAttempts } from "./loss.ts";
import { limitBlock } from "./permits.ts";
import { sendProbe } from "./probes.ts";
import { forgetTrouble } from "./quarantines.ts";
import { openAttempts } from "./report-evidence.ts";
import { releaseDraining } from "./slots.ts";
import { abandon } from "./task-failure.ts";
import { loadTask, type TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { waitsIn } from "./waiting.ts";

interface KnownAgent {
  id: string;
  name: string;
  version: string;
  capabilities: string;
  endpoint: string | null;
  metadata: string | null;
  channel: string;
  max_concurrency: number;
  heartbeat: number;
  timeout: number | null;
  registration_time: string | null;
}

const KNOWN = "select * from agents where removed_at is null";

/** A registration by name: new, refused, or the return of an agent that may prove it is the same one. */
export function registerAgent(tx: Tx, agent: RegisterAgent): { agentId: string; created: boolean } {
  const known = tx.get<KnownAgent>(`${KNOWN} and name = ? order by registered_at desc limit 1`, agent.name);
  if (known === undefined) {
    insertAgent(tx, agent, null);
    if (agent.key !== null) insertKey(tx, agent.key);
    return { agentId: agent.id, created: true };
  }
  const same = agent.replace === "allowed" || (agent.replace === "same-endpoint" && known.endpoint === agent.endpoint);
  if (!same) throw new OpspawnError("agent_name_taken", `Agent with name '${agent.name}' already registered.`);
  updateAgent(tx, { ...agent, id: known.id }, null);
  if (agent.key !== null) insertKey(tx, { ...agent.key, agentId: known.id });
  restart(tx, known.id);
  return { agentId: known.id, created: false };
}

/** A REGISTER notification. An unchanged repetition changes nothing; a new start of the agent loses what it held. */
export function announceAgent(tx: Tx, agent: Agent): { created: boolean; changed: boolean } {
  const known = tx.get<KnownAgent>(`${KNOWN} and id = ?`, agent.id);
  if (known === undefined) {
    insertAgent(tx, agent, tx.now);
    return { created: true, changed: true };
  }
  const restarted = agent.registrationTime !== null && agent.registrationTime !== known.registration_time;
  if (!restarted && sameAgent(known, agent)) {
    tx.run("update agents set announced_at = ? where id = ? and announced_at is not null", tx.now, agent.id);
    return { created: false, changed: false };
  }
  updateAgent(tx, agent, tx.now);
  setUnknown(tx, agent.id);
  if (restarted) restart(tx, agent.id);
  return { created: false, changed: true };
}

function sameAgent(known: KnownAgent, agent: Agent): boolean {
  return (
    known.name === agent.name &&
    known.version === agent.version &&
    known.capabilities === JSON.stringify(agent.capabilities) &&
    known.endpoint === agent.endpoint &&
    known.metadata === text(agent.metadata)
  );
}

function text(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

function insertAgent(tx: Tx, agent: Agent, announcedAt: number | null): void {
  // A removed agent of this id made room for it; events and reports go on from where it left them.
  const removed = tx.returning<{ reports: number; event_sequence: number }>(
    "delete from agents where id = ? and removed_at is not null returning reports, event_sequence",
    agent.id,
  );
  tx.run(
    `insert into agents (id, name, version, capabilities, endpoint, metadata, channel, max_concurrency, heartbeat, timeout,
      registered_at, registration_time, announced_at, state, state_details, state_timestamp, state_received_at,
      own_state, own_state_received_at, state_lapses_at, reports, event_sequence, silence_timeout, probe)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    agent.id,
    agent.name,
    agent.version,
    JSON.stringify(agent.capabilities),
    agent.endpoint,
    text(agent.metadata),
    agent.channel,
    agent.maxConcurrency,
    agent.heartbeat ? 1 : 0,
    agent.timeout,
    agent.registeredAt,
    agent.registrationTime,
    announcedAt,
    UNKNOWN_STATE,
    INITIAL_DETAILS,
    formatTime(tx.now),
    tx.now,
    UNKNOWN_STATE,
    tx.now,
    tx.now + STATE_TTL,
    removed?.reports ?? 0,
    removed?.event_sequence ?? 0,
    agent.silenceTimeout,
    probeText(agent),
  );
  tx.context.agents.reload(agent.id);
  const entry = tx.context.agents.get(agent.id);
  if (entry !== undefined) beginHealth(tx, entry);
  agentEvent(tx, agent.id, "agent.registered", { agentName: agent.name, capabilities: [...agent.capabilities] });
  wake(tx, agent);
}

function refreshHealth(tx: Tx, id: string): void {
  const agent = tx.context.agents.get(id);
  if (agent !== undefined) noteHealth(tx, agent);
}

function probeText({ probe }: Agent): string | null {
  return probe === null ? null : stringifyJson({ ...probe });
}

const INITIAL_DETAILS = JSON.stringify({ reason: "Initial registration" });

function updateAgent(tx: Tx, agent: Agent, announcedAt: number | null): void {
  redirectMessages(tx, agent.id, agent);
  tx.run(
    `update agents set name = ?, version = ?, capabilities = ?, endpoint = ?, metadata = ?, channel = ?,
      max_concurrency = ?, heartbeat = ?, timeout = ?, registration_time = ?, announced_at = ?, silence_timeout = ?,
      probe = ?
      where id = ? and removed_at is null`,
    agent.name,
    agent.version,
    JSON.stringify(agent.capabilities),
    agent.endpoint,
    text(agent.metadata),
    agent.channel,
    agent.maxConcurrency,
    agent.heartbeat ? 1 : 0,
    agent.timeout,
    agent.registrationTime,
    announcedAt,
    agent.silenceTimeout,
    probeText(agent),
    agent.id,
  );
  tx.context.agents.reload(agent.id);
  agentEvent(tx, agent.id, "agent.updated", { agentName: agent.name, capabilities: [...agent.capabilities] });
  refreshHealth(tx, agent.id);
  wake(tx, agent);
}

function setUnknown(tx: Tx, id: string): void {
  tx.run(
    `update agents set state = ?, state_details = ?, state_timestamp = ?, state_received_at = ?, own_state = ?,
      own_state_at = null, own_state_received_at = ?, state_lapses_at = ? where id = ?`,
    UNKNOWN_STATE,
    INITIAL_DETAILS,
    formatTime(tx.now),
    tx.now,
    UNKNOWN_STATE,
    tx.now,
    tx.now + STATE_TTL,
    id,
  );
  tx.context.agents.reload(id);
}

/** The agent itself registered again: whatever it had been sent before is gone with its earlier process. */
function restart(tx: Tx, id: string): void {
  const agent = tx.context.agents.get(id);
  if (agent === undefined) return;
  tx.run("update agents set messages_since_idle = 0 where id = ?", id);
  // What that sets free may be sent to it in this very transaction, and counts.
  loseAttempts(tx, agent, { code: "agent_restarted", message: "The agent registered again." });
}

function wake(tx: Tx, agent: Agent): void {
  for (const lane of lanesServed(agent)) if (waitsIn(tx, lane)) tx.hints.lanes.add(lane);
}

/**
 * Takes an agent away: its open tasks go to another capable agent or fail `agent_gone`.
 * @param announcedAt only if that is when AgentKit last told of it
 */
export function removeAgent(tx: Tx, agentId: string, announcedAt?: number): { reassigned: number } {
  const agent = tx.context.agents.get(agentId);
  if (agent === undefined) throw new OpspawnError("agent_not_found", `Agent not found: ${agentId}`);
  if (announcedAt !== undefined && announcedAt !== lastAnnounced(tx, agentId)) return { reassigned: 0 };
  const error: TaskError = { code: "agent_gone", message: `Agent ${agentId} was deregistered.`, retryable: true };
  tx.run("update agents set removed_at = ? where id = ? and removed_at is null", tx.now, agentId);
  // Before its work is lost: what that sets free may be claimed in this very transaction, and not by this agent.
  forgetTrouble(tx, agent);
  tx.context.agents.reload(agentId);
  const reassigned = loseAttempts(tx, agent, error);
  agentEvent(tx, agentId, "agent.removed", {});
  redirectMessages(tx, agentId, undefined);
  tx.run("update keys set revoked_at = ? where agent_id = ? and revoked_at is null", tx.now, agentId);
  // Twice: a fallback may lead into another lane of the same agent.
  for (const lane of [...agent.lanes, ...agent.lanes]) failAbandoned(tx, lane, error);
  return { reassigned };
}

function lastAnnounced(tx: Tx, agentId: string): number | null | undefined {
  return tx.get<{ announced_at: number | null }>("select announced_at from agents where id = ?", agentId)?.announced_at;
}

/** Each index holds one part of what waits in a lane. */
const WAITING_IN = `select id from tasks where status = 'pending' and held = 0 and limits is null and lane = :lane
  union all select id from tasks where status = 'pending' and held = 0 and limits is not null and lane = :lane
  union all select id from tasks where status = 'pending' and held = 1 and lane = :lane`;

/** Work that only the removed agent could have done. */
function failAbandoned(tx: Tx, lane: string, error: TaskError): void {
  if (tx.context.agents.inLane(lane).length > 0) return;
  for (const { id } of tx.all<{ id: string }>(WAITING_IN, { lane })) {
    const task = loadTask(tx, id);
    if (task !== undefined) abandon(tx, task, error);
  }
  tx.context.agents.waiting.delete(lane);
  tx.run("delete from lanes where lane = ?", lane);
}

/** Pull: an agent asks for work. What it was given and has not confirmed is handed out again, under the same token. */
export function claimForAgent(tx: Tx, agentId: string, max: number): ClaimedAttempt[] {
  const agent = tx.context.agents.get(agentId);
  if (agent === undefined) throw new OpspawnError("agent_not_found", `Agent not found: ${agentId}`);
  renewLease(tx, agent);
  const claimed = unconfirmed(tx, agent).slice(0, max);
  // Who asks for more has room for it, whatever became of what it had.
  releaseDraining(tx, agent, Math.max(max - claimed.length - (agent.maxConcurrency - agent.held), 0));
  if (agent.quarantine !== null) return [...claimed, ...trialFor(tx, agent, max - claimed.length)];
  while (claimed.length < max) {
    const task = earliestFor(tx, agent);
    if (task === undefined) break;
    const attempt = assign(tx, task, agent);
    if (attempt === null) break;
    claimed.push(attempt);
  }
  return claimed;
}

/** A quarantined agent that asks gets one task, when it is due to be tried: its probe, or what waits for it. */
function trialFor(tx: Tx, agent: AgentEntry, room: number): ClaimedAttempt[] {
  if (room <= 0 || agent.quarantine === null || !isTrialDue(agent.quarantine, tx.now)) return [];
  const given = agent.probe === null ? firstFor(tx, agent) : sendProbe(tx, agent);
  return given === null ? [] : [given];
}

function firstFor(tx: Tx, agent: AgentEntry): ClaimedAttempt | null {
  const task = earliestFor(tx, agent);
  return task === undefined ? null : assign(tx, task, agent);
}

function unconfirmed(tx: Tx, agent: AgentEntry): ClaimedAttempt[] {
  return openAttempts(tx, agent)
    .filter(({ attempt }) => attempt.status === "created")
    .map(({ task, attempt }) =>
      toClaimed(task, agent, workflowOf(tx, task.session_id), {
        n: attempt.n,
        token: attempt.token,
        epoch: attempt.epoch,
        send: attempt.sends,
        createdAt: attempt.created_at,
        timeoutAt: attempt.timeout_at,
      }),
    );
}

export function workflowOf(tx: Tx, sessionId: string | null): string | null {
  if (sessionId === null) return null;
  return (
    tx.get<{ workflow_id: string }>("select workflow_id from sessions where id = ?", sessionId)?.workflow_id ?? null
  );
}

function earliestFor(tx: Tx, agent: AgentEntry) {
  const tasks = agent.lanes.flatMap((lane) => {
    const task = tx.context.agents.waiting.has(lane) ? nextWaiting(tx, lane) : undefined;
    return [...(task === undefined ? [] : [task]), ...limitedFor(tx, lane)];
  });
  return tasks.sort((a, b) => a.order_key - b.order_key)[0];
}

/** The first task of each line that its limits let through. */
function limitedFor(tx: Tx, lane: string): TaskRow[] {
  return [...tx.context.limits.linesIn(lane)].flatMap((line) => {
    if (limitBlock(tx, line.limits) !== null) return [];
    return nextInLine(tx, line) ?? [];
  });
}
