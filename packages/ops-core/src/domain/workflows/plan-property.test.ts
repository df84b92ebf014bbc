import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import fc from "fast-check";
import { document, issuesOf, planOf } from "./definition.suite.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";

type Task = Record<string, JsonValue>;

const ROLES = ["fallback", "onReject", "onTimeout"] as const;

/** Steps that may depend on earlier ones, may name any for each role, and are written in any order. */
const drawn = fc.integer({ min: 1, max: 12 }).chain((size) => {
  const step = fc.nat(size - 1);
  return fc.record({
    order: fc.constantFrom("list", "chain", "graph"),
    reserves: fc.array(fc.tuple(step, fc.constantFrom(...ROLES), step), { maxLength: 6 }),
    edges: fc.array(fc.tuple(step, step), { maxLength: 2 * size }),
    written: fc.shuffledSubarray(
      Array.from({ length: size }, (_, at) => at),
      { minLength: size },
    ),
  });
});

type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

function documentOf({ order, reserves, edges, written }: Drawn): JsonObject {
  const tasks = written.map((_, at): Task => ({ taskId: `t${at}` }));
  for (const [owner, role, kept] of reserves) keepInReserve(tasks[owner] ?? {}, role, `t${kept}`);
  const reserved = new Set(reserves.map(([, , kept]) => kept));
  const ordinary = tasks.filter((_, at) => !reserved.has(at));
  if (order === "chain") link(ordinary);
  if (order === "graph") {
    for (const task of ordinary) task.dependsOn = [];
    for (const [one, other] of edges) depend(tasks[Math.max(one, other)], `t${Math.min(one, other)}`);
  }
  return document(written.flatMap((at) => (tasks[at] ?? []) as JsonValue));
}

function keepInReserve(task: Task, role: (typeof ROLES)[number], id: string): void {
  if (role === "fallback") {
    if (task.approval === undefined) task.fallback = id;
  } else if (task.fallback === undefined) {
    const approval = (task.approval ?? { message: "Go?", timeout: "1h" }) as JsonObject;
    task.approval = { ...approval, [role]: id };
  }
}

function link(tasks: Task[]): void {
  for (const [at, task] of tasks.entries()) task.nextTaskId = tasks[at + 1]?.taskId ?? null;
}

function depend(task: Task | undefined, id: string): void {
  const names = task?.dependsOn;
  if (Array.isArray(names) && task?.taskId !== id && !names.includes(id)) names.push(id);
}

test("whatever compiles can run to its end, and who is in reserve for whom reads the same from both sides", () => {
  let compiled = 0;
  fc.assert(
    fc.property(drawn, (each) => {
      const source = documentOf(each);
      const plan = compiledOrRefused(source);
      if (plan === undefined) return;
      compiled += 1;
      assert.equal(plan.steps.length, each.written.length);
      assert.equal(runnable(plan), plan.steps.length, "each step comes after all it waits for");
      for (const step of plan.steps) {
        checkOrder(plan, step);
        checkReserves(plan, step);
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(compiled > 100, `${compiled} compiled`);
});

function compiledOrRefused(source: JsonObject): WorkflowPlan | undefined {
  try {
    return planOf(source);
  } catch (error) {
    if (!(error instanceof OpspawnError)) throw error;
    issuesOf(source);
    return undefined;
  }
}

/** How many steps can run, each after all it waits for. */
function runnable(plan: WorkflowPlan): number {
  const done = new Set<number>();
  for (let before = -1; before < done.size; ) {
    before = done.size;
    for (const step of plan.steps) if (step.dependsOn.every((at) => done.has(at))) done.add(step.index);
  }
  return done.size;
}

/** Dependents are the other side of what steps wait for, those in reserve left out. */
function checkOrder(plan: WorkflowPlan, step: PlanStep): void {
  for (const at of step.dependents) {
    const dependent = plan.steps[at];
    assert.ok(dependent?.dependsOn.includes(step.index));
    assert.equal(dependent?.reserveOf, null);
  }
  if (step.reserveOf !== null) return;
  for (const at of step.dependsOn) assert.ok(plan.steps[at]?.dependents.includes(step.index));
}

function checkReserves(plan: WorkflowPlan, step: PlanStep): void {
  for (const [role, at] of Object.entries(step.reserves)) {
    if (at !== null) assert.deepEqual(plan.steps[at]?.reserveOf, { step: step.index, role });
  }
  const { reserveOf } = step;
  if (reserveOf === null) return;
  assert.deepEqual(step.dependsOn, [reserveOf.step]);
  assert.equal(plan.steps[reserveOf.step]?.reserves[reserveOf.role], step.index);
  if (reserveOf.role === "fallback") assert.deepEqual(step.dependents, []);
}
