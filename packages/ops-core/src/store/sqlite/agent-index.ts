import type { EvidenceClass } from "../../domain/agents/agent.ts";
import type { AgentCapacity, CircuitState } from "../../domain/agents/claimable.ts";
import { lanesServed } from "../../domain/tasks/task.ts";
import type { Database } from "./database.ts";

/** What the claim needs to know of an agent; a copy of rows, never the truth beyond a commit. */
export interface AgentEntry extends AgentCapacity {
  readonly id: string;
  name: string;
  endpoint: string | null;
  /** AgentKit elsewhere told of it. */
  announced: boolean;
  channel: "push" | "pull";
  maxConcurrency: number;
  heartbeat: boolean;
  timeout: number | null;
  evidence: EvidenceClass;
  /** What the agent said last by its own clock. */
  state: string;
  stateAt: number | null;
  stateReceivedAt: number;
  stateLapsesAt: number;
  leaseUntil: number | null;
  held: number;
  draining: number;
  circuit: CircuitState | null;
  /** Numbers of its free slots; null until somebody asks. */
  free: number[] | null;
  lanes: readonly string[];
}

interface AgentRow {
  id: string;
  name: string;
  capabilities: string;
  endpoint: string | null;
  announced_at: number | null;
  channel: "push" | "pull";
  max_concurrency: number;
  heartbeat: number;
  timeout: number | null;
  evidence: EvidenceClass;
  own_state: string;
  own_state_at: number | null;
  own_state_received_at: number;
  state_lapses_at: number;
  lease_until: number | null;
  held: number;
  draining: number;
  opened_at: number | null;
  next_probe_at: number | null;
}

const COLUMNS = `select a.id, a.name, a.capabilities, a.endpoint, a.announced_at, a.channel, a.max_concurrency,
  a.heartbeat, a.timeout, a.evidence, a.own_state, a.own_state_at, a.own_state_received_at, a.state_lapses_at, a.lease_until, c.opened_at,
  c.next_probe_at,
  (select count(*) from tasks t where t.status = 'running' and t.agent_id = a.id)
    + (select count(*) from draining_slots d where d.agent_id = a.id) as held,
  (select count(*) from draining_slots d where d.agent_id = a.id) as draining
  from agents a left join circuits c on c.endpoint = a.endpoint where a.removed_at is null`;

/**
 * The agents by lane, in memory: it proposes whom to claim, the write decides. Transitions keep it in step with their
 * rows; after a rollback it is read anew.
 */
export class AgentIndex {
  readonly #db: Database;
  readonly #byId = new Map<string, AgentEntry>();
  readonly #byLane = new Map<string, AgentEntry[]>();
  readonly #waiting = new Set<string>();
  readonly #failing = new Set<string>();
  /** Where the last choice in a lane was made, so that equal agents take turns. */
  readonly #turn = new Map<string, number>();
  #stale = true;

  constructor(db: Database) {
    this.#db = db;
  }

  forget(): void {
    this.#stale = true;
  }

  /** Whether the rows will be read before the next answer. */
  get stale(): boolean {
    return this.#stale;
  }

  get(id: string): AgentEntry | undefined {
    this.#fresh();
    return this.#byId.get(id);
  }

  all(): Iterable<AgentEntry> {
    this.#fresh();
    return this.#byId.values();
  }

  inLane(lane: string): readonly AgentEntry[] {
    this.#fresh();
    return this.#byLane.get(lane) ?? [];
  }

  lanes(): Iterable<string> {
    this.#fresh();
    return this.#byLane.keys();
  }

  /** Lanes where a task may wait; a lane too many costs one look-up. */
  get waiting(): Set<string> {
    this.#fresh();
    return this.#waiting;
  }

  /** Endpoints whose last exchanges failed, and perhaps others. */
  get failing(): Set<string> {
    this.#fresh();
    return this.#failing;
  }

  /** The agents of a lane, beginning with the one whose turn it is. */
  *inTurn(lane: string): Iterable<AgentEntry> {
    const agents = this.inLane(lane);
    const start = (this.#turn.get(lane) ?? 0) % Math.max(agents.length, 1);
    for (let i = 0; i < agents.length; i++) {
      const at = (start + i) % agents.length;
      const agent = agents[at];
      if (agent === undefined) continue;
      this.#turn.set(lane, at + 1);
      yield agent;
    }
  }

  /** Reads one agent anew, after its row changed. */
  reload(id: string): void {
    if (this.#stale) return;
    this.#drop(id);
    const row = this.#db.get<AgentRow>(`${COLUMNS} and a.id = ?`, id);
    if (row !== undefined) this.#put(row);
  }

  setCircuit(endpoint: string, circuit: CircuitState | null): void {
    for (const entry of this.all()) if (entry.endpoint === endpoint) entry.circuit = circuit;
  }

  #fresh(): void {
    if (!this.#stale) return;
    this.#stale = false;
    this.#byId.clear();
    this.#byLane.clear();
    for (const row of this.#db.all<AgentRow>(`${COLUMNS} order by a.name`)) this.#put(row);
    for (const { endpoint } of this.#db.all<{ endpoint: string }>("select endpoint from circuits")) {
      this.#failing.add(endpoint);
    }
    for (const { lane } of this.#db.all<{ lane: string }>("select distinct lane from tasks where status = 'pending'")) {
      this.#waiting.add(lane);
    }
  }

  #drop(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#byId.delete(id);
    for (const lane of entry.lanes) {
      const left = (this.#byLane.get(lane) ?? []).filter((other) => other !== entry);
      if (left.length > 0) this.#byLane.set(lane, left);
      else this.#byLane.delete(lane);
    }
  }

  #put(row: AgentRow): void {
    const entry = toEntry(row);
    this.#byId.set(entry.id, entry);
    for (const lane of entry.lanes) {
      const agents = this.#byLane.get(lane);
      if (agents === undefined) this.#byLane.set(lane, [entry]);
      else agents.push(entry);
    }
  }
}

function toEntry(row: AgentRow): AgentEntry {
  const capabilities = JSON.parse(row.capabilities) as string[];
  const open = row.opened_at !== null && row.next_probe_at !== null;
  return {
    id: row.id,
    name: row.name,
    endpoint: row.endpoint,
    announced: row.announced_at !== null,
    channel: row.channel,
    maxConcurrency: row.max_concurrency,
    heartbeat: row.heartbeat === 1,
    timeout: row.timeout,
    evidence: row.evidence,
    state: row.own_state,
    stateAt: row.own_state_at,
    stateReceivedAt: row.own_state_received_at,
    stateLapsesAt: row.state_lapses_at,
    leaseUntil: row.lease_until,
    held: row.held,
    draining: row.draining,
    circuit: open ? { openedAt: row.opened_at ?? 0, nextProbeAt: row.next_probe_at ?? 0 } : null,
    free: null,
    lanes: [...new Set(lanesServed({ id: row.id, name: row.name, capabilities }))],
  };
}
