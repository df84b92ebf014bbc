import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Effect, Kept, SessionInput } from "./advance.ts";
import { type EndedStep, keptSteps } from "./kept-steps.ts";
import { anyPlan, graph, planOf, sketch } from "./test-plans.ts";
import { begin, isWork, ModelSession, NO } from "./test-session.ts";

const picks = fc.infiniteStream(fc.record({ pick: fc.nat(), how: fc.nat({ max: 9 }) }));
type Pick = typeof picks extends fc.Arbitrary<Iterable<infer P>> ? P : never;

/** What comes of an effect; the smaller `how`, the worse. */
function answerTo(session: ModelSession, owed: Effect, how: number): SessionInput {
  switch (owed.type) {
    case "open_step": {
      const { step } = owed;
      const { when, forEach } = session.planned(step);
      if (when !== null && how < 3) return { type: "step_skipped", step };
      return forEach === null ? { type: "step_admitted", step } : { type: "items_listed", step, total: how };
    }
    case "judge_iteration":
      return { type: "iteration_judged", step: owed.step, part: owed.part, enough: how > 4 };
    case "create_task":
    case "start_child":
      if (how < 3) return { type: "step_failed", step: owed.step, part: owed.part, error: NO };
      return { type: "step_completed", step: owed.step, part: owed.part };
    case "ask_approval":
    case "wait":
      if (how > 3) return { type: "step_completed", step: owed.step, part: 0 };
      return { type: "step_refused", step: owed.step, role: how > 1 ? "rejected" : "expired", error: NO };
    case "plan_undoing":
      return { type: "undoing_planned", total: 0, uncertain: [] };
    default:
      throw new Error(`nothing answers ${owed.type}`);
  }
}

/** Goes on until the end, or until it is cancelled after so many answers; the items that were done. */
function run(session: ModelSession, happenings: Iterable<Pick>, cancelAfter = Number.POSITIVE_INFINITY): Set<string> {
  const done = new Set<string>();
  let answers = 0;
  for (const { pick, how } of happenings) {
    if (session.finished.length > 0) break;
    const owed = session.owed[pick % session.owed.length];
    const input: SessionInput =
      answers === cancelAfter || owed === undefined
        ? { type: "cancel", reason: "enough" }
        : answerTo(session, owed, how);
    answers += 1;
    if (input.type === "step_completed" && session.planned(input.step).forEach !== null)
      done.add(`${input.step}/${input.part}`);
    session.give(input);
  }
  return done;
}

function endedIn(session: ModelSession): (index: number) => EndedStep {
  return (index) => {
    const { status, items } = session.state(index);
    return { status, error: status === "failed" ? NO : null, total: items?.total ?? null };
  };
}

/** Everything that may come of a step ending differently. */
function behind({ plan }: ModelSession, from: number): Set<number> {
  const found = new Set([from]);
  for (const index of found) {
    for (const step of plan.steps) {
      const follows = step.dependsOn.includes(index) || step.reserves.fallback === index;
      if (follows) found.add(step.index);
    }
  }
  return found;
}

const END = fc.option(fc.nat({ max: 12 }), { nil: Number.POSITIVE_INFINITY });

test("whatever a session came to, one that goes on from it repeats nothing that was done, and ends", () => {
  fc.assert(
    fc.property(anyPlan, picks, END, fc.option(fc.nat()), picks, (plan, first, cancelAfter, at, second) => {
      const source = begin(plan);
      const done = run(source, first, cancelAfter);
      const steps = plan.steps.filter(({ reserveOf }) => reserveOf?.role !== "fallback");
      const from = at === null ? null : (steps[at % Math.max(steps.length, 1)]?.index ?? null);
      const kept = keptSteps(plan, endedIn(source), from);
      const session = new ModelSession(plan, done);
      session.give({ type: "fork", kept });
      assertTakenOver(session, source, kept);
      if (from !== null) for (const index of behind(session, from)) assert.ok(!kept.has(index), `${index} is behind`);
      run(session, second);
      assert.equal(session.finished.length, 1);
      const again = session.begun.filter((name) => isDone(name, kept, done));
      assert.deepEqual(again, [], "they were done again");
    }),
    { numRuns: 3_000 },
  );
});

function assertTakenOver(session: ModelSession, source: ModelSession, kept: ReadonlyMap<number, Kept>): void {
  for (const [index, { how }] of kept) {
    if (how !== "items") assert.equal(session.state(index).status, source.state(index).status, `step ${index}`);
  }
}

function isDone(name: string, kept: ReadonlyMap<number, Kept>, done: ReadonlySet<string>): boolean {
  const how = kept.get(Number(name.split("/")[0]))?.how;
  return how === "items" ? done.has(name) : how !== undefined;
}

test("every step that was done is taken over by a retry, unless it is behind one that was not", () => {
  fc.assert(
    fc.property(anyPlan, picks, END, (plan, first, cancelAfter) => {
      const source = begin(plan);
      run(source, first, cancelAfter);
      const kept = keptSteps(plan, endedIn(source), null);
      const open = plan.steps.filter(({ index }) => !["completed", "skipped"].includes(source.state(index).status));
      const touched = new Set(open.flatMap(({ index }) => [...behind(source, index)]));
      for (const { index } of plan.steps) if (!touched.has(index)) assert.ok(kept.has(index), `step ${index}`);
    }),
    { numRuns: 1_000 },
  );
});

test("a plan of a thousand steps is taken over at once", () => {
  const size = 1_000;
  const plan = graph(Array.from({ length: size }, (_, i) => (i === 0 ? [] : [i - 1])));
  const source = begin(plan);
  while (source.finished.length === 0) {
    const [owed] = source.owed.filter(isWork);
    if (owed !== undefined) source.give(answerTo(source, owed, owed.step === size - 1 ? 0 : 9));
  }
  const kept = keptSteps(plan, endedIn(source), null);
  const session = new ModelSession(plan);
  session.give({ type: "fork", kept });
  assert.deepEqual([kept.size, session.begun], [size - 1, [`${size - 1}/0`]]);
});

test("a step whose failure is allowed stays failed, and is done again when it is asked for", () => {
  const plan = planOf([sketch({ onFailure: "continue" }), sketch(), sketch()]);
  const ended = (index: number): EndedStep => {
    return { status: index === 1 ? "completed" : "failed", error: NO, total: null };
  };
  assert.deepEqual(
    [...keptSteps(plan, ended, null)],
    [
      [0, { how: "failed", error: NO }],
      [1, { how: "completed" }],
    ],
  );
  assert.deepEqual([...keptSteps(plan, ended, 0)], [[1, { how: "completed" }]]);
});

test("a refusal whose branch could not begin, since the session was failing, is asked for again", () => {
  const branch = sketch({ dependsOn: [0], reserveOf: { step: 0, role: "rejected" } });
  const plan = planOf([sketch({ kind: "approval", onFailure: "continue" }), branch, sketch()]);
  const ended = (index: number): EndedStep => {
    return { status: index === 1 ? "pending" : "failed", error: NO, total: null };
  };
  assert.deepEqual([...keptSteps(plan, ended, null)], []);
  const taken = (index: number): EndedStep => ({ ...ended(index), status: "failed" });
  assert.deepEqual([...keptSteps(plan, taken, null)], [[0, { how: "refused", role: "rejected", error: NO }]]);
});
