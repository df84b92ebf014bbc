import { OpspawnError } from "@opspawn/contract";
import { tooManyFailures, withEnd } from "../../domain/agents/failures.ts";
import { isTrialDue, type Quarantine, readmissionDelay } from "../../domain/agents/quarantine.ts";
import type { AttemptEvent } from "../../domain/tasks/transitions.ts";
import { noteEvidence, noteHealth } from "./agent-health.ts";
import type { AgentEntry } from "./agent-index.ts";
import { wakeLanes } from "./slots.ts";
import { type AttemptRow, attemptId, type TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** How an attempt ended, as far as it says something about its agent. */
export interface Verdict {
  readonly event: AttemptEvent;
  /** The failure is held against the agent. */
  readonly blames: boolean;
  readonly code: string | null;
}

/** An attempt of this agent has ended: it may be one failure too many, or the trial of a quarantined agent. */
export function judgeAgent(tx: Tx, agent: AgentEntry, task: TaskRow, attempt: AttemptRow, verdict: Verdict): void {
  const { event, blames, code } = verdict;
  if (agent.quarantine !== null) {
    if (agent.quarantine.trial === attemptId(task.id, attempt.n)) judgeTrial(tx, agent, agent.quarantine, event);
  } else if (event === "succeed" ? agent.ends.length > 0 : blames) {
    setEnds(tx, agent, withEnd(agent.ends, [tx.now, task.id, event === "succeed" ? null : (code ?? event)]));
    const failures = tooManyFailures(agent.ends);
    if (failures !== null) {
      quarantine(tx, agent, { cause: "failures", ...failures, by: null, reason: null, nextTryAt: firstTry(tx) });
      return;
    }
  }
  noteHealth(tx, agent);
}

function firstTry(tx: Tx): number {
  return tx.now + readmissionDelay(0);
}

function setEnds(tx: Tx, agent: AgentEntry, ends: AgentEntry["ends"]): void {
  tx.run("update agents set ends = ? where id = ?", ends.length === 0 ? null : JSON.stringify(ends), agent.id);
  agent.ends = ends;
}

/** A cancelled trial shows nothing; whatever else is no success shows that the agent does not work yet. */
function judgeTrial(tx: Tx, agent: AgentEntry, quarantined: Quarantine, event: AttemptEvent): void {
  if (event === "succeed") {
    release(tx, agent);
    return;
  }
  const tries = quarantined.tries + (event === "cancel" ? 0 : 1);
  const delay = event === "cancel" ? 0 : readmissionDelay(tries);
  const nextTryAt = tx.now + delay;
  const changed = tx.run(
    "update quarantines set tries = ?, next_try_at = ?, trial = null where agent_id = ? and trial = ?",
    tries,
    nextTryAt,
    agent.id,
    quarantined.trial,
  );
  if (changed !== 1) throw new Error(`agent ${agent.id} was thought to be on trial`);
  agent.quarantine = { ...quarantined, tries, nextTryAt, trial: null };
  noteEvidence(tx, agent);
}

type NewQuarantine = Pick<Quarantine, "cause" | "failed" | "of" | "by" | "reason" | "nextTryAt">;

function quarantine(tx: Tx, agent: AgentEntry, asked: NewQuarantine): void {
  const since = agent.quarantine?.since ?? tx.now;
  const { cause, failed, of, by, reason, nextTryAt } = asked;
  tx.run(
    `insert into quarantines (agent_id, since, cause, failed, "of", by, reason, tries, next_try_at, trial)
      values (?, ?, ?, ?, ?, ?, ?, 0, ?, null) on conflict (agent_id) do update set cause = excluded.cause,
      failed = excluded.failed, "of" = excluded."of", by = excluded.by, reason = excluded.reason, tries = 0,
      next_try_at = excluded.next_try_at, trial = null`,
    agent.id,
    since,
    cause,
    failed,
    of,
    by,
    reason,
    nextTryAt,
  );
  agent.quarantine = { since, cause, failed, of, by, reason, tries: 0, nextTryAt, trial: null };
  noteEvidence(tx, agent);
}

/** It gets work again, and its failures before are forgotten. */
function release(tx: Tx, agent: AgentEntry): void {
  tx.run("delete from quarantines where agent_id = ?", agent.id);
  agent.quarantine = null;
  setEnds(tx, agent, []);
  noteHealth(tx, agent);
  wakeLanes(tx, agent);
}

export function quarantineByHand(tx: Tx, agentId: string, by: string, reason: string | null): void {
  const agent = needEntry(tx, agentId);
  quarantine(tx, agent, { cause: "manual", failed: 0, of: 0, by, reason, nextTryAt: null });
}

export function readmit(tx: Tx, agentId: string): void {
  const agent = needEntry(tx, agentId);
  if (agent.quarantine !== null) release(tx, agent);
  else if (agent.ends.length > 0) {
    setEnds(tx, agent, []);
    noteHealth(tx, agent);
  }
}

function needEntry(tx: Tx, agentId: string): AgentEntry {
  const agent = tx.context.agents.get(agentId);
  if (agent === undefined) throw new OpspawnError("agent_not_found", `Agent not found: ${agentId}`);
  return agent;
}

/** What an agent that goes has been in is gone with it. */
export function forgetTrouble(tx: Tx, agent: AgentEntry): void {
  if (agent.quarantine !== null) tx.run("delete from quarantines where agent_id = ?", agent.id);
  if (agent.frozen.length === 0) return;
  tx.run("update attempt_progress set suspect_since = null where agent_id = ? and suspect_since is not null", agent.id);
}

/** Takes the one trial of a quarantined agent for an attempt; does nothing for others. */
export function takeTrial(tx: Tx, agent: AgentEntry, trial: string): void {
  const { quarantine: quarantined } = agent;
  if (quarantined === null) return;
  const taken = isTrialDue(quarantined, tx.now)
    ? tx.run(
        "update quarantines set trial = ? where agent_id = ? and trial is null and next_try_at <= ?",
        trial,
        agent.id,
        tx.now,
      )
    : 0;
  if (taken !== 1) throw new Error(`a trial of agent ${agent.id} was thought to be due`);
  agent.quarantine = { ...quarantined, trial };
  noteEvidence(tx, agent);
}
