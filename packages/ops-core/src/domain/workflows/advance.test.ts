import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Advance, Effect, SessionInput } from "./advance.ts";
import { anyPlan, graph, planOf, sketch } from "./test-plans.ts";
import { begin, isWork, type ModelSession, NO } from "./test-session.ts";

/** What happens next, to which of the things that can happen, and how it turns out. */
const happening = fc.record({
  what: fc.constantFrom("answer", "answer", "answer", "answer", "again", "foreign", "pause"),
  pick: fc.nat(),
  how: fc.nat({ max: 11 }),
});
type Happening = typeof happening extends fc.Arbitrary<infer H> ? H : never;

function happen(session: ModelSession, { what, pick, how }: Happening): void {
  if (what === "pause") pauseOrResume(session);
  else if (what === "answer") {
    const owed = session.owed[pick % session.owed.length];
    if (owed !== undefined) session.give(answerTo(session, owed, how));
  } else {
    const input = strayInput(session, pick, how);
    if (input !== null) assertNothing(session.give(input));
  }
}

/** A pause keeps nothing from being noted: it changes the session's status and nothing else. */
function pauseOrResume(session: ModelSession): void {
  const { steps, effects, status } = session.give({ type: session.status === "paused" ? "resume" : "pause" });
  assert.deepEqual([steps, effects], [[], []]);
  if (session.undoing !== null) assert.notEqual(status, "waiting");
}

function answerTo(session: ModelSession, owed: Effect, how: number): SessionInput {
  switch (owed.type) {
    case "open_step":
      return opened(session, owed.step, how);
    case "judge_iteration":
      if (how === 0) return { type: "step_failed", step: owed.step, part: owed.part, error: NO };
      return { type: "iteration_judged", step: owed.step, part: owed.part, enough: how > 6 };
    case "create_task":
    case "start_child":
      if (how < 4) return { type: "step_failed", step: owed.step, part: owed.part, error: NO };
      return { type: "step_completed", step: owed.step, part: owed.part };
    case "ask_approval":
    case "wait":
      return waited(session, owed.step, how);
    case "plan_undoing":
      return planned(session, how);
    case "undo":
      return { type: "undone", n: owed.n, ...undone(session, owed.n), failed: how < 3 };
    default:
      throw new Error(`nothing answers ${owed.type}`);
  }
}

function opened(session: ModelSession, step: number, how: number): SessionInput {
  const { when, forEach } = session.planned(step);
  if (how === 0) return { type: "step_failed", step, part: null, error: NO };
  if (when !== null && how < 4) return { type: "step_skipped", step };
  return forEach === null ? { type: "step_admitted", step } : { type: "items_listed", step, total: how % 6 };
}

function waited(session: ModelSession, step: number, how: number): SessionInput {
  const { kind } = session.planned(step);
  if (how === 0) return { type: "step_failed", step, part: null, error: NO };
  if (how > 5) return { type: "step_completed", step, part: 0 };
  const role = kind === "approval" && how > 2 ? "rejected" : "expired";
  return { type: "step_refused", step, role, error: NO };
}

/** The steps to undo, in the order in which it is done; of some nobody knows. */
function undoable(session: ModelSession): number[] {
  const able = session.plan.steps.filter(({ compensation }) => compensation !== null).map(({ index }) => index);
  return able.filter((index) =>
    ["completed", "failed", "cancelled", "compensated"].includes(session.state(index).status),
  );
}

function planned(session: ModelSession, how: number): SessionInput {
  const [first, ...rest] = undoable(session);
  const uncertain = how < 6 && first !== undefined ? [first] : [];
  const known = uncertain.length > 0 ? rest : undoable(session);
  return { type: "undoing_planned", total: known.length, uncertain };
}

function undone(session: ModelSession, n: number): { step: number; restored: boolean } {
  const { total } = session.undoing ?? { total: 0 };
  const step = undoable(session).slice(-total)[n] ?? 0;
  return { step, restored: true };
}

/** Something that came late, or twice, or never can have happened. */
function strayInput(session: ModelSession, pick: number, how: number): SessionInput | null {
  const stray = session.plan.steps.map(({ index }) => index).filter((index) => isQuiet(session, index));
  const step = stray[pick % Math.max(stray.length, 1)];
  if (step === undefined) return null;
  const inputs: SessionInput[] = [
    { type: "step_completed", step, part: 0 },
    { type: "step_failed", step, part: 0, error: NO },
    { type: "step_failed", step, part: null, error: NO },
    { type: "step_refused", step, role: how % 2 === 0 ? "rejected" : "expired", error: NO },
  ];
  if (!session.isCovered(step)) {
    inputs.push({ type: "step_skipped", step }, { type: "step_admitted", step });
    inputs.push({ type: "items_listed", step, total: how }, { type: "iteration_judged", step, part: 0, enough: true });
  }
  if (session.undoing === null) inputs.push({ type: "undone", n: 0, step, failed: true, restored: true });
  return inputs[how % inputs.length] ?? null;
}

/** Nothing can happen to a step that has not begun, has ended, or has another stand in for it. */
function isQuiet(session: ModelSession, index: number): boolean {
  const isOpen = ["running", "waiting"].includes(session.state(index).status);
  return !isOpen || session.isCovered(index);
}

/** After its end nothing changes a session. */
function assertSettled(session: ModelSession): void {
  const inputs: SessionInput[] = [
    { type: "start" },
    { type: "cancel", reason: "late" },
    { type: "deadline" },
    { type: "undoing_planned", total: 1, uncertain: [] },
    ...session.plan.steps.flatMap(({ index: step }): SessionInput[] => [
      { type: "step_admitted", step },
      { type: "step_completed", step, part: 0 },
      { type: "step_failed", step, part: 0, error: NO },
      { type: "undone", n: 0, step, failed: false, restored: true },
    ]),
  ];
  for (const input of inputs) assertNothing(session.give(input));
}

function assertNothing(move: Advance): void {
  assert.deepEqual([move.steps, move.effects, move.failedSteps], [[], [], []]);
}

function run(session: ModelSession, happenings: Iterable<Happening>): void {
  for (const each of happenings) {
    if (session.finished.length > 0) return;
    happen(session, each);
  }
}

test("any plan, whatever happens, ends, and each part of it was done in its turn or left alone", () => {
  fc.assert(
    fc.property(anyPlan, fc.infiniteStream(happening), (plan, happenings) => {
      const session = begin(plan);
      run(session, happenings);
      assertEnded(session);
      assertSettled(session);
    }),
    { numRuns: 2_000 },
  );
});

function assertEnded(session: ModelSession): void {
  const failed = session.failure !== null;
  assert.deepEqual(session.finished, [failed ? "failed" : "completed"]);
  assert.deepEqual(session.in("running", "waiting"), []);
  assert.deepEqual(session.owed.filter(isWork), [], "work goes on after the end");
  if (!failed) assert.equal(session.ended, session.plan.steps.length, "everything ran, or never will");
  if (!failed) assert.deepEqual(session.in("cancelled"), []);
  for (const step of session.plan.steps) {
    assertItems(session, step.index);
    if (step.reserveOf?.role === "fallback") assertStandIn(session, step.index, step.reserveOf.step);
    else if (step.reserveOf !== null) assertBranch(session, step.index, step.reserveOf.step);
  }
}

function assertItems(session: ModelSession, index: number): void {
  const { status, items } = session.state(index);
  const { forEach } = session.planned(index);
  if (forEach === null || items === undefined) return;
  const parts = session.begun.filter((name) => name.startsWith(`${index}/`)).length;
  assert.equal(parts, items.next);
  const stood = session.planned(index).reserves.fallback;
  if (status === "completed" && (stood === null || session.state(stood).status === "skipped")) {
    assert.equal(parts, items.total, `step ${index} left items out`);
  }
}

/** A step fails and completes with the one that stood in for it. */
function assertStandIn(session: ModelSession, index: number, owner: number): void {
  const [own, stood] = [session.state(owner).status, session.state(index).status];
  if (stood === "completed")
    assert.ok(["completed", "compensated", "uncertain"].includes(own), `${own}, not completed`);
  if (stood === "failed") assert.ok(["failed", "compensated", "uncertain"].includes(own), `${own}, not failed`);
  if (own === "skipped" || own === "completed")
    assert.ok(["skipped", "completed", "compensated", "uncertain"].includes(stood), `${own}, and ${stood}`);
}

/** A branch is taken only where its step was refused, and then nothing behind that step is. */
function assertBranch(session: ModelSession, index: number, owner: number): void {
  const began = !["pending", "skipped"].includes(session.state(index).status);
  if (!began) return;
  assert.equal(session.state(owner).status, "failed");
  assert.ok(!session.failedSteps.includes(`s${owner}`), "it failed nothing");
  for (const dependent of session.planned(owner).dependents) assert.equal(session.state(dependent).status, "skipped");
}

test("a cancel or a deadline at any moment cancels exactly what is open, and only a deadline is undone", () => {
  const stop = fc.constantFrom<SessionInput>({ type: "cancel", reason: "enough" }, { type: "deadline" });
  fc.assert(
    fc.property(
      anyPlan,
      fc.array(happening, { maxLength: 12 }),
      stop,
      fc.infiniteStream(happening),
      (plan, before, input, after) => {
        const session = begin(plan);
        run(session, before);
        if (session.finished.length > 0) return;
        const open = session.in("running", "waiting");
        const undoing = session.undoing !== null;
        const move = session.give(input);
        if (undoing) return assertNothing(move);
        const cancelled = move.effects.flatMap((effect) => (effect.type === "cancel_step" ? [effect.step] : []));
        assert.deepEqual(cancelled, open);
        const compensates = input.type === "deadline" && session.failure?.compensate === true;
        if (!compensates) assert.deepEqual(session.finished, [input.type === "cancel" ? "cancelled" : "failed"]);
        run(session, after);
        assert.equal(session.finished.length, 1);
        assertSettled(session);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("a step whose parameters cannot be evaluated fails as it begins", () => {
  const session = begin(graph([[], [0], [1]]));
  session.give({ type: "step_completed", step: 0, part: 0 });
  assert.deepEqual(session.in("running"), [1]);
  const move = session.give({ type: "step_failed", step: 1, part: 0, error: NO });
  assert.deepEqual(move.effects, [{ type: "finish", status: "failed", error: NO }]);
  assert.deepEqual(session.failure, { step: "s1", error: NO });
});

test("the first failure is the session's, and its siblings are still recorded", () => {
  const session = begin(graph([[], [], [0]]));
  session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  assert.equal(session.status, "started");
  session.give({ type: "step_failed", step: 1, part: 0, error: { code: "later", message: "" } });
  assert.deepEqual([session.failure?.step, session.failedSteps, session.begun], ["s0", ["s0", "s1"], ["0/0", "1/0"]]);
});

test("a failed step that is to be ignored lets its dependents begin", () => {
  const session = begin(graph([[], [0]], ["continue"]));
  const move = session.give({ type: "step_failed", step: 0, part: 0, error: NO });
  const next: Effect[] = [{ type: "create_task", step: 1, part: 0 }];
  assert.deepEqual([move.effects, move.failedSteps, move.failure], [next, ["s0"], null]);
});

test("the workflow's onFailure holds for steps that say nothing", () => {
  const plan = { ...graph([[], [0], [1]], [null, "fail", null]), onFailure: "continue" as const };
  const session = begin(plan);
  const next: Effect[] = [{ type: "create_task", step: 1, part: 0 }];
  assert.deepEqual(session.give({ type: "step_failed", step: 0, part: 0, error: NO }).effects, next);
  session.give({ type: "step_failed", step: 1, part: 0, error: NO });
  assert.deepEqual(session.finished, ["failed"]);
});

test("a plan without steps completes as it starts", () => {
  assert.deepEqual(begin(planOf([])).finished, ["completed"]);
});

test("a step that is not in the plan is a defect", () => {
  const session = begin(graph([[]]));
  session.steps.set(7, { status: "running", remaining: 0 });
  assert.throws(() => session.give({ type: "step_failed", step: 7, part: 0, error: NO }), /step 7 is not in plan/);
});

test("one input in a wide session asks for its neighbours only", () => {
  const width = 1_000;
  const middle = Array.from({ length: width }, () => [0]);
  const session = begin(graph([[], ...middle, Array.from({ length: width }, (_, i) => i + 1)]));
  session.give({ type: "step_completed", step: 0, part: 0 });
  const move = session.give({ type: "step_completed", step: 500, part: 0 });
  assert.deepEqual([...session.asked].sort(), [1_001, 500]);
  assert.equal(move.steps.length, 2);
});

test("one item of a long list asks for its step only", () => {
  const session = begin(
    planOf([sketch({ forEach: { concurrency: 5, onItemError: "fail" } }), sketch({ dependsOn: [0] })]),
  );
  session.give({ type: "items_listed", step: 0, total: 10_000 });
  const move = session.give({ type: "step_completed", step: 0, part: 3 });
  assert.deepEqual([[...session.asked], move.steps.length, move.effects.length], [[0], 1, 1]);
});
