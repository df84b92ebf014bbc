import { OpspawnError } from "@opspawn/contract";
import { isStronger } from "../../domain/agents/agent.ts";
import { isRestart, keepsLease, STATE_TTL } from "../../domain/agents/claimable.ts";
import { isOlder } from "../../domain/agents/evidence.ts";
import type { StateReport } from "../../domain/store.ts";
import { agentEvent } from "./agent-events.ts";
import { noteHealth } from "./agent-health.ts";
import type { AgentEntry } from "./agent-index.ts";
import { renewLease } from "./agent-lease.ts";
import { settleCancellations } from "./cancellations.ts";
import { loseAttempts } from "./loss.ts";
import { raiseEvidence } from "./outcomes.ts";
import { settleFromReports } from "./report-evidence.ts";
import { releaseDraining, wakeLanes } from "./slots.ts";
import type { Tx } from "./tx.ts";

/** A state report: stored always; it settles an attempt only where the rules of evidence let it. */
export function report(tx: Tx, incoming: StateReport): { settled: string | null } {
  const agent = tx.context.agents.get(incoming.agentId);
  if (agent === undefined) throw new OpspawnError("agent_not_found", `Agent not found: ${incoming.agentId}`);
  const moment = { reportedAt: incoming.reportedAt, receivedAt: tx.now };
  // An older report may be shown; it decides nothing.
  const decides = !isOlder(moment, { reportedAt: agent.stateAt, receivedAt: agent.stateReceivedAt });
  storeReport(tx, agent, incoming);
  if (decides) takeState(tx, agent, incoming);
  if (keepsLease(agent)) renewLease(tx, agent);
  if (decides && isRestart(incoming.state)) {
    loseAttempts(tx, agent, { code: "agent_restarted", message: `The agent reported \`${incoming.state}\`.` });
  }
  if (incoming.taskId !== null) noteNaming(tx, agent, incoming.taskId);
  const settled = settleFromReports(tx, agent);
  const state = incoming.state.toLowerCase();
  if (decides && (state === "idle" || state === "finished")) becomeIdle(tx, agent);
  noteHealth(tx, agent);
  wakeLanes(tx, agent);
  return { settled };
}

/** Keeps the report; it is what is shown from now on, even if the agent made it before another one. */
function storeReport(tx: Tx, agent: AgentEntry, incoming: StateReport): void {
  const row = tx.returning<{ reports: number }>(
    `update agents set state = ?, state_details = ?, state_timestamp = ?, state_received_at = ?, reports = reports + 1
      where id = ? returning reports`,
    incoming.state,
    incoming.details,
    incoming.timestamp,
    tx.now,
    agent.id,
  );
  tx.run(
    `insert into agent_reports (agent_id, sequence, state, details, task_id, timestamp, reported_at, received_at)
      values (?, ?, ?, ?, ?, ?, ?, ?)`,
    agent.id,
    row?.reports ?? 0,
    incoming.state,
    incoming.details,
    incoming.taskId,
    incoming.timestamp,
    incoming.reportedAt,
    tx.now,
  );
}

/** The agent is in this state now, as far as what it is given depends on it. */
function takeState(tx: Tx, agent: AgentEntry, incoming: StateReport): void {
  const ours = incoming.state.toLowerCase() === "active" && agent.held > agent.draining;
  // `active` that our own attempts cause says nothing beyond the slots they hold, then and later.
  const lapsesAt = ours ? tx.now : tx.now + STATE_TTL;
  tx.run(
    "update agents set own_state = ?, own_state_at = ?, own_state_received_at = ?, state_lapses_at = ? where id = ?",
    incoming.state,
    incoming.reportedAt,
    tx.now,
    lapsesAt,
    agent.id,
  );
  if (agent.state !== incoming.state) {
    agentEvent(tx, agent.id, "agent.state_changed", { from: agent.state, to: incoming.state });
  }
  agent.state = incoming.state;
  agent.stateAt = incoming.reportedAt;
  agent.stateReceivedAt = tx.now;
  agent.stateLapsesAt = lapsesAt;
}

/** An agent that names one of its tasks has shown how it tells outcomes, whatever it says about this one. */
function noteNaming(tx: Tx, agent: AgentEntry, taskId: string): void {
  if (!isStronger("named", agent.evidence)) return;
  const its = tx.get("select 1 from attempts where task_id = ? and agent_id = ? limit 1", taskId, agent.id);
  if (its !== undefined) raiseEvidence(tx, agent, "named");
}

/** It has nothing of ours any more: drained slots are free, and the next message starts a clean count. */
function becomeIdle(tx: Tx, agent: AgentEntry): void {
  settleCancellations(tx, agent.id, "idle");
  releaseDraining(tx, agent);
  if (agent.held === 0 && agent.evidence !== "explicit") forgetMessages(tx, agent);
}

function forgetMessages(tx: Tx, agent: AgentEntry): void {
  tx.run("update agents set messages_since_idle = 0 where id = ? and messages_since_idle > 0", agent.id);
}
