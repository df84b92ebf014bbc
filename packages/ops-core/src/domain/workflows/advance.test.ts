import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SessionStatus } from "../sessions/transitions.ts";
import { stepHasEnded, stepTable } from "../sessions/transitions.ts";
import type { TaskError } from "../tasks/task.ts";
import {
  type Advance,
  advance,
  type SessionFailure,
  type SessionIndex,
  type SessionInput,
  type StepState,
  type Undoing,
} from "./advance.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";

const NO: TaskError = { code: "no", message: "No." };

type OnFailure = "fail" | "continue" | null;

/** A plan of steps that wait for earlier ones: `dependsOn[i]` holds indices below `i`. */
function planOf(dependsOn: readonly (readonly number[])[], onFailure: readonly OnFailure[] = []): WorkflowPlan {
  const steps = dependsOn.map((needs, index) => ({
    id: `s${index}`,
    index,
    dependsOn: needs,
    dependents: dependsOn.flatMap((others, other) => (others.includes(index) ? [other] : [])),
    kind: "agent",
    when: null,
    forEach: null,
    repeat: null,
    reserveOf: null,
    reserves: { fallback: null, rejected: null, expired: null },
    onFailure: onFailure[index] ?? null,
  }));
  return { id: "plan", steps: steps as unknown as PlanStep[], onFailure: "fail" } as unknown as WorkflowPlan;
}

/** A session as the store keeps it: it changes by what `advance` answers, and by nothing else. */
class Session implements SessionIndex {
  status: SessionStatus = "started";
  open = 0;
  waiting = 0;
  ended = 0;
  failure: SessionFailure | null = null;
  undoing: Undoing | null = null;
  readonly steps = new Map<number, StepState>();
  /** Steps whose state was asked for since the last input. */
  readonly asked = new Set<number>();
  readonly started: number[] = [];
  readonly failedSteps: string[] = [];
  readonly finished: string[] = [];
  readonly plan: WorkflowPlan;

  constructor(plan: WorkflowPlan) {
    this.plan = plan;
  }

  step(index: number): StepState {
    this.asked.add(index);
    return this.state(index);
  }

  state(index: number): StepState {
    return this.steps.get(index) ?? { status: "pending", remaining: this.plan.steps[index]?.dependsOn.length ?? 0 };
  }

  get running(): number[] {
    return this.plan.steps.map(({ index }) => index).filter((index) => this.state(index).status === "running");
  }

  give(input: SessionInput): Advance {
    this.asked.clear();
    const move = advance(this.plan, this, input);
    assert.deepEqual(advance(this.plan, this, input), move, "the same input gives the same answer");
    this.#check(input, move);
    for (const { index, status, remaining } of move.steps) this.steps.set(index, { status, remaining });
    this.open = move.open;
    this.ended = move.ended;
    this.failure = move.failure;
    this.failedSteps.push(...move.failedSteps);
    for (const effect of move.effects) {
      if (effect.type === "create_task") this.started.push(effect.step);
      if (effect.type === "finish") {
        this.finished.push(effect.status);
        this.status = effect.status;
      }
    }
    this.#checkCounters();
    return move;
  }

  #check(input: SessionInput, move: Advance): void {
    for (const { index, status } of move.steps) {
      const before = this.state(index).status;
      const legal = Object.values(stepTable.transitions).some(({ from, to }) => to === status && from.includes(before));
      // Within one move a step may be started and counted down before; what is written is where it ended up.
      assert.ok(legal || status === before, `step ${index}: ${before} -> ${status}`);
    }
    if (input.type !== "step_completed" && input.type !== "step_failed") return;
    const near = new Set([input.step, ...(this.plan.steps[input.step]?.dependents ?? [])]);
    const touched = [...this.asked, ...move.steps.map(({ index }) => index)];
    assert.ok(
      touched.every((index) => near.has(index)),
      `step ${input.step} touched ${touched}`,
    );
    if (this.failure !== null)
      assert.ok(
        move.effects.every(({ type }) => type !== "create_task"),
        "started after a failure",
      );
  }

  #checkCounters(): void {
    const states = this.plan.steps.map(({ index }) => this.state(index).status);
    assert.equal(this.open, states.filter((status) => status === "running").length);
    assert.equal(this.ended, states.filter(stepHasEnded).length);
    assert.equal(new Set(this.started).size, this.started.length, "a step was started twice");
    assert.ok(this.finished.length <= 1, "finished twice");
    if (this.status === "started") assert.ok(this.open > 0, "it waits for nothing");
    for (const index of this.started) {
      const needs = this.plan.steps[index]?.dependsOn ?? [];
      assert.ok(
        needs.every((need) => stepHasEnded(this.state(need).status)),
        `step ${index} began too early`,
      );
    }
  }
}

const dag = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.tuple(
      ...Array.from({ length: size }, (_, i) =>
        i === 0 ? fc.constant([]) : fc.uniqueArray(fc.integer({ min: 0, max: i - 1 }), { maxLength: 4 }),
      ),
    ),
  );
const policy = fc.array(fc.constantFrom<OnFailure>("fail", "continue", null), { maxLength: 12 });
/** Which running step ends next, and how; also things that should change nothing. */
const happening = fc.record({
  pick: fc.nat(),
  how: fc.constantFrom("complete", "complete", "complete", "fail", "again", "foreign"),
});

test("random graphs with random outcomes always end, each step at most once, and nothing starts after a failure", () => {
  fc.assert(
    fc.property(dag, policy, fc.infiniteStream(happening), (dependsOn, onFailure, happenings) => {
      const session = new Session(planOf(dependsOn, onFailure));
      session.give({ type: "start" });
      for (const { pick, how } of happenings) {
        if (session.finished.length > 0) break;
        happen(session, pick, how);
      }
      const failed = session.failure !== null;
      assert.deepEqual(session.finished, [failed ? "failed" : "completed"]);
      if (!failed) assert.equal(session.ended, dependsOn.length, "everything ran");
      assert.deepEqual(session.running, []);
      assertSettled(session);
    }),
    { numRuns: 500 },
  );
});

function happen(session: Session, pick: number, how: string): void {
  const { running } = session;
  const step = running[pick % running.length] ?? 0;
  if (how === "complete") session.give({ type: "step_completed", step, part: 0 });
  else if (how === "fail") session.give({ type: "step_failed", step, part: 0, error: NO });
  else {
    const others = session.plan.steps.map(({ index }) => index).filter((index) => !running.includes(index));
    const other = others[pick % Math.max(others.length, 1)];
    if (other === undefined) return;
    const type = how === "again" ? "step_completed" : "step_failed";
    assertNothing(session.give({ type, step: other, part: 0, error: NO }));
  }
}

/** After its end nothing changes a session. */
function assertSettled(session: Session): void {
  const inputs: SessionInput[] = [
    { type: "start" },
    { type: "cancel", reason: "late" },
    { type: "deadline" },
    ...session.plan.steps.flatMap(({ index }): SessionInput[] => [
      { type: "step_completed", step: index, part: 0 },
      { type: "step_failed", step: index, part: 0, error: NO },
    ]),
  ];
  for (const input of inputs) assertNothing(session.give(input));
}

function assertNothing(move: Advance): void {
  assert.deepEqual([move.steps, move.effects, move.failedSteps], [[], [], []]);
}

test("a cancel or a deadline at any moment ends the session at once and cancels exactly what runs", () => {
  const stop = fc.constantFrom<SessionInput>({ type: "cancel", reason: "enough" }, { type: "deadline" });
  fc.assert(
    fc.property(dag, fc.array(happening, { maxLength: 12 }), stop, (dependsOn, happenings, input) => {
      const session = new Session(planOf(dependsOn));
      session.give({ type: "start" });
      for (const { pick, how } of happenings) if (session.finished.length === 0) happen(session, pick, how);
      if (session.finished.length > 0) return;
      const { running } = session;
      const move = session.give(input);
      const cancelled = move.effects.flatMap((effect) => (effect.type === "cancel_step" ? [effect.step] : []));
      assert.deepEqual(cancelled, running);
      assert.deepEqual(session.finished, [input.type === "cancel" ? "cancelled" : "failed"]);
      assertSettled(session);
    }),
  );
});

test("a step whose parameters cannot be evaluated fails as it begins", () => {
  const session = new Session(planOf([[], [0], [1]]));
  session.give({ type: "start" });
  session.give({ type: "step_completed", step: 0, part: 0 });
  assert.deepEqual(session.running, [1]);
  const move = session.give({ type: "step_failed", step: 1, part: 0, error: NO });
  assert.deepEqual(move.effects, [{ type: "finish", status: "failed", error: NO }]);
  assert.deepEqual(session.failure, { step: "s1", error: NO });
});

test("an outcome of a step that has not begun, or has ended, changes nothing", () => {
  const session = new Session(planOf([[], [0]]));
  session.give({ type: "start" });
  for (const type of ["step_completed", "step_failed"] as const) {
    assertNothing(session.give({ type, step: 1, part: 0, error: NO }));
  }
  session.give({ type: "step_completed", step: 0, part: 0 });
  for (const type of ["step_completed", "step_failed"] as const) {
    assertNothing(session.give({ type, step: 0, part: 0, error: NO }));
  }
});

test("the first failure is the session's, and its siblings are still recorded", () => {
  const session = new Session(planOf([[], [], [0]]));
  session.give({ type: "start" });
  session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  assert.equal(session.status, "started");
  session.give({ type: "step_failed", step: 1, part: 0, error: { code: "later", message: "" } });
  assert.deepEqual([session.failure?.step, session.failedSteps, session.started], ["s0", ["s0", "s1"], [0, 1]]);
});

test("a failed step that is to be ignored lets its dependents begin", () => {
  const session = new Session(planOf([[], [0]], ["continue"]));
  session.give({ type: "start" });
  const move = session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  assert.deepEqual(
    [move.effects, move.failedSteps, move.failure],
    [[{ type: "create_task", step: 1, part: 0 }], ["s0"], null],
  );
});

test("the workflow's onFailure holds for steps that say nothing", () => {
  const plan = { ...planOf([[], [0], [1]], [null, "fail", null]), onFailure: "continue" as const };
  const session = new Session(plan);
  session.give({ type: "start" });
  assert.deepEqual(session.give({ type: "step_failed", step: 0, part: 0, error: NO }).effects, [
    { type: "create_task", step: 1, part: 0 },
  ]);
  session.give({ type: "step_failed", step: 1, part: 0, error: NO });
  assert.deepEqual(session.finished, ["failed"]);
});

test("a plan without steps completes as it starts", () => {
  const session = new Session(planOf([]));
  assert.deepEqual(session.give({ type: "start" }).effects, [{ type: "finish", status: "completed", error: null }]);
});

test("a step that is not in the plan is a defect", () => {
  const session = new Session(planOf([[]]));
  session.steps.set(7, { status: "running", remaining: 0 });
  assert.throws(() => session.give({ type: "step_failed", step: 7, part: 0, error: NO }), /step 7 is not in plan/);
});

test("one input in a wide session asks for its neighbours only", () => {
  const width = 1_000;
  const session = new Session(
    planOf([[], ...Array.from({ length: width }, () => [0]), Array.from({ length: width }, (_, i) => i + 1)]),
  );
  session.give({ type: "start" });
  session.give({ type: "step_completed", step: 0, part: 0 });
  const move = session.give({ type: "step_completed", step: 500, part: 0 });
  assert.deepEqual([...session.asked].sort(), [1_001, 500]);
  assert.equal(move.steps.length, 2);
});
