import type { EvidenceClass } from "../../domain/agents/agent.ts";
import type { AgentCapacity, CircuitState } from "../../domain/agents/claimable.ts";
import { laneOf, lanesServed, toolOf } from "../../domain/tasks/task.ts";
import { TOOL_TIMEOUT } from "../../domain/tools/tool.ts";
import type { Database } from "./database.ts";

/** Who does tasks; a copy of rows, never the truth beyond a commit. */
interface Entry {
  name: string;
  maxConcurrency: number;
  timeout: number | null;
  held: number;
  draining: number;
  circuit: CircuitState | null;
  /** Numbers of its free slots; null until somebody asks. */
  free: number[] | null;
  lanes: readonly string[];
}

/** What the claim needs to know of an agent. */
export interface AgentEntry extends Entry, AgentCapacity {
  readonly kind: "agent";
  readonly id: string;
  maxConcurrency: number;
  held: number;
  draining: number;
  circuit: CircuitState | null;
  endpoint: string | null;
  /** AgentKit elsewhere told of it. */
  announced: boolean;
  channel: "push" | "pull";
  heartbeat: boolean;
  evidence: EvidenceClass;
  /** What the agent said last by its own clock. */
  state: string;
  stateAt: number | null;
  stateReceivedAt: number;
  stateLapsesAt: number;
  leaseUntil: number | null;
}

/** What the claim needs to know of a tool. It has no id that could be taken for an agent's: its name is its own. */
export interface ToolEntry extends Entry {
  readonly kind: "tool";
  readonly id: null;
  readonly channel: "push";
  readonly endpoint: string;
}

/** An agent, or a tool that this server calls. */
export type Doer = AgentEntry | ToolEntry;

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

interface ToolRow {
  name: string;
  endpoint: string;
  max_concurrency: number;
  held: number;
  draining: number;
  opened_at: number | null;
  next_probe_at: number | null;
}

/** The calls of a tool of that name that was removed are its calls too. */
const TOOL_COLUMNS = `select tools.name, tools.endpoint, tools.max_concurrency, c.opened_at, c.next_probe_at,
  coalesce(calls.count, 0) + coalesce(given_up.count, 0) as held, coalesce(given_up.count, 0) as draining
  from tools left join circuits c on c.endpoint = tools.endpoint
  left join (select lane, count(*) as count from tasks where status = 'running' and agent_id is null group by lane) calls
    on calls.lane = 'tool:' || tools.name
  left join (select tool, count(*) as count from draining_slots where tool is not null group by tool) given_up
    on given_up.tool = tools.name`;

/**
 * The agents and tools by lane, in memory: it proposes whom to claim, the write decides. Transitions keep it in step
 * with their rows; after a rollback it is read anew. Agents are found by id, tools by name, neither among the other.
 */
export class AgentIndex {
  readonly #db: Database;
  readonly #byId = new Map<string, AgentEntry>();
  readonly #tools = new Map<string, ToolEntry>();
  readonly #byLane = new Map<string, Doer[]>();
  readonly #waiting = new Set<string>();
  readonly #failing = new Set<string>();
  readonly #cancelling = new Set<string>();
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

  tool(name: string): ToolEntry | undefined {
    this.#fresh();
    return this.#tools.get(name);
  }

  /** Whose an attempt of a task in this lane is: the agent's that it names, else the lane's tool's. */
  doer(lane: string, agentId: string | null): Doer | undefined {
    if (agentId !== null) return this.get(agentId);
    const name = toolOf(lane);
    return name === null ? undefined : this.tool(name);
  }

  all(): Iterable<AgentEntry> {
    this.#fresh();
    return this.#byId.values();
  }

  tools(): Iterable<ToolEntry> {
    this.#fresh();
    return this.#tools.values();
  }

  inLane(lane: string): readonly Doer[] {
    this.#fresh();
    return this.#byLane.get(lane) ?? [];
  }

  lanes(): Iterable<string> {
    this.#fresh();
    return this.#byLane.keys();
  }

  /** Lanes where a task without limits may wait; a lane too many costs one look-up. */
  get waiting(): Set<string> {
    this.#fresh();
    return this.#waiting;
  }

  /** Endpoints whose last exchanges failed, and perhaps others. */
  get failing(): Set<string> {
    this.#fresh();
    return this.#failing;
  }

  /** Agents of which it is waited for that they stop, and perhaps others. */
  get cancelling(): Set<string> {
    this.#fresh();
    return this.#cancelling;
  }

  /** Who serves a lane, beginning with the one whose turn it is. */
  *inTurn(lane: string): Iterable<Doer> {
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
    const known = this.#byId.get(id);
    this.#byId.delete(id);
    this.#leaveLanes(known);
    const row = this.#db.get<AgentRow>(`${COLUMNS} and a.id = ?`, id);
    if (row !== undefined) this.#put(toEntry(row));
  }

  /** Reads one tool anew, after its row changed. */
  reloadTool(name: string): void {
    if (this.#stale) return;
    const known = this.#tools.get(name);
    this.#tools.delete(name);
    this.#leaveLanes(known);
    const row = this.#db.get<ToolRow>(`${TOOL_COLUMNS} where tools.name = ?`, name);
    if (row !== undefined) this.#put(toToolEntry(row));
  }

  setCircuit(endpoint: string, circuit: CircuitState | null): void {
    for (const entry of this.all()) if (entry.endpoint === endpoint) entry.circuit = circuit;
    for (const entry of this.tools()) if (entry.endpoint === endpoint) entry.circuit = circuit;
  }

  #fresh(): void {
    if (!this.#stale) return;
    this.#stale = false;
    this.#byId.clear();
    this.#tools.clear();
    this.#byLane.clear();
    for (const row of this.#db.all<AgentRow>(`${COLUMNS} order by a.name`)) this.#put(toEntry(row));
    for (const row of this.#db.all<ToolRow>(TOOL_COLUMNS)) this.#put(toToolEntry(row));
    for (const { endpoint } of this.#db.all<{ endpoint: string }>("select endpoint from circuits")) {
      this.#failing.add(endpoint);
    }
    const open = "select distinct agent_id as id from cancellations where wake_at is not null and agent_id is not null";
    for (const { id } of this.#db.all<{ id: string }>(open)) this.#cancelling.add(id);
    for (const { lane } of this.#db.all<{ lane: string }>(
      "select distinct lane from tasks where status = 'pending' and held = 0 and limits is null",
    )) {
      this.#waiting.add(lane);
    }
  }

  #leaveLanes(entry: Doer | undefined): void {
    for (const lane of entry?.lanes ?? []) {
      const left = (this.#byLane.get(lane) ?? []).filter((other) => other !== entry);
      if (left.length > 0) this.#byLane.set(lane, left);
      else this.#byLane.delete(lane);
    }
  }

  #put(entry: Doer): void {
    if (entry.kind === "agent") this.#byId.set(entry.id, entry);
    else this.#tools.set(entry.name, entry);
    for (const lane of entry.lanes) {
      const agents = this.#byLane.get(lane);
      if (agents === undefined) this.#byLane.set(lane, [entry]);
      else agents.push(entry);
    }
  }
}

function toEntry(row: AgentRow): AgentEntry {
  const capabilities = JSON.parse(row.capabilities) as string[];
  return {
    kind: "agent",
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
    circuit: circuitOf(row),
    free: null,
    lanes: [...new Set(lanesServed({ id: row.id, name: row.name, capabilities }))],
  };
}

function toToolEntry(row: ToolRow): ToolEntry {
  return {
    kind: "tool",
    id: null,
    name: row.name,
    channel: "push",
    endpoint: row.endpoint,
    maxConcurrency: row.max_concurrency,
    timeout: TOOL_TIMEOUT,
    held: row.held,
    draining: row.draining,
    circuit: circuitOf(row),
    free: null,
    lanes: [laneOf({ kind: "tool", tool: row.name })],
  };
}

function circuitOf(row: Pick<AgentRow, "opened_at" | "next_probe_at">): CircuitState | null {
  if (row.opened_at === null || row.next_probe_at === null) return null;
  return { openedAt: row.opened_at, nextProbeAt: row.next_probe_at };
}
