import type { JsonObject } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import type { Pause, SessionRecord } from "../../domain/sessions/session.ts";
import type { SessionStatus } from "../../domain/sessions/transitions.ts";
import { pausedBlock } from "../../domain/sessions/waiting.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { Kept, SessionFailure, SessionIndex, StepState, Undoing } from "../../domain/workflows/advance.ts";
import type { WorkflowPlan } from "../../domain/workflows/plan.ts";
import { readStepState } from "./step-row.ts";
import type { StepRow } from "./steps.ts";
import type { TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** The format of session state this program writes; it leaves sessions of a newer format alone. */
const SESSION_FORMAT = 1;

export interface SessionRow {
  id: string;
  format: number;
  workflow_id: string;
  workflow_version: string;
  plan_hash: string;
  agent_id: string | null;
  status: SessionStatus;
  labels: string;
  /** Null, too, where it is large. */
  input: string | null;
  large_input: number;
  result: string | null;
  error: string | null;
  failure: string | null;
  failed_steps: string;
  open: number;
  waiting: number;
  ended: number;
  undo_total: number | null;
  undo_failed: number | null;
  next_key: number;
  event_sequence: number;
  callback_url: string | null;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
  wake_at: number | null;
  parent_id: string | null;
  parent_step: number | null;
  parent_part: number | null;
  depth: number;
  pause: string | null;
  priority: number;
  forked_from: string | null;
}

/** What a session goes on from. */
export interface Fork {
  readonly source: string;
  /** The step that it was asked to begin at. */
  readonly from: string | null;
  readonly kept: ReadonlyMap<number, Kept>;
  /** The rows of the source's steps. */
  readonly steps: ReadonlyMap<number, StepRow>;
}

/** What is known of a session when it begins. */
export interface NewSession {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly planHash: string;
  readonly agentId: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** JSON text or null. */
  readonly input: string | null;
  readonly callbackUrl: string | null;
  readonly priority?: number;
  readonly fork?: Fork;
  /** The step that it is, in a session of its own. */
  readonly parent: { readonly id: string; readonly step: number; readonly part: number; readonly depth: number } | null;
}

function newSessionRow({ parent, ...session }: NewSession, now: number): SessionRow {
  return {
    id: session.id,
    format: SESSION_FORMAT,
    workflow_id: session.workflowId,
    workflow_version: session.workflowVersion,
    plan_hash: session.planHash,
    agent_id: session.agentId,
    status: "started",
    labels: JSON.stringify(session.labels),
    ...inputColumns(session.input),
    result: null,
    error: null,
    failure: null,
    failed_steps: "[]",
    open: 0,
    waiting: 0,
    ended: 0,
    undo_total: null,
    undo_failed: null,
    next_key: 0,
    event_sequence: 0,
    callback_url: session.callbackUrl,
    created_at: now,
    updated_at: now,
    ended_at: null,
    wake_at: null,
    parent_id: parent?.id ?? null,
    parent_step: parent?.step ?? null,
    parent_part: parent?.part ?? null,
    depth: parent === null ? 0 : parent.depth + 1,
    pause: null,
    priority: session.priority ?? 0,
    forked_from: session.fork?.source ?? null,
  };
}

/** Characters of an input that the session's own row still holds; it is written anew with each change of the session. */
const SMALL_INPUT = 1_024;

function inputColumns(input: string | null): Pick<SessionRow, "input" | "large_input"> {
  const isLarge = input !== null && input.length > SMALL_INPUT;
  return { input: isLarge ? null : input, large_input: isLarge ? 1 : 0 };
}

/** A session held by one transition: read once, written once at its end, however many inputs it took. */
export class SessionUnit implements SessionIndex {
  readonly row: SessionRow;
  readonly plan: WorkflowPlan;
  readonly #tx: Tx;
  readonly #steps = new Map<number, StepState>();
  readonly #tasks = new Map<number, TaskRow>();
  readonly #results = new Map<number, string>();
  readonly #homes = new Map<number, string>();
  /** Set in the transition that begins it. */
  #fork: Fork | null = null;
  #state: "stored" | "counts changed" | "changed" | "new";

  private constructor(tx: Tx, row: SessionRow, state: "stored" | "new") {
    this.#tx = tx;
    this.row = row;
    this.plan = tx.context.plans.get(tx, row.plan_hash);
    this.#state = state;
    tx.hold(this);
  }

  static create(tx: Tx, session: NewSession): SessionUnit {
    const unit = new SessionUnit(tx, newSessionRow(session, tx.now), "new");
    unit.#fork = session.fork ?? null;
    if (unit.row.large_input === 1) {
      tx.run("insert into large_inputs (session_id, input) values (?, ?)", session.id, session.input);
    }
    return unit;
  }

  static load(tx: Tx, id: string): SessionUnit | undefined {
    const held = tx.session(id);
    if (held !== undefined) return held;
    const row =
      tx.context.recent.takeSession(id) ??
      tx.get<SessionRow>("select * from sessions where id = ? and format <= ?", id, SESSION_FORMAT);
    return row === undefined ? undefined : new SessionUnit(tx, row, "stored");
  }

  get id(): string {
    return this.row.id;
  }

  /** JSON text or null. */
  get input(): string | null {
    if (this.row.large_input === 0) return this.row.input;
    const row = this.#tx.get<{ input: string }>("select input from large_inputs where session_id = ?", this.id);
    return row?.input ?? null;
  }

  get status(): SessionStatus {
    return this.row.status;
  }

  get open(): number {
    return this.row.open;
  }

  get waiting(): number {
    return this.row.waiting;
  }

  get ended(): number {
    return this.row.ended;
  }

  get undoing(): Undoing | null {
    const { undo_total: total, undo_failed: failed } = this.row;
    return total === null ? null : { total, failed: failed ?? 0 };
  }

  get failure(): SessionFailure | null {
    return this.row.failure === null ? null : (JSON.parse(this.row.failure) as SessionFailure);
  }

  step(index: number): StepState {
    const known = this.#steps.get(index);
    if (known !== undefined) return known;
    const state = this.#readStep(index);
    this.#steps.set(index, state);
    return state;
  }

  /** Takes note of a step's state that is changing in this transition. */
  know(index: number, state: StepState): void {
    this.#steps.set(index, state);
  }

  /** Takes note of a step's task that this transition holds anyway. */
  knowTask(index: number, task: TaskRow): void {
    this.#tasks.set(index, task);
  }

  taskOf(index: number): TaskRow | undefined {
    return this.#tasks.get(index);
  }

  /** What a step without a task will have yielded when it completes, as JSON text. */
  giveResult(index: number, result: string): void {
    this.#results.set(index, result);
  }

  givenResult(index: number): string | null {
    return this.#results.get(index) ?? null;
  }

  /** What it goes on from, while it begins. */
  get fork(): Fork | null {
    return this.#fork;
  }

  isDone(step: number, item: number): boolean {
    if (this.row.forked_from === null) return false;
    const sql = "select 1 from step_items where session_id = ? and step = ? and item = ? and source is not null";
    return this.#tx.get(sql, this.id, step, item) !== undefined;
  }

  /** The session in which the runs of a step are: another one, where the step was taken over. */
  homeOf(index: number): string {
    if (this.row.forked_from === null) return this.id;
    const known = this.#homes.get(index);
    if (known !== undefined) return known;
    const sql = "select source from session_steps where session_id = ? and step = ?";
    const home = this.#tx.get<{ source: string | null }>(sql, this.id, index)?.source ?? this.id;
    this.#homes.set(index, home);
    return home;
  }

  #readStep(index: number): StepState {
    const own = this.#state === "new" ? undefined : readStepState(this.#tx, this.id, index);
    return own ?? { status: "pending", remaining: this.plan.steps[index]?.dependsOn.length ?? 0 };
  }

  change(change: Partial<Pick<SessionRow, ChangingColumn>>): void {
    Object.assign(this.row, change);
    this.row.updated_at = this.#tx.now;
    if (this.#state === "stored") this.#state = "counts changed";
    if (this.#state === "counts changed" && !Object.keys(change).every((column) => isCount.has(column))) {
      this.#state = "changed";
    }
  }

  event(type: string, data: JsonObject): void {
    this.change({ event_sequence: this.row.event_sequence + 1 });
    this.#tx.event(this.id, this.row.event_sequence, type, data);
  }

  /** The next place in the order of work: later tasks of one session stand behind the first tasks of others. */
  nextOrderKey(readyAt: number, priority: number): number {
    const key = Math.max(readyAt, this.row.next_key);
    this.change({ next_key: key + 100_000 });
    return key - (priority + this.row.priority) * 60_000_000;
  }

  flush(tx: Tx): void {
    if (this.#state === "new") insert(tx, this.row);
    else if (this.#state !== "stored") update(tx, this.row, this.#state === "counts changed");
    this.#state = "stored";
    tx.context.recent.putSession(this.row);
  }
}

/** What is written once, when a session begins. */
const FIXED = [
  "id",
  "format",
  "workflow_id",
  "workflow_version",
  "plan_hash",
  "agent_id",
  "input",
  "large_input",
  "callback_url",
  "created_at",
  "parent_id",
  "parent_step",
  "parent_part",
  "depth",
  "priority",
  "forked_from",
] as const satisfies readonly (keyof SessionRow)[];

/** What changes while it goes on. */
const CHANGING = [
  "status",
  "labels",
  "result",
  "error",
  "failure",
  "failed_steps",
  "open",
  "waiting",
  "ended",
  "undo_total",
  "undo_failed",
  "next_key",
  "event_sequence",
  "updated_at",
  "ended_at",
  "wake_at",
  "pause",
] as const satisfies readonly (keyof SessionRow)[];

type ChangingColumn = (typeof CHANGING)[number];

const COLUMNS = [...FIXED, ...CHANGING];
const INSERT = `insert into sessions (${COLUMNS.join(", ")}) values (${COLUMNS.map(() => "?").join(", ")})`;
const UPDATE = updateOf(CHANGING);

/** What one step after another changes, of which no index knows. */
const COUNTS = [
  "open",
  "waiting",
  "ended",
  "next_key",
  "event_sequence",
  "updated_at",
] as const satisfies readonly ChangingColumn[];
const UPDATE_COUNTS = updateOf(COUNTS);
const isCount: ReadonlySet<string> = new Set(COUNTS);

function updateOf(columns: readonly ChangingColumn[]): string {
  return `update sessions set ${columns.map((column) => `${column} = ?`).join(", ")} where id = ?`;
}

function insert(tx: Tx, row: SessionRow): void {
  tx.run(INSERT, ...COLUMNS.map((column) => row[column]));
}

function update(tx: Tx, row: SessionRow, onlyCounts: boolean): void {
  if (onlyCounts) tx.run(UPDATE_COUNTS, ...COUNTS.map((column) => row[column]), row.id);
  else tx.run(UPDATE, ...CHANGING.map((column) => row[column]), row.id);
}

/**
 * @param input what the row does not hold of it, where it is large
 * @param uncertainSteps what only the rows of its steps say
 */
export function toSessionRecord(
  row: SessionRow,
  blocked: Blocked | null = null,
  input: string | null = row.input,
  uncertainSteps: readonly string[] = [],
): SessionRecord {
  const pause = row.pause === null ? null : (JSON.parse(row.pause) as Pause);
  return {
    id: row.id,
    workflowId: row.workflow_id,
    workflowVersion: row.workflow_version,
    planHash: row.plan_hash,
    agentId: row.agent_id,
    status: row.status,
    labels: JSON.parse(row.labels) as Record<string, string>,
    input,
    result: row.result,
    error: row.error === null ? null : (JSON.parse(row.error) as TaskError),
    failedSteps: JSON.parse(row.failed_steps) as string[],
    uncertainSteps,
    compensation: compensationOf(row),
    parentId: row.parent_id,
    parentStep: row.parent_step,
    forkedFrom: row.forked_from,
    priority: row.priority,
    pause,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    endedAt: row.ended_at,
    blocked: pause === null ? blocked : pausedBlock(row.id, pause),
  };
}

function compensationOf(row: SessionRow): SessionRecord["compensation"] {
  if (row.undo_total === null) return null;
  if (row.ended_at === null) return "running";
  return row.undo_failed === 0 ? "complete" : "incomplete";
}
