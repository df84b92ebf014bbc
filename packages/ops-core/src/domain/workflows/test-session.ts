import assert from "node:assert/strict";
import type { SessionStatus } from "../sessions/transitions.ts";
import { stepHasEnded, stepTable } from "../sessions/transitions.ts";
import type { TaskError } from "../tasks/task.ts";
import {
  type Advance,
  advance,
  type Effect,
  type SessionFailure,
  type SessionIndex,
  type SessionInput,
  type StepState,
  type Undoing,
} from "./advance.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";

export const NO: TaskError = { code: "no", message: "No." };

type Run = Extract<Effect, { part: number }>;
/** An effect that is answered in time, by whoever carries it out. */
type Owed = Exclude<Effect, { type: "cancel_step" | "finish" }>;

/** A session as the store keeps it: it changes by what `advance` answers, and by nothing else. */
export class ModelSession implements SessionIndex {
  status: SessionStatus = "started";
  open = 0;
  waiting = 0;
  ended = 0;
  failure: SessionFailure | null = null;
  undoing: Undoing | null = null;
  /** What steps failed of. */
  readonly errors = new Map<number, TaskError>();
  readonly steps = new Map<number, StepState>();
  /** Steps whose state was asked for since the last input. */
  readonly asked = new Set<number>();
  /** What was promised an answer and has none yet. */
  owed: Owed[] = [];
  /** The parts of steps that were begun, as `step/part`, in order. */
  readonly begun: string[] = [];
  readonly failedSteps: string[] = [];
  readonly finished: string[] = [];
  readonly plan: WorkflowPlan;
  /** Items, as `step/item`, that the session which it goes on from has done. */
  readonly done: ReadonlySet<string>;

  constructor(plan: WorkflowPlan, done: ReadonlySet<string> = new Set()) {
    this.plan = plan;
    this.done = done;
  }

  isDone(step: number, item: number): boolean {
    return this.done.has(`${step}/${item}`);
  }

  step(index: number): StepState {
    this.asked.add(index);
    return this.state(index);
  }

  state(index: number): StepState {
    return this.steps.get(index) ?? { status: "pending", remaining: this.plan.steps[index]?.dependsOn.length ?? 0 };
  }

  planned(index: number): PlanStep {
    const step = this.plan.steps[index];
    assert.ok(step !== undefined);
    return step;
  }

  /** Steps in one of these statuses. */
  in(...statuses: string[]): number[] {
    return this.plan.steps.map(({ index }) => index).filter((index) => statuses.includes(this.state(index).status));
  }

  /** Whether another step stands in for this one just now. */
  isCovered(index: number): boolean {
    const { fallback } = this.planned(index).reserves;
    return fallback !== null && ["running", "waiting"].includes(this.state(fallback).status);
  }

  give(input: SessionInput): Advance {
    this.asked.clear();
    const move = advance(this.plan, this, input);
    assert.deepEqual(advance(this.plan, this, input), move, "the same input gives the same answer");
    this.#checkMove(input, move);
    const answered = this.owed.findIndex((owed) => answers(input, owed));
    if (answered >= 0) this.owed.splice(answered, 1);
    const failedBefore = this.failure !== null;
    for (const { index, error, ...state } of move.steps) {
      this.steps.set(index, state);
      if (error !== undefined) this.errors.set(index, error);
    }
    this.status = move.status;
    this.open = move.open;
    this.waiting = move.waiting;
    this.ended = move.ended;
    this.failure = move.failure;
    this.undoing = move.undoing;
    this.failedSteps.push(...move.failedSteps);
    for (const effect of move.effects) this.#take(effect, failedBefore);
    this.#checkCounters();
    return move;
  }

  #take(effect: Effect, failedBefore: boolean): void {
    if (effect.type === "finish") {
      this.finished.push(effect.status);
      this.status = effect.status;
      return;
    }
    if (effect.type === "cancel_step") {
      this.owed = this.owed.filter((owed) => !("step" in owed) || owed.step !== effect.step || isAnswer(owed));
      return;
    }
    this.owed.push(effect);
    if (effect.type === "create_task" || effect.type === "start_child") this.#begin(effect);
    if ("step" in effect && effect.type !== "judge_iteration") {
      assert.ok(!failedBefore, `step ${effect.step} began after a failure`);
      this.#checkOrder(this.planned(effect.step));
    }
    if (effect.type === "undo") assert.equal(this.owed.filter(({ type }) => type === "undo").length, 1, "two at once");
  }

  #begin({ step: index, part }: Run): void {
    const { forEach, repeat } = this.planned(index);
    const name = `${index}/${part}`;
    assert.ok(!this.begun.includes(name), `part ${name} began twice`);
    this.begun.push(name);
    const open = this.owed.filter((owed) => isWork(owed) && owed.step === index).length;
    assert.ok(open <= (forEach?.concurrency ?? 1), `step ${index} has ${open} parts open`);
    if (forEach !== null) assert.ok(part < (this.state(index).items?.total ?? 0), `step ${index} has no item ${part}`);
    else if (repeat === null) assert.equal(part, 0);
    else assert.ok(part < repeat.maxIterations && (part === 0 || this.begun.includes(`${index}/${part - 1}`)));
  }

  /** What a step waits for has ended; what it is kept for has failed. */
  #checkOrder({ index, dependsOn, reserveOf }: PlanStep): void {
    if (reserveOf === null) {
      const early = dependsOn.filter((need) => !stepHasEnded(this.state(need).status));
      assert.deepEqual(early, [], `step ${index} began too early`);
      return;
    }
    const { status } = this.state(reserveOf.step);
    assert.equal(status, reserveOf.role === "fallback" ? "running" : "failed", `reserve ${index} began`);
    assert.ok(!this.owed.some((owed) => isWork(owed) && owed.step === reserveOf.step), "its owner is at work");
  }

  #checkMove(input: SessionInput, move: Advance): void {
    for (const { index, status } of move.steps) {
      const before = this.state(index).status;
      const legal = Object.values(stepTable.transitions).some(({ from, to }) => to === status && from.includes(before));
      // Within one move a step may be started and counted down before; what is written is where it ended up.
      assert.ok(legal || status === before, `step ${index}: ${before} -> ${status}`);
    }
    if (["start", "fork", "cancel", "deadline"].includes(input.type)) return;
    // With the first failure all that waits is cancelled, wherever it stands.
    if (this.waiting > 0 && this.failure === null && move.failure !== null) return;
    const changed = move.steps.map(({ index }) => index);
    const near = new Set(
      [...changed, ...("step" in input ? [input.step] : [])].flatMap((index) => this.#around(index)),
    );
    assert.deepEqual(
      [...this.asked].filter((index) => !near.has(index)),
      [],
      `${input.type} looked further than around ${changed}`,
    );
  }

  #around(index: number): number[] {
    const { dependents, reserves, reserveOf } = this.planned(index);
    const kept = Object.values(reserves).filter((each) => each !== null);
    return [index, ...dependents, ...kept, ...(reserveOf === null ? [] : [reserveOf.step])];
  }

  #checkCounters(): void {
    assert.equal(this.open, this.in("running", "waiting").length, "open");
    assert.equal(this.waiting, this.in("waiting").length, "waiting");
    assert.equal(this.ended, this.plan.steps.filter(({ index }) => stepHasEnded(this.state(index).status)).length);
    assert.ok(this.finished.length <= 1, "finished twice");
    if (this.finished.length > 0) return;
    const waits = this.status !== "paused" && this.open > 0 && this.open === this.waiting;
    assert.equal(this.status === "waiting", waits, `it is ${this.status}`);
    assert.ok(this.owed.length > 0, "it waits for nothing");
  }
}

/** Work that ends some day, be it by a cancel. */
export function isWork(owed: Effect): owed is Run {
  return owed.type === "create_task" || owed.type === "start_child";
}

/** An evaluation that is under way: it is answered even when its step was cancelled meanwhile. */
function isAnswer({ type }: Effect): boolean {
  return type === "open_step" || type === "judge_iteration";
}

const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  step_admitted: ["open_step"],
  step_skipped: ["open_step"],
  items_listed: ["open_step"],
  iteration_judged: ["judge_iteration"],
  step_completed: ["create_task", "start_child", "wait", "ask_approval"],
  step_failed: ["open_step", "judge_iteration", "create_task", "start_child", "wait", "ask_approval"],
  step_refused: ["wait", "ask_approval"],
  undoing_planned: ["plan_undoing"],
  undone: ["undo"],
};

function answers(input: SessionInput, owed: Owed): boolean {
  if (ANSWERS[input.type]?.includes(owed.type) !== true) return false;
  if (!("step" in owed)) return true;
  const isPart = !("part" in input) || !("part" in owed) || input.part === null || input.part === owed.part;
  return "step" in input && input.step === owed.step && isPart;
}

export function begin(plan: WorkflowPlan): ModelSession {
  const session = new ModelSession(plan);
  session.give({ type: "start" });
  return session;
}
