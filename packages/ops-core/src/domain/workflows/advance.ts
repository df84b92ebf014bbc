import type { SessionStatus, StepStatus } from "../sessions/transitions.ts";
import type { TaskError } from "../tasks/task.ts";
import { Move } from "./move.ts";
import type { WorkflowPlan } from "./plan.ts";

/**
 * What can happen to a session. Ids and time arrive with the store, never here. `part` is the item of a `forEach` or the
 * iteration of a `repeat`, 0 for other steps.
 */
export type SessionInput =
  | StepInput
  /** What is to be undone was listed; of `uncertain` steps nobody knows whether they were done. */
  | { readonly type: "undoing_planned"; readonly total: number; readonly uncertain: readonly number[] }
  /** `restored`: nothing of the step is left to undo. */
  | {
      readonly type: "undone";
      readonly n: number;
      readonly step: number;
      readonly failed: boolean;
      readonly restored: boolean;
    }
  /** All steps are done, and what the session is to answer cannot be told. */
  | { readonly type: "output_failed"; readonly error: TaskError }
  /** Nothing new is given out; whoever carries out the effects sees to that. */
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  | { readonly type: "cancel"; readonly reason: string }
  | { readonly type: "deadline" };

/** What happens to the steps. */
export type StepInput =
  | { readonly type: "start" }
  /** As `start`, where another session got to: some steps ended there already, and do nothing here. */
  | { readonly type: "fork"; readonly kept: ReadonlyMap<number, Kept> }
  /** The step's condition holds. */
  | { readonly type: "step_admitted"; readonly step: number }
  | { readonly type: "step_skipped"; readonly step: number }
  | { readonly type: "items_listed"; readonly step: number; readonly total: number }
  | { readonly type: "iteration_judged"; readonly step: number; readonly part: number; readonly enough: boolean }
  | { readonly type: "step_completed"; readonly step: number; readonly part: number }
  /** Null `part` = the step as a whole. */
  | { readonly type: "step_failed"; readonly step: number; readonly part: number | null; readonly error: TaskError }
  /** An approval was rejected, or nobody decided or signalled in time. */
  | {
      readonly type: "step_refused";
      readonly step: number;
      readonly role: "rejected" | "expired";
      readonly error: TaskError;
    };

/** How a step ended in the session that this one goes on from. */
export type Kept =
  | { readonly how: "completed" }
  | { readonly how: "skipped" }
  /** What comes of a failure comes again: the step that stands in for it, or those behind it. */
  | { readonly how: "failed"; readonly error: TaskError }
  | { readonly how: "refused"; readonly role: "rejected" | "expired"; readonly error: TaskError }
  /** It has not ended, but some items of its list have: those that `isDone`. */
  | { readonly how: "items"; readonly total: number };

/** Counters and statuses, no payloads. A step that was never touched is `pending` with all its dependencies left. */
export interface SessionIndex {
  readonly status: SessionStatus;
  /** Steps that run or wait. */
  readonly open: number;
  /** Steps among them that wait for a time, a signal or a decision. */
  readonly waiting: number;
  /** Steps that reached a terminal status. */
  readonly ended: number;
  /** The failure that will end the session once its open steps have ended. */
  readonly failure: SessionFailure | null;
  /** Set once the session undoes what it did. */
  readonly undoing: Undoing | null;
  step(index: number): StepState;
  /** Whether an item was done in the session that this one goes on from. Absent: it goes on from none. */
  isDone?(step: number, item: number): boolean;
}

export interface StepState {
  readonly status: StepStatus;
  /** Dependencies that have not ended yet. */
  readonly remaining: number;
  /** Of a `forEach` whose list is known. */
  readonly items?: Items;
}

/** How far a `forEach` has come. */
export interface Items {
  readonly total: number;
  /** The first item that has not begun. */
  readonly next: number;
  readonly open: number;
  readonly failed: number;
  /** Of the first item that failed. */
  readonly failure: TaskError | null;
}

export interface Undoing {
  readonly total: number;
  /** What could not be undone, or may have been left to undo. */
  readonly failed: number;
}

export interface SessionFailure {
  readonly step: string | null;
  readonly error: TaskError;
  /** What was completed is undone before the session ends. */
  readonly compensate?: boolean;
}

export interface StepChange extends StepState {
  readonly index: number;
  /** What a step failed of, also while another one stands in for it. */
  readonly error?: TaskError;
}

export type Effect =
  /** Evaluate the step's condition and its list; answered by `step_admitted`, `step_skipped` or `items_listed`. */
  | { readonly type: "open_step"; readonly step: number }
  | { readonly type: "create_task"; readonly step: number; readonly part: number }
  | { readonly type: "start_child"; readonly step: number; readonly part: number }
  | { readonly type: "ask_approval"; readonly step: number }
  | { readonly type: "wait"; readonly step: number }
  /** Answered by `iteration_judged`. */
  | { readonly type: "judge_iteration"; readonly step: number; readonly part: number }
  /** Whatever the step has under way. */
  | { readonly type: "cancel_step"; readonly step: number; readonly reason: string }
  /** Answered by `undoing_planned`. */
  | { readonly type: "plan_undoing" }
  /** Answered by `undone`. */
  | { readonly type: "undo"; readonly n: number }
  /** Answered by `output_failed` where it is to complete and cannot. */
  | {
      readonly type: "finish";
      readonly status: "completed" | "failed" | "cancelled";
      readonly error: TaskError | null;
    };

export interface Advance {
  readonly status: SessionStatus;
  readonly open: number;
  readonly waiting: number;
  readonly ended: number;
  readonly failure: SessionFailure | null;
  readonly undoing: Undoing | null;
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
  if (isOpen(index.status)) {
    apply(move, input);
    move.finishIfDone();
  }
  return move.done();
}

function isOpen(status: SessionStatus): boolean {
  return status === "started" || status === "running" || status === "waiting" || status === "paused";
}

function apply(move: Move, input: SessionInput): void {
  switch (input.type) {
    case "undoing_planned":
      move.beginUndoing(input.total, input.uncertain);
      break;
    case "undone":
      move.noteUndone(input);
      break;
    case "output_failed":
      move.failOutput(input.error);
      break;
    case "pause":
      move.pause(true);
      break;
    case "resume":
      move.pause(false);
      break;
    case "cancel":
      move.cancel(input.reason);
      break;
    case "deadline":
      move.exceedDeadline();
      break;
    default:
      applyToSteps(move, input);
      move.finishIfDone();
  }
}

function applyToSteps(move: Move, input: StepInput): void {
  switch (input.type) {
    case "start":
      move.start();
      break;
    case "fork":
      move.fork(input.kept);
      break;
    case "step_admitted":
      move.admit(input.step);
      break;
    case "step_skipped":
      move.skip(input.step);
      break;
    case "items_listed":
      move.listItems(input.step, input.total);
      break;
    case "iteration_judged":
      move.judge(input.step, input.part, input.enough);
      break;
    case "step_completed":
      move.complete(input.step, input.part);
      break;
    case "step_failed":
      move.fail(input.step, input.part, input.error);
      break;
    case "step_refused":
      move.refuse(input.step, input.role, input.error);
      break;
  }
}
