import type { StepStatus } from "../sessions/transitions.ts";
import type { TaskError } from "../tasks/task.ts";
import type {
  Advance,
  Effect,
  Items,
  Kept,
  SessionFailure,
  SessionIndex,
  SessionInput,
  StepChange,
  StepState,
  Undoing,
} from "./advance.ts";
import { afterItem, beginItems, mayBegin } from "./items.ts";
import { type EndStatus, failedStatus, skippedFallback, tooManyIterations } from "./move-errors.ts";
import { type PlanStep, reservesOf, type WorkflowPlan } from "./plan.ts";

/** One call of `advance` under construction. */
export class Move {
  readonly #plan: WorkflowPlan;
  readonly #index: SessionIndex;
  readonly #changes = new Map<number, StepChange>();
  readonly #effects: Effect[] = [];
  readonly #failedSteps: string[] = [];
  #open: number;
  #waiting: number;
  #ended: number;
  #failure: SessionFailure | null;
  #undoing: Undoing | null;
  #paused: boolean;
  #kept: ReadonlyMap<number, Kept> = new Map();
  /** Steps that began and are to end as they did before. */
  readonly #retold: number[] = [];

  constructor(plan: WorkflowPlan, index: SessionIndex) {
    this.#plan = plan;
    this.#index = index;
    this.#open = index.open;
    this.#waiting = index.waiting;
    this.#ended = index.ended;
    this.#failure = index.failure;
    this.#undoing = index.undoing;
    this.#paused = index.status === "paused";
  }

  start(): void {
    for (const step of this.#plan.steps) if (step.dependsOn.length === 0) this.#begin(step);
  }

  /** Plays what was done before, step by step, as far as it goes; from there on it begins as always. */
  fork(kept: ReadonlyMap<number, Kept>): void {
    this.#kept = kept;
    this.start();
    for (const index of this.#retold) this.#retell(index, kept.get(index));
  }

  #retell(index: number, kept: Kept | undefined): void {
    if (kept?.how === "completed") this.#completeStep(index);
    else if (kept?.how === "skipped") this.skip(index);
    else if (kept?.how === "items") this.listItems(index, kept.total);
    else if (kept?.how === "failed") this.fail(index, null, kept.error);
    else if (kept !== undefined) {
      this.#wait(index);
      this.refuse(index, kept.role, kept.error);
    }
  }

  admit(index: number): void {
    if (this.#state(index).status !== "running") return;
    // It failed while the condition was looked at: nothing begins any more.
    if (this.#failure !== null) this.#cancelOpen(index);
    else this.#run(this.#step(index), 0);
  }

  /** Its condition does not hold: those behind it go on without its result. */
  skip(index: number): void {
    if (!this.#end(index, "skipped")) return;
    const step = this.#step(index);
    this.#skipReserves(step);
    if (step.reserveOf?.role === "fallback") this.#failStep(step.reserveOf.step, skippedFallback(step));
    else this.#release(step);
  }

  listItems(index: number, total: number): void {
    const { status, items } = this.#state(index);
    if (status !== "running" || items !== undefined) return;
    if (total === 0) this.#completeStep(index);
    else this.#goOnWithItems(index, beginItems(total));
  }

  /** @param part the item or iteration that is done */
  complete(index: number, part: number): void {
    const state = this.#state(index);
    if (!this.#isAtWork(index)) return;
    if (state.items !== undefined) this.#goOnWithItems(index, afterItem(state.items, part, null));
    else if (this.#step(index).repeat !== null) this.#effects.push({ type: "judge_iteration", step: index, part });
    else this.#completeStep(index);
  }

  judge(index: number, part: number, enough: boolean): void {
    const step = this.#step(index);
    if (!this.#isAtWork(index) || step.repeat === null) return;
    const { maxIterations, onExhausted } = step.repeat;
    const exhausted = part + 1 >= maxIterations;
    if (enough || (exhausted && onExhausted === "complete")) this.#completeStep(index);
    else if (exhausted) this.fail(index, null, tooManyIterations(maxIterations));
    else if (this.#failure !== null) this.#cancelOpen(index);
    else this.#run(step, part + 1);
  }

  fail(index: number, part: number | null, error: TaskError): void {
    if (!this.#isAtWork(index)) return;
    const { items } = this.#state(index);
    if (items !== undefined && part !== null) {
      this.#goOnWithItems(index, afterItem(items, part, error));
      return;
    }
    const { fallback } = this.#step(index).reserves;
    // Nothing stands in for what may have been done.
    if (fallback === null || this.#failure !== null || error.uncertain === true) {
      this.#failStep(index, error);
      return;
    }
    // The step stays open until the one that stands in for it has ended.
    this.#set(index, { status: "running", remaining: 0, error, ...(items === undefined ? {} : { items }) });
    this.#begin(this.#step(fallback));
  }

  /** The branch for this refusal is taken instead of what stands behind the step; without one the step has failed. */
  refuse(index: number, role: "rejected" | "expired", error: TaskError): void {
    if (this.#state(index).status !== "waiting") return;
    const branch = this.#step(index).reserves[role];
    if (branch === null || this.#failure !== null) this.fail(index, null, error);
    else {
      this.#leave(index, branch, error);
      this.#begin(this.#step(branch));
    }
  }

  /** Nothing that would have come after a step will, but the branch; so too behind the step it stands in for. */
  #leave(index: number, branch: number, error: TaskError): void {
    if (!this.#end(index, "failed", error)) return;
    const step = this.#step(index);
    for (const other of [...reservesOf(step), ...step.dependents]) if (other !== branch) this.#skipBranch(other);
    if (step.reserveOf?.role === "fallback") this.#leave(step.reserveOf.step, branch, error);
  }

  finishIfDone(): void {
    if (this.#open > 0 || this.#undoing !== null || this.#isFinished()) return;
    if (this.#failure === null) {
      if (this.#ended === this.#plan.steps.length) this.#finish("completed", null);
    } else if (this.#failure.compensate === true) {
      this.#undoing = { total: 0, failed: 0 };
      this.#effects.push({ type: "plan_undoing" });
    } else this.#finish("failed", this.#failure.error);
  }

  beginUndoing(total: number, uncertain: readonly number[]): void {
    if (this.#undoing === null) return;
    const news = uncertain.filter((step) => this.#state(step).status !== "uncertain");
    for (const step of news) this.#set(step, { ...this.#state(step), status: "uncertain" });
    this.#undoing = { total, failed: uncertain.length };
    this.#undo(0);
  }

  noteUndone({ n, step, failed, restored }: Extract<SessionInput, { type: "undone" }>): void {
    if (this.#undoing === null) return;
    const state = this.#state(step);
    if (restored) this.#set(step, { ...state, status: "compensated" });
    if (failed) this.#undoing = { ...this.#undoing, failed: this.#undoing.failed + 1 };
    this.#undo(n + 1);
  }

  #undo(n: number): void {
    if (n < (this.#undoing?.total ?? 0)) this.#effects.push({ type: "undo", n });
    else this.#finish("failed", this.#failure?.error ?? null);
  }

  failOutput(error: TaskError): void {
    this.#failure ??= { step: null, error, ...(this.#plan.onFailure === "compensate" ? { compensate: true } : {}) };
  }

  /** What follows in a pause is noted as always, and given out later. What undoes itself is not interrupted. */
  pause(paused: boolean): void {
    if (!paused || this.#undoing === null) this.#paused = paused;
  }

  /** Ends the session at once; what it did stays done. */
  cancel(reason: string): void {
    if (this.#undoing !== null) return;
    this.#cancelSteps(["running", "waiting"], reason);
    this.#finish("cancelled", { code: "cancelled", message: reason });
  }

  exceedDeadline(): void {
    if (this.#undoing !== null) return;
    const error: TaskError = { code: "deadline_exceeded", message: "The session's deadline has passed." };
    this.#cancelSteps(["running", "waiting"], "deadline");
    const compensate = this.#failure?.compensate === true || this.#plan.onFailure === "compensate";
    this.#failure = { step: null, error, ...(compensate ? { compensate } : {}) };
  }

  done(): Advance {
    return {
      status: this.#status(),
      open: this.#open,
      waiting: this.#waiting,
      ended: this.#ended,
      failure: this.#failure,
      undoing: this.#undoing,
      steps: [...this.#changes.values()],
      effects: this.#effects,
      failedSteps: this.#failedSteps,
    };
  }

  /** A session waits when nothing of it runs. One that ends says nothing else first. */
  #status(): Advance["status"] {
    if (this.#isFinished()) return this.#index.status;
    if (this.#paused) return "paused";
    if (this.#open > 0 && this.#open === this.#waiting) return "waiting";
    const { status } = this.#index;
    return status === "waiting" || status === "paused" ? "running" : status;
  }

  #begin(step: PlanStep): void {
    // After a failure running siblings finish and are recorded, but nothing new starts.
    if (this.#failure !== null) {
      this.#set(step.index, { status: "pending", remaining: 0 });
      return;
    }
    this.#set(step.index, { status: "running", remaining: 0 });
    this.#open += 1;
    if (this.#kept.has(step.index)) this.#retold.push(step.index);
    else if (step.when !== null || step.forEach !== null) this.#effects.push({ type: "open_step", step: step.index });
    else this.#run(step, 0);
  }

  #run(step: PlanStep, part: number): void {
    switch (step.kind) {
      case "agent":
      case "tool":
        this.#effects.push({ type: "create_task", step: step.index, part });
        break;
      case "workflow":
        this.#effects.push({ type: "start_child", step: step.index, part });
        break;
      case "approval":
      case "wait":
        this.#wait(step.index);
        this.#effects.push({ type: step.kind === "wait" ? "wait" : "ask_approval", step: step.index });
        break;
    }
  }

  #wait(index: number): void {
    this.#set(index, { status: "waiting", remaining: 0 });
    this.#waiting += 1;
  }

  /** Begins as many items as may run, and ends the step when none is left. */
  #goOnWithItems(index: number, before: Items): void {
    const step = this.#step(index);
    let items = before;
    while (this.#failure === null && mayBegin(step, items)) {
      const open = this.#index.isDone?.(index, items.next) === true ? 0 : 1;
      if (open === 1) this.#run(step, items.next);
      items = { ...items, next: items.next + 1, open: items.open + open };
    }
    this.#set(index, { status: "running", remaining: 0, items });
    if (items.open > 0) return;
    if (items.failure !== null && step.forEach?.onItemError === "fail") this.fail(index, null, items.failure);
    else if (items.next < items.total) this.#cancelOpen(index);
    else this.#completeStep(index);
  }

  #completeStep(index: number): void {
    if (!this.#end(index, "completed")) return;
    const step = this.#step(index);
    this.#skipReserves(step);
    if (step.reserveOf?.role === "fallback") this.#completeStep(step.reserveOf.step);
    else this.#release(step);
  }

  /** A step that stands in for another fails as that one. */
  #failStep(index: number, error: TaskError): void {
    const step = this.#step(index);
    if (step.reserveOf?.role !== "fallback") this.#failForGood(index, error);
    else if (this.#end(index, failedStatus(error), error)) {
      this.#skipReserves(step);
      this.#failStep(step.reserveOf.step, error);
    }
  }

  #failForGood(index: number, error: TaskError): void {
    if (!this.#end(index, failedStatus(error), error)) return;
    const step = this.#step(index);
    this.#failedSteps.push(step.id);
    const onFailure = step.onFailure ?? this.#plan.onFailure;
    if (onFailure === "continue") {
      this.#skipReserves(step);
      this.#release(step);
      return;
    }
    this.#failure ??= { step: step.id, error, ...(onFailure === "compensate" ? { compensate: true } : {}) };
    // What runs may finish; what waits for a day to come or for somebody to decide would only be waited for.
    if (this.#waiting > 0) this.#cancelSteps(["waiting"], "The session has failed.");
  }

  /** Tells the dependents that this step has ended; those with nothing left to wait for begin. */
  #release(released: PlanStep): void {
    for (const dependent of released.dependents) {
      const step = this.#step(dependent);
      // A step with one dependency cannot have begun before it ended: nothing to look up.
      const state: StepState =
        step.dependsOn.length === 1 ? { status: "pending", remaining: 1 } : this.#state(dependent);
      if (state.status !== "pending") continue;
      if (state.remaining > 1) this.#set(dependent, { status: "pending", remaining: state.remaining - 1 });
      else this.#begin(step);
    }
  }

  #skipReserves(step: PlanStep): void {
    for (const reserve of reservesOf(step)) this.#skipBranch(reserve);
  }

  /** Nothing will lead to this step any more, and so to nothing that waits for it. */
  #skipBranch(first: number): void {
    const branch = [first];
    for (let index = branch.pop(); index !== undefined; index = branch.pop()) {
      if (this.#state(index).status !== "pending") continue;
      this.#set(index, { status: "skipped", remaining: 0 });
      this.#ended += 1;
      const step = this.#step(index);
      branch.push(...step.dependents, ...reservesOf(step));
    }
  }

  #cancelSteps(statuses: readonly StepStatus[], reason: string): void {
    for (const { index } of this.#plan.steps) {
      if (!statuses.includes(this.#state(index).status)) continue;
      this.#cancelOpen(index);
      this.#effects.push({ type: "cancel_step", step: index, reason });
    }
  }

  /** Ends an open step without an outcome, and with it the step it stands in for. */
  #cancelOpen(index: number): void {
    if (!this.#end(index, "cancelled")) return;
    const { reserveOf } = this.#step(index);
    if (reserveOf?.role === "fallback") this.#cancelOpen(reserveOf.step);
  }

  /** Ends a step that is open, be it that its task could not even be made; false when it is not open. */
  #end(index: number, status: EndStatus, error?: TaskError): boolean {
    const before = this.#state(index);
    if (before.status !== "running" && before.status !== "waiting") return false;
    if (before.status === "waiting") this.#waiting -= 1;
    this.#open -= 1;
    this.#ended += 1;
    const items = before.items === undefined ? {} : { items: before.items };
    this.#set(index, { status, remaining: 0, ...items, ...(error === undefined ? {} : { error }) });
    return true;
  }

  #finish(status: "completed" | "failed" | "cancelled", error: TaskError | null): void {
    this.#effects.push({ type: "finish", status, error });
  }

  #isFinished(): boolean {
    return this.#effects.some(({ type }) => type === "finish");
  }

  /** Whether a step is open, and no other one stands in for it. */
  #isAtWork(index: number): boolean {
    if (!this.#isOpen(index)) return false;
    const { fallback } = this.#step(index).reserves;
    return fallback === null || !this.#isOpen(fallback);
  }

  #isOpen(index: number): boolean {
    const { status } = this.#state(index);
    return status === "running" || status === "waiting";
  }

  #state(index: number): StepState {
    return this.#changes.get(index) ?? this.#index.step(index);
  }

  #set(index: number, state: Omit<StepChange, "index">): void {
    this.#changes.set(index, { index, ...state });
  }

  #step(index: number): PlanStep {
    const step = this.#plan.steps[index];
    if (step === undefined) throw new Error(`step ${index} is not in plan ${this.#plan.id}`);
    return step;
  }
}
