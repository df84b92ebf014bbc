import type { SessionStatus, StepStatus } from "../sessions/transitions.ts";
import type { TaskError } from "../tasks/task.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";

/** What can happen to a session. Ids and time arrive with the store, never here. */
export type SessionInput =
  | { readonly type: "start" }
  | { readonly type: "step_completed"; readonly step: number }
  | { readonly type: "step_failed"; readonly step: number; readonly error: TaskError }
  | { readonly type: "cancel"; readonly reason: string }
  | { readonly type: "deadline" };

/** Counters and statuses, no payloads. A step that was never touched is `pending` with all its dependencies left. */
export interface SessionIndex {
  readonly status: SessionStatus;
  /** Steps that run. */
  readonly open: number;
  /** Steps that reached a terminal status. */
  readonly ended: number;
  /** The failure that will end the session once its open steps have ended. */
  readonly failure: SessionFailure | null;
  step(index: number): StepState;
}

export interface StepState {
  readonly status: StepStatus;
  /** Dependencies that have not ended yet. */
  readonly remaining: number;
}

export interface SessionFailure {
  readonly step: string | null;
  readonly error: TaskError;
}

export interface StepChange extends StepState {
  readonly index: number;
}

export type Effect =
  | { readonly type: "create_task"; readonly step: number }
  | { readonly type: "cancel_task"; readonly step: number; readonly reason: string }
  | {
      readonly type: "finish";
      readonly status: "completed" | "failed" | "cancelled";
      readonly error: TaskError | null;
    };

export interface Advance {
  readonly open: number;
  readonly ended: number;
  readonly failure: SessionFailure | null;
  readonly steps: readonly StepChange[];
  readonly effects: readonly Effect[];
  /** Set when the step failed and the session goes on. */
  readonly failedSteps: readonly string[];
}

/**
 * The whole workflow logic: what one input changes and what must be done about it. Deterministic, without clock, chance
 * or I/O; it touches only the step named by the input and the steps behind it, so its cost does not grow with the
 * session. An input that the session's state does not allow changes nothing.
 */
export function advance(plan: WorkflowPlan, index: SessionIndex, input: SessionInput): Advance {
  const move = new Move(plan, index);
  if (index.status !== "started" && index.status !== "running") return move.done();
  switch (input.type) {
    case "start":
      move.start();
      break;
    case "step_completed":
      if (move.end(input.step, "completed")) move.release(input.step);
      break;
    case "step_failed":
      move.fail(input.step, input.error);
      break;
    case "cancel":
      return move.stop("cancelled", { code: "cancelled", message: input.reason }, input.reason);
    case "deadline":
      return move.stop(
        "failed",
        { code: "deadline_exceeded", message: "The session's deadline has passed." },
        "deadline",
      );
  }
  move.finishIfDone();
  return move.done();
}

/** One call of `advance` under construction. */
class Move {
  readonly #plan: WorkflowPlan;
  readonly #index: SessionIndex;
  readonly #changes = new Map<number, StepChange>();
  readonly #effects: Effect[] = [];
  readonly #failedSteps: string[] = [];
  #open: number;
  #ended: number;
  #failure: SessionFailure | null;

  constructor(plan: WorkflowPlan, index: SessionIndex) {
    this.#plan = plan;
    this.#index = index;
    this.#open = index.open;
    this.#ended = index.ended;
    this.#failure = index.failure;
  }

  start(): void {
    for (const step of this.#plan.steps) if (step.dependsOn.length === 0) this.#begin(step);
  }

  /** Ends a step that runs, be it that its task could not even be made; false when it does not run. */
  end(step: number, status: "completed" | "failed"): boolean {
    if (this.#state(step).status !== "running") return false;
    this.#open -= 1;
    this.#set(step, { status, remaining: 0 });
    this.#ended += 1;
    return true;
  }

  fail(stepIndex: number, error: TaskError): void {
    if (!this.end(stepIndex, "failed")) return;
    const step = this.#step(stepIndex);
    this.#failedSteps.push(step.id);
    if ((step.onFailure ?? this.#plan.onFailure) === "continue") this.release(stepIndex);
    else this.#failure ??= { step: step.id, error };
  }

  /** Tells the dependents that this step has ended; those with nothing left to wait for begin. */
  release(stepIndex: number): void {
    for (const dependent of this.#step(stepIndex).dependents) {
      const step = this.#step(dependent);
      // A step with one dependency cannot have begun before it ended: nothing to look up.
      const state: StepState =
        step.dependsOn.length === 1 ? { status: "pending", remaining: 1 } : this.#state(dependent);
      if (state.status !== "pending") continue;
      if (state.remaining > 1) this.#set(dependent, { status: "pending", remaining: state.remaining - 1 });
      else this.#begin(step);
    }
  }

  finishIfDone(): void {
    if (this.#open > 0) return;
    if (this.#failure !== null) this.#finish("failed", this.#failure.error);
    else if (this.#ended === this.#plan.steps.length) this.#finish("completed", null);
  }

  /** Ends the session at once: running steps are cancelled, their agents are told by the effect. */
  stop(status: "failed" | "cancelled", error: TaskError, reason: string): Advance {
    for (const step of this.#plan.steps) {
      const state = this.#state(step.index);
      if (state.status !== "running") continue;
      this.#set(step.index, { status: "cancelled", remaining: 0 });
      this.#effects.push({ type: "cancel_task", step: step.index, reason });
      this.#open -= 1;
      this.#ended += 1;
    }
    this.#effects.push({ type: "finish", status, error });
    return this.done();
  }

  done(): Advance {
    return {
      open: this.#open,
      ended: this.#ended,
      failure: this.#failure,
      steps: [...this.#changes.values()],
      effects: this.#effects,
      failedSteps: this.#failedSteps,
    };
  }

  #begin(step: PlanStep): void {
    // After a failure running siblings finish and are recorded, but nothing new starts.
    if (this.#failure !== null) {
      this.#set(step.index, { status: "pending", remaining: 0 });
      return;
    }
    this.#set(step.index, { status: "running", remaining: 0 });
    this.#open += 1;
    this.#effects.push({ type: "create_task", step: step.index });
  }

  #finish(status: "completed" | "failed", error: TaskError | null): void {
    this.#effects.push({ type: "finish", status, error });
  }

  #state(index: number): StepState {
    return this.#changes.get(index) ?? this.#index.step(index);
  }

  #set(index: number, state: StepState): void {
    this.#changes.set(index, { index, ...state });
  }

  #step(index: number): PlanStep {
    const step = this.#plan.steps[index];
    if (step === undefined) throw new Error(`step ${index} is not in plan ${this.#plan.id}`);
    return step;
  }
}
