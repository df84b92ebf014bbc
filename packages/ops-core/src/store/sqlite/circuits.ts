import type { CircuitState } from "../../domain/agents/claimable.ts";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { noteHealth } from "./agent-health.ts";
import type { Doer } from "./agent-index.ts";
import type { AttemptRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** Failures in a row that open an endpoint's circuit. */
const CIRCUIT_THRESHOLD = 5;
const FIRST_PAUSE = 5 * SECOND;
const MAX_PAUSE = MINUTE;

interface CircuitRow {
  endpoint: string;
  failures: number;
  opened_at: number | null;
  next_probe_at: number | null;
}

/**
 * A connection error, timeout, 429 or 5xx of an endpoint. While its circuit is open only the probe says something new;
 * the rest was under way before.
 */
export function countFailure(tx: Tx, agent: Doer, attempt: Pick<AttemptRow, "probe">): void {
  const endpoint = agent.endpoint;
  if (endpoint === null) return;
  const row = tx.get<CircuitRow>("select * from circuits where endpoint = ?", endpoint);
  if (row !== undefined && row.opened_at !== null && attempt.probe === 0) return;
  const failures = (row?.failures ?? 0) + 1;
  const open = failures >= CIRCUIT_THRESHOLD;
  const pause = Math.min(FIRST_PAUSE * 2 ** Math.min(failures - CIRCUIT_THRESHOLD, 20), MAX_PAUSE);
  const circuit = open ? { openedAt: row?.opened_at ?? tx.now, nextProbeAt: tx.now + pause } : null;
  tx.run(
    `insert into circuits (endpoint, failures, opened_at, next_probe_at) values (?, ?, ?, ?)
      on conflict (endpoint) do update set failures = excluded.failures, opened_at = excluded.opened_at,
      next_probe_at = excluded.next_probe_at`,
    endpoint,
    failures,
    circuit?.openedAt ?? null,
    circuit?.nextProbeAt ?? null,
  );
  tx.context.agents.failing.add(endpoint);
  setCircuit(tx, endpoint, circuit);
}

function setCircuit(tx: Tx, endpoint: string, circuit: CircuitState | null): void {
  tx.context.agents.setCircuit(endpoint, circuit);
  for (const agent of tx.context.agents.all()) if (agent.endpoint === endpoint) noteHealth(tx, agent);
}

/** The endpoint works: the row goes, and with it the memory of failures. */
export function closeCircuit(tx: Tx, agent: Doer): void {
  const endpoint = agent.endpoint;
  if (endpoint === null || !tx.context.agents.failing.has(endpoint)) return;
  tx.run("delete from circuits where endpoint = ?", endpoint);
  tx.context.agents.failing.delete(endpoint);
  setCircuit(tx, endpoint, null);
}

/** Takes the one probe of this window, if a circuit is open at all; the next one comes after another pause. */
export function takeProbe(tx: Tx, agent: Doer): boolean {
  if (agent.endpoint === null || agent.circuit === null) return false;
  const nextProbeAt = tx.now + FIRST_PAUSE;
  const taken = tx.run(
    "update circuits set next_probe_at = ? where endpoint = ? and next_probe_at = ?",
    nextProbeAt,
    agent.endpoint,
    agent.circuit.nextProbeAt,
  );
  if (taken !== 1) throw new Error(`the probe of ${agent.endpoint} was thought to be due`);
  tx.context.agents.setCircuit(agent.endpoint, { openedAt: agent.circuit.openedAt, nextProbeAt });
  return true;
}
