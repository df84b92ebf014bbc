import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import fc from "fast-check";
import { document, issuesOf, planOf, refuseEach, warningsOf } from "./definition.suite.ts";
import type { WorkflowPlan } from "./plan.ts";

function edges(plan: WorkflowPlan): string[] {
  return plan.steps.map((step) => `${step.id}<-${step.dependsOn.map((at) => plan.steps[at]?.id).join("+")}`);
}

function steps(...tasks: (string | JsonObject)[]): JsonObject {
  return document(tasks.map((task): JsonValue => (typeof task === "string" ? { taskId: task } : task)));
}

test("without anything said, tasks run one after the other", () => {
  const plan = planOf(steps("a", "b", "c"));
  assert.equal(plan.order, "list");
  assert.deepEqual(edges(plan), ["a<-", "b<-a", "c<-b"]);
  assert.deepEqual(
    plan.steps.map((step) => step.dependents),
    [[1], [2], []],
  );
});

test("nextTaskId makes a chain from the first task, wherever the others stand", () => {
  const plan = planOf(
    steps({ taskId: "a", nextTaskId: "c" }, { taskId: "b", nextTaskId: null }, { taskId: "c", nextTaskId: "b" }),
  );
  assert.equal(plan.order, "chain");
  assert.deepEqual(edges(plan), ["a<-", "b<-c", "c<-a"]);
});

test("a nextTaskId that is null everywhere says nothing", () => {
  assert.equal(planOf(steps({ taskId: "a", nextTaskId: null }, { taskId: "b", nextTaskId: null })).order, "list");
});

test("a task that no nextTaskId reaches is left out with a warning on the originals' route, and refused elsewhere", () => {
  const source = steps({ taskId: "a", nextTaskId: "c" }, { taskId: "lost", nextTaskId: "c" }, "c");
  const plan = planOf(source, "original");
  assert.deepEqual(edges(plan), ["a<-", "c<-a"]);
  assert.deepEqual(
    [...plan.byId],
    [
      ["a", 0],
      ["c", 1],
    ],
  );
  const issue = {
    loc: ["tasks", 1],
    type: "unreachable",
    msg: '"lost" never runs: no nextTaskId leads to it from "a"',
  };
  assert.deepEqual(warningsOf(source, "original"), [issue]);
  assert.deepEqual(issuesOf(source, "strict"), [issue]);
});

test("dependsOn anywhere makes a graph, even when it is empty", () => {
  const plan = planOf(
    steps(
      "a",
      { taskId: "b", dependsOn: ["a"] },
      { taskId: "c", dependsOn: ["a"] },
      { taskId: "d", dependsOn: ["c", "b"] },
    ),
  );
  assert.equal(plan.order, "graph");
  assert.deepEqual(edges(plan), ["a<-", "b<-a", "c<-a", "d<-c+b"]);
  assert.deepEqual(plan.steps[0]?.dependents, [1, 2]);
  assert.deepEqual(edges(planOf(steps("a", { taskId: "b", dependsOn: [] }))), ["a<-", "b<-"]);
});

test("a step of a graph that starts at once though it is written later is warned about, unless it says so", () => {
  assert.deepEqual(warningsOf(steps({ taskId: "a", dependsOn: [] }, "b", { taskId: "c", dependsOn: [] })), [
    {
      loc: ["tasks", 1],
      type: "starts_at_once",
      msg: 'starts at once, although it is written after "a"; write `dependsOn: []` if so meant',
    },
  ]);
});

test("ids are unique, and names of other tasks exist", () => {
  refuseEach([
    ["twice", steps("a", "a"), ["tasks", 1, "taskId"], "duplicate", 'another task has the id "a" already'],
    [
      "dependsOn",
      steps("fetch", { taskId: "b", dependsOn: ["fetch", "ftech"] }),
      ["tasks", 1, "dependsOn", 1],
      "unknown_step",
      'no task has the id "ftech"; did you mean "fetch"?',
    ],
    [
      "nextTaskId",
      steps({ taskId: "a", nextTaskId: "zzzz" }),
      ["tasks", 0, "nextTaskId"],
      "unknown_step",
      'no task has the id "zzzz"',
    ],
    [
      "dependsOn twice",
      steps("a", { taskId: "b", dependsOn: ["a", "a"] }),
      ["tasks", 1, "dependsOn"],
      "duplicate",
      "names something twice",
    ],
    [
      "both ways",
      steps("a", { taskId: "b", dependsOn: ["a"], nextTaskId: "a" }),
      ["tasks", 1, "nextTaskId"],
      "conflict",
      "`nextTaskId` and `dependsOn` in one definition; write the order one way",
    ],
  ]);
});

test("a cycle is named", () => {
  const ring = (size: number) =>
    Array.from({ length: size }, (_, at) => ({ taskId: `t${at}`, dependsOn: [`t${(at + 1) % size}`] }));
  const graph = "the tasks wait for each other in a cycle: ";
  refuseEach([
    ["self", steps({ taskId: "a", dependsOn: ["a"] }), ["tasks", 0, "dependsOn"], "cycle", `${graph}a -> a`],
    [
      "behind others",
      steps(
        "start",
        { taskId: "b", dependsOn: ["start", "c"] },
        { taskId: "c", dependsOn: ["b"] },
        { taskId: "d", dependsOn: ["c"] },
      ),
      ["tasks", 1, "dependsOn"],
      "cycle",
      `${graph}b -> c -> b`,
    ],
    [
      "long",
      document(ring(20)),
      ["tasks", 0, "dependsOn"],
      "cycle",
      `${graph}t0 -> t1 -> t2 -> t3 -> t4 -> t5 -> t6 -> t7 -> ... -> t0`,
    ],
    [
      "chain",
      steps({ taskId: "a", nextTaskId: "b" }, { taskId: "b", nextTaskId: "c" }, { taskId: "c", nextTaskId: "b" }),
      ["tasks", 2, "nextTaskId"],
      "cycle",
      "the tasks form a cycle: b -> c -> b",
    ],
  ]);
});

test("cycles apart from each other are all named", () => {
  const two = steps(
    { taskId: "a", dependsOn: ["b"] },
    { taskId: "b", dependsOn: ["a"] },
    { taskId: "x", dependsOn: ["a", "y"] },
    { taskId: "y", dependsOn: ["x"] },
  );
  assert.deepEqual(
    issuesOf(two).map((issue) => issue.msg.replace(/^.*: /, "")),
    ["a -> b -> a"],
    "x and y hang on the first cycle; theirs is named once that is gone",
  );
  const apart = steps(
    { taskId: "a", dependsOn: ["b"] },
    { taskId: "b", dependsOn: ["a"] },
    { taskId: "x", dependsOn: ["y"] },
    { taskId: "y", dependsOn: ["x"] },
  );
  assert.deepEqual(
    issuesOf(apart).map((issue) => issue.loc[1]),
    [0, 2],
  );
});

test("so many dependencies are allowed, and no more", () => {
  const hub = Array.from({ length: 100 }, (_, at) => ({ taskId: `t${at}`, dependsOn: [] as string[] }));
  const names = hub.map((task) => task.taskId);
  const merging = Array.from({ length: 101 }, (_, at) => ({ taskId: `m${at}`, dependsOn: names }));
  refuseEach([
    [
      "many",
      document([...hub, ...merging]),
      ["tasks"],
      "too_large",
      "more than 10000 names in all dependsOn lists together",
    ],
  ]);
});

test("expressions read only steps that are sure to have ended", () => {
  const reading = (id: string, read: string, rest: JsonObject = {}) => ({
    taskId: id,
    parameters: { x: [`\${{ steps.${read}.result }}`] },
    ...rest,
  });
  const at = (task: number) => ["tasks", task, "parameters", "x", 0];
  refuseEach([
    ["later in a list", steps(reading("a", "b"), "b"), at(0), "not_an_ancestor", 'reads "b", which runs later'],
    ["itself", steps("b", reading("a", "a")), at(1), "not_an_ancestor", "reads its own step, which has not run yet"],
    [
      "a sibling",
      steps("a", { taskId: "b", dependsOn: ["a"] }, reading("c", "b", { dependsOn: ["a"] })),
      at(2),
      "not_an_ancestor",
      'reads "b", which need not have ended by then; add it to dependsOn',
    ],
    [
      "nobody",
      steps("fetch", reading("b", "ftech")),
      at(1),
      "unknown_step",
      'reads "ftech", but no task has that id; did you mean "fetch"?',
    ],
  ]);
  const unreached = steps({ taskId: "a", nextTaskId: "c" }, "b", reading("c", "b"));
  refuseEach([["what never runs", unreached, at(2), "unknown_step", 'reads "b", which never runs']], ["original"]);
  assert.deepEqual(planOf(steps("a", reading("b", "a"), reading("c", "a"))).steps[2]?.reads, ["a"]);
  assert.equal(
    planOf(steps({ taskId: "a", nextTaskId: "c" }, reading("b", "c"), { taskId: "c", nextTaskId: "b" })).order,
    "chain",
  );
});

test("the output may read every step that runs", () => {
  const output = (text: string): JsonObject => ({ ...steps("first", "second"), output: { x: text } });
  assert.equal(planOf(output("${{ steps.first.result }} ${{ steps.second.status }}")).steps.length, 2);
  refuseEach([
    [
      "nobody",
      output("${{ steps.frist.result }}"),
      ["output", "x"],
      "unknown_step",
      'reads "frist", but no task has that id; did you mean "first"?',
    ],
  ]);
});

/** Random graphs: each task may wait for tasks of a lower number, and they are written in any order. */
const graphs = fc.integer({ min: 1, max: 40 }).chain((size) =>
  fc.tuple(
    fc.tuple(
      ...Array.from({ length: size }, (_, at) =>
        fc.subarray(
          Array.from({ length: at }, (_, each) => each),
          { maxLength: Math.min(at, 6) },
        ),
      ),
    ),
    fc.shuffledSubarray(
      Array.from({ length: size }, (_, at) => at),
      { minLength: size },
    ),
  ),
);

test("every graph without a cycle compiles; its edges are those written, and the readable steps are the ancestors", () => {
  fc.assert(
    fc.property(graphs, fc.nat(), fc.nat(), ([dependencies, written], one, other) => {
      const reader = one % written.length;
      const read = other % written.length;
      const tasks = written.map((task) => ({
        taskId: `t${task}`,
        dependsOn: (dependencies[task] ?? []).map((dependency) => `t${dependency}`),
        parameters: task === reader ? { x: `\${{ steps.t${read}.result }}` } : {},
      }));
      const ancestors = new Set<number>();
      const open = [...(dependencies[reader] ?? [])];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        ancestors.add(next);
        open.push(...(dependencies[next] ?? []));
      }
      if (!ancestors.has(read)) {
        assert.deepEqual(
          issuesOf(document(tasks)).map((issue) => issue.type),
          ["not_an_ancestor"],
        );
        return;
      }
      const plan = planOf(document(tasks));
      for (const step of plan.steps) {
        assert.equal(plan.byId.get(step.id), step.index);
        const names = step.dependsOn.map((at) => plan.steps[at]?.id);
        assert.deepEqual(names, tasks[step.index]?.dependsOn);
        for (const dependency of step.dependsOn) assert.ok(plan.steps[dependency]?.dependents.includes(step.index));
      }
    }),
    { numRuns: 200 },
  );
});
