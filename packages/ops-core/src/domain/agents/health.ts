import { formatTime, type JsonObject } from "@opspawn/contract";
import { MINUTE, SECOND } from "../clock.ts";
import { type AgentCapacity, isOffline, keepsLease, STATE_TTL } from "./claimable.ts";
import { type AttemptEnd, countFailures, FAILURE_WINDOW, SUSPECT_FAILURES } from "./failures.ts";
import type { Quarantine } from "./quarantine.ts";

/**
 * What we derive from evidence, whatever the agent says of itself. `suspect`: it is given work after those that are
 * ready. `unresponsive`: its lease ran out, or its endpoint fails. `offline`: so for minutes, or it was never heard of.
 */
export type Health = "ready" | "suspect" | "unresponsive" | "offline" | "quarantined";

export type HealthCause =
  | "failures"
  | "manual"
  | "never_seen"
  | "lease_lost"
  | "circuit_open"
  | "late_heartbeat"
  | "frozen_progress"
  | "stale_state";

/** After this long without a lease, or with an endpoint that fails, an agent counts as gone. */
export const OFFLINE_AFTER = 5 * MINUTE;
/** A lease that was not renewed for longer than this is late: agents give a sign of life every 3 s. */
const HEARTBEAT_LATE = 7 * SECOND;
/** How long a lease lasts. */
export const AGENT_LEASE = 10 * SECOND;

const EVIDENCE_TASKS = 5;

/** What health is derived from. */
export interface HealthFacts extends AgentCapacity {
  readonly stateReceivedAt: number;
  /** Ends of its attempts from the first failure on. */
  readonly ends: readonly AttemptEnd[];
  /** Tasks of open attempts without progress. */
  readonly frozen: readonly string[];
}

export interface Finding {
  readonly health: Health;
  /** Null for `ready`. */
  readonly cause: HealthCause | null;
  /** Since when that is so; null for `ready`. */
  readonly since: number | null;
  /** Counts, ids and times behind it. */
  readonly evidence: JsonObject;
}

/** How an agent is, with what speaks for it. */
export interface AgentHealth extends Finding {
  /** When it became so; null = it has always been ready. */
  readonly changedAt: number | null;
}

const READY: Finding = { health: "ready", cause: null, since: null, evidence: {} };

/** The one place that says how an agent is. Pure: the same facts at the same time are the same health. */
export function deriveHealth(facts: HealthFacts, now: number): Finding {
  return quarantined(facts.quarantine, facts.ends) ?? gone(facts, now) ?? doubtful(facts, now) ?? READY;
}

function quarantined(quarantine: Quarantine | null, ends: readonly AttemptEnd[]): Finding | null {
  if (quarantine === null) return null;
  const { since, cause, failed, of, by, reason, tries, nextTryAt, trial } = quarantine;
  const counts = cause === "failures" ? { failed, of, taskIds: failedTasks(ends) } : { by, reason };
  const next = { tries, nextTryAt: nextTryAt === null ? null : formatTime(nextTryAt), trial };
  return { health: "quarantined", cause, since, evidence: { ...counts, ...next } };
}

function failedTasks(ends: readonly AttemptEnd[]): string[] {
  const failed = ends.flatMap(([, taskId, code]) => (code === null ? [] : [taskId]));
  return [...new Set(failed)].slice(-EVIDENCE_TASKS);
}

/** It gives no sign of life, or its endpoint fails. */
function gone(facts: HealthFacts, now: number): Finding | null {
  const { leaseUntil, circuit, channel } = facts;
  if (channel === "pull" && leaseUntil === null) {
    return { health: "offline", cause: "never_seen", since: facts.stateReceivedAt, evidence: {} };
  }
  if (leaseUntil !== null && isOffline(facts, now)) {
    return goneSince(leaseUntil, "lease_lost", now, { leaseUntil: formatTime(leaseUntil) });
  }
  if (circuit === null) return null;
  return goneSince(circuit.openedAt, "circuit_open", now, { openedAt: formatTime(circuit.openedAt) });
}

function goneSince(since: number, cause: HealthCause, now: number, evidence: JsonObject): Finding {
  return { health: now - since >= OFFLINE_AFTER ? "offline" : "unresponsive", cause, since, evidence };
}

/** Something speaks against it, and it may still be given work. */
function doubtful(facts: HealthFacts, now: number): Finding | null {
  const { frozen, leaseUntil, state, stateReceivedAt, held, draining } = facts;
  if (frozen.length > 0) {
    return suspect("frozen_progress", null, { taskIds: frozen.slice(0, EVIDENCE_TASKS), attempts: frozen.length });
  }
  if (keepsLease(facts) && leaseUntil !== null && leaseUntil - now < AGENT_LEASE - HEARTBEAT_LATE) {
    return suspect("late_heartbeat", leaseUntil - AGENT_LEASE, { leaseUntil: formatTime(leaseUntil) });
  }
  const ends = facts.ends.filter(([at]) => at > now - FAILURE_WINDOW);
  const { failed, of } = countFailures(ends);
  if (failed >= SUSPECT_FAILURES && failed * 2 >= of) {
    return suspect("failures", ends[0]?.[0] ?? null, { failed, of, taskIds: failedTasks(ends) });
  }
  // `active` that our own attempts cause is as old as they are, and says nothing.
  const isStale = ["active", "error"].includes(state.toLowerCase()) && now - stateReceivedAt >= STATE_TTL;
  if (isStale && held === draining) return suspect("stale_state", stateReceivedAt, { state });
  return null;
}

function suspect(cause: HealthCause, since: number | null, evidence: JsonObject): Finding {
  return { health: "suspect", cause, since, evidence };
}

/** When time alone may make another health of these facts; null = never. It may say a moment too many, never one too few. */
export function nextHealthChange(facts: HealthFacts, now: number): number | null {
  const { leaseUntil, circuit, stateReceivedAt, ends } = facts;
  const moments = [stateReceivedAt + STATE_TTL, ...ends.map(([at]) => at + FAILURE_WINDOW)];
  if (circuit !== null) moments.push(circuit.openedAt + OFFLINE_AFTER);
  if (leaseUntil !== null) {
    // A lease is late when less than that is left of it.
    moments.push(
      leaseUntil - (AGENT_LEASE - HEARTBEAT_LATE) + 1,
      leaseUntil,
      leaseUntil + 1,
      leaseUntil + OFFLINE_AFTER,
    );
  }
  const next = Math.min(...moments.filter((at) => at > now));
  return Number.isFinite(next) ? next : null;
}

/** One half of a sentence whose subject is the agent. */
export function healthText({ cause, evidence, since }: Pick<Finding, "cause" | "evidence" | "since">): string {
  const from = since === null ? "" : ` since ${clockTime(since)}`;
  switch (cause) {
    case null:
      return "is ready";
    case "failures":
      return `failed ${evidence.failed} of its last ${evidence.of} attempts${from}`;
    case "manual":
      return `was quarantined by ${evidence.by ?? "somebody"}${from}`;
    case "never_seen":
      return "has never asked for work";
    case "lease_lost":
      return `gives no sign of life${from}`;
    case "circuit_open":
      return `is not reached, or its endpoint fails,${from}`;
    case "late_heartbeat":
      return `is late with its sign of life${from}`;
    case "frozen_progress":
      return `makes no progress with ${evidence.attempts} of its attempts`;
    case "stale_state":
      return `has reported \`${evidence.state}\` and nothing else${from}`;
  }
}

/** Seconds are enough for people. */
export function clockTime(micros: number): string {
  return formatTime(micros).replace(/\.\d+Z$/, "Z");
}
