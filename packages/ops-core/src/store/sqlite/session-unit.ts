import type { JsonObject } from "@opspawn/contract";
import type { SessionStatus } from "../../domain/sessions/transitions.ts";
import type { SessionFailure, SessionIndex, StepState, Undoing } from "../../domain/workflows/advance.ts";
import type { WorkflowPlan } from "../../domain/workflows/plan.ts";
import {
  type ChangingColumn,
  type Fork,
  insertSession,
  isCount,
  type NewSession,
  newSessionRow,
  SESSION_FORMAT,
  type SessionRow,
  updateSession,
} from "./session-row.ts";
import { readStepState } from "./step-row.ts";
import type { TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

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
    if (this.#state === "new") insertSession(tx, this.row);
    else if (this.#state !== "stored") updateSession(tx, this.row, this.#state === "counts changed");
    this.#state = "stored";
    tx.context.recent.putSession(this.row);
  }
}
