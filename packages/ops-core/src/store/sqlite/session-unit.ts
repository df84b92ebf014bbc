import type { JsonObject } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import type { SessionRecord } from "../../domain/sessions/session.ts";
import type { SessionStatus, StepStatus } from "../../domain/sessions/transitions.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { TaskStatus } from "../../domain/tasks/transitions.ts";
import type { SessionFailure, SessionIndex, StepState } from "../../domain/workflows/advance.ts";
import type { WorkflowPlan } from "../../domain/workflows/plan.ts";
import type { TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** The format of session state this program writes; it leaves sessions of a newer format alone. */
export const SESSION_FORMAT = 1;

export interface SessionRow {
  id: string;
  format: number;
  workflow_id: string;
  workflow_version: string;
  plan_hash: string;
  agent_id: string | null;
  status: SessionStatus;
  labels: string;
  input: string | null;
  result: string | null;
  error: string | null;
  failure: string | null;
  failed_steps: string;
  open: number;
  ended: number;
  next_key: number;
  event_sequence: number;
  callback_url: string | null;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
  wake_at: number | null;
}

/** A session held by one transition: read once, written once at its end, however many inputs it took. */
export class SessionUnit implements SessionIndex {
  readonly row: SessionRow;
  readonly plan: WorkflowPlan;
  readonly #tx: Tx;
  readonly #steps = new Map<number, StepState>();
  readonly #tasks = new Map<number, TaskRow>();
  #state: "clean" | "dirty" | "new";

  private constructor(tx: Tx, row: SessionRow, state: "clean" | "new") {
    this.#tx = tx;
    this.row = row;
    this.plan = tx.context.plans.get(tx, row.plan_hash);
    this.#state = state;
    tx.hold(this);
  }

  static create(tx: Tx, row: SessionRow): SessionUnit {
    return new SessionUnit(tx, row, "new");
  }

  static load(tx: Tx, id: string): SessionUnit | undefined {
    const held = tx.session(id);
    if (held !== undefined) return held;
    const row =
      tx.context.recent.takeSession(id) ??
      tx.get<SessionRow>("select * from sessions where id = ? and format <= ?", id, SESSION_FORMAT);
    return row === undefined ? undefined : new SessionUnit(tx, row, "clean");
  }

  get id(): string {
    return this.row.id;
  }

  get status(): SessionStatus {
    return this.row.status;
  }

  get open(): number {
    return this.row.open;
  }

  get ended(): number {
    return this.row.ended;
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

  /** A step that has a task is as its task is. */
  #readStep(index: number): StepState {
    if (this.#state !== "new") {
      const row = this.#tx.get<{ task: TaskStatus | null; own: StepStatus | null; remaining: number | null }>(
        `select (select status from tasks where session_id = :session and step = :step) as task,
          (select status from session_steps where session_id = :session and step = :step) as own,
          (select remaining from session_steps where session_id = :session and step = :step) as remaining`,
        { session: this.id, step: index },
      );
      if (row?.task != null) return { status: row.task === "pending" ? "running" : row.task, remaining: 0 };
      if (row?.own != null) return { status: row.own, remaining: row.remaining ?? 0 };
    }
    return { status: "pending", remaining: this.plan.steps[index]?.dependsOn.length ?? 0 };
  }

  change(change: Partial<SessionRow>): void {
    Object.assign(this.row, change);
    this.row.updated_at = this.#tx.now;
    if (this.#state === "clean") this.#state = "dirty";
  }

  event(type: string, data: JsonObject): void {
    this.change({ event_sequence: this.row.event_sequence + 1 });
    this.#tx.event(this.id, this.row.event_sequence, type, data);
  }

  /** The next place in the order of work: later tasks of one session stand behind the first tasks of others. */
  nextOrderKey(readyAt: number, priority: number): number {
    const key = Math.max(readyAt, this.row.next_key);
    this.change({ next_key: key + 100_000 });
    return key - priority * 60_000_000;
  }

  flush(tx: Tx): void {
    if (this.#state === "new") insert(tx, this.row);
    else if (this.#state === "dirty") update(tx, this.row);
    this.#state = "clean";
    tx.context.recent.putSession(this.row);
  }
}

function insert(tx: Tx, row: SessionRow): void {
  tx.run(
    `insert into sessions (id, format, workflow_id, workflow_version, plan_hash, agent_id, status, labels, input, result,
      error, failure, failed_steps, open, ended, next_key, event_sequence, callback_url, created_at, updated_at, ended_at,
      wake_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.id,
    row.format,
    row.workflow_id,
    row.workflow_version,
    row.plan_hash,
    row.agent_id,
    row.status,
    row.labels,
    row.input,
    row.result,
    row.error,
    row.failure,
    row.failed_steps,
    row.open,
    row.ended,
    row.next_key,
    row.event_sequence,
    row.callback_url,
    row.created_at,
    row.updated_at,
    row.ended_at,
    row.wake_at,
  );
}

/** Immutable columns (input, definition, labels ...) are left alone, so the row's payload is not rewritten by choice. */
function update(tx: Tx, row: SessionRow): void {
  tx.run(
    `update sessions set status = ?, labels = ?, result = ?, error = ?, failure = ?, failed_steps = ?, open = ?,
      ended = ?, next_key = ?, event_sequence = ?, updated_at = ?, ended_at = ?, wake_at = ? where id = ?`,
    row.status,
    row.labels,
    row.result,
    row.error,
    row.failure,
    row.failed_steps,
    row.open,
    row.ended,
    row.next_key,
    row.event_sequence,
    row.updated_at,
    row.ended_at,
    row.wake_at,
    row.id,
  );
}

export function toSessionRecord(row: SessionRow, blocked: Blocked | null = null): SessionRecord {
  return {
    id: row.id,
    workflowId: row.workflow_id,
    workflowVersion: row.workflow_version,
    planHash: row.plan_hash,
    agentId: row.agent_id,
    status: row.status,
    labels: JSON.parse(row.labels) as Record<string, string>,
    input: row.input,
    result: row.result,
    error: row.error === null ? null : (JSON.parse(row.error) as TaskError),
    failedSteps: JSON.parse(row.failed_steps) as string[],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    endedAt: row.ended_at,
    blocked,
  };
}
