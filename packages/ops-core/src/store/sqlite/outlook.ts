import { agentBlock, toolBlock } from "../../domain/agents/claimable.ts";
import { nextHealthChange } from "../../domain/agents/health.ts";
import { isHealthDue } from "./agent-health.ts";
import type { AgentEntry, AgentIndex, Doer } from "./agent-index.ts";
import type { Line } from "./limit-index.ts";
import { nextUse } from "./permits.ts";
import { isProbeDue } from "./probes.ts";
import type { TxContext } from "./tx.ts";

/** What the engine's loops will find to do, if nothing else happens before. */
export interface Outlook {
  /** Microseconds: nothing is found before. A time that has come says: look now. Null = never anything. */
  readonly next: number | null;
  /** Something runs or holds a lease, so that the time nobody judges would be held in its favour. */
  readonly isHeld: boolean;
}

interface Reader {
  get<T>(sql: string, ...values: (string | number)[]): T | undefined;
}

/** The moments that `findDue`, schedules and the outbox go by. */
const WAKE_UPS = `select min(at) as at from (
  select min(wake_at) as at from sessions where wake_at is not null
  union all select min(wake_at) from tasks where wake_at is not null
  union all select min(wake_at) from session_steps where wake_at is not null
  union all select min(wake_at) from approvals where wake_at is not null
  union all select min(wake_at) from cancellations where wake_at is not null
  union all select min(until) from draining_slots
  union all select min(wake_at) from schedules where wake_at is not null
  union all select min(wake_at) from deliveries where wake_at is not null
  union all select min(wake_at) from cancellations where wake_at is not null)`;

/** What is moved over a gap, beside leases. */
const HELD = `select 1 from tasks where status = 'running'
  union all select 1 from cancellations where wake_at is not null limit 1`;
const READY =
  "select 1 from tasks where status = 'pending' and held = 0 and limits is null and lane = ? and ready_at <= ? limit 1";
const NEXT_READY =
  "select min(ready_at) as at from tasks where status = 'pending' and held = 0 and limits is null and lane = ?";
const NEXT_IN_LINE =
  "select min(ready_at) as at from tasks where status = 'pending' and held = 0 and limits = ? and lane = ?";

/** May say a moment too early, never one too late. */
export function findOutlook(db: Reader, context: Pick<TxContext, "agents" | "limits">, now: number): Outlook {
  const { agents, limits } = context;
  const isHeld = db.get(HELD) !== undefined || hasLease(agents);
  const times = [db.get<{ at: number | null }>(WAKE_UPS)?.at ?? null, nextSilence(agents)];
  for (const agent of agents.all()) times.push(nextJudgement(agent, now));
  for (const lane of agents.waiting) times.push(nextClaim(db, agents, lane, now));
  for (const line of limits.everyLine()) times.push(nextInLine(db, context, line, now));
  return { next: earliest(times), isHeld };
}

/** When somebody looks at an agent: time makes another health of what is known of it, or it may be tried again. */
function nextJudgement(agent: AgentEntry, now: number): number | null {
  if (isHealthDue(agent, now) || isProbeDue(agent, now)) return now;
  const { quarantine, stateLapsesAt, circuit } = agent;
  const moments = quarantine === null ? [] : [quarantine.nextTryAt, stateLapsesAt, circuit?.nextProbeAt ?? null];
  return earliest([nextHealthChange(agent, now), ...moments.filter((at) => at !== null && at > now)]);
}

/** As `nextClaim`, of a line. A permit of a full key is given back by a commit; a rate has a moment of its own. */
function nextInLine(db: Reader, context: Pick<TxContext, "agents" | "limits">, line: Line, now: number): number | null {
  const free = freeIn(context.agents, line.lane, now);
  const { concurrency, rate } = line.limits;
  if (free === null || (concurrency !== null && context.limits.held(concurrency.key) >= concurrency.limit)) return null;
  const ready = db.get<{ at: number | null }>(NEXT_IN_LINE, line.text, line.lane)?.at ?? null;
  if (ready === null) return null;
  return Math.max(ready, free, rate === null ? 0 : nextUse(db, context.limits, rate));
}

/** When work of this lane may be claimed; null when only a commit can bring that about, which wakes those who wait. */
function nextClaim(db: Reader, agents: AgentIndex, lane: string, now: number): number | null {
  const free = freeIn(agents, lane, now);
  if (free === null) return null;
  if (db.get(READY, lane, now) !== undefined) return free;
  const ready = db.get<{ at: number | null }>(NEXT_READY, lane)?.at ?? null;
  return ready === null ? null : Math.max(ready, free);
}

function freeIn(agents: AgentIndex, lane: string, now: number): number | null {
  const doers = agents.inLane(lane).filter(({ channel }) => channel === "push");
  return earliest(doers.map((doer) => freeAt(doer, now)));
}

/** When somebody may be given work, if no commit brings that about before. What drains has a moment of its own. */
function freeAt(doer: Doer, now: number): number | null {
  const block = doer.kind === "agent" ? agentBlock(doer, now) : toolBlock(doer, now);
  switch (block) {
    case "agent_busy":
    case "tool_busy":
    case "agent_draining":
    case "tool_draining":
    case "agent_initializing":
    case "agent_finished":
    case "agent_offline":
      return null;
    case "agent_quarantined":
      // Only a trial gives it work, and that has a moment of its own.
      return doer.kind === "agent" && doer.probe === null ? (doer.quarantine?.nextTryAt ?? null) : null;
    case "circuit_open":
      return doer.circuit?.nextProbeAt ?? now;
    case "agent_error":
    case "agent_busy_elsewhere":
      return doer.kind === "agent" ? doer.stateLapsesAt : now;
    default:
      return now;
  }
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((at) => at !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function hasLease(agents: AgentIndex): boolean {
  for (const { leaseUntil } of agents.all()) if (leaseUntil !== null) return true;
  return false;
}

/** When an agent that holds something will be thought to be gone. */
function nextSilence(agents: AgentIndex): number | null {
  const leases = [...agents.all()].flatMap(({ leaseUntil, held, draining }) =>
    leaseUntil !== null && held > draining ? [leaseUntil] : [],
  );
  return earliest(leases);
}
