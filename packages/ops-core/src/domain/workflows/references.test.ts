import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { document, planOf, refuseEach } from "./definition.suite.ts";

function steps(...tasks: (string | JsonObject)[]): JsonObject {
  return document(tasks.map((task): JsonValue => (typeof task === "string" ? { taskId: task } : task)));
}

const at = (task: number, ...names: (string | number)[]) => ["tasks", task, ...names];
const fanOut = { forEach: "input.list", parameters: { x: "${{ item }}" } };

test("what a step reads is named in its plan, wherever it reads it", () => {
  const plan = planOf(
    steps(
      "a",
      "b",
      "c",
      { taskId: "d", ...fanOut },
      {
        taskId: "e",
        when: "steps.a.status == 'completed'",
        forEach: "steps.b.result",
        parameters: { x: "${{ steps.c.result + item }}", y: "${{ index }}" },
        compensate: { tool: "undo", parameters: { x: "${{ steps.d.results[index] + item + steps.e.result }}" } },
      },
      { taskId: "f", repeat: { until: "steps.f.result.done && steps.a.result", maxIterations: 2 } },
      { taskId: "g", approval: { message: "${{ steps.f.result }}", details: "${{ steps.d.errors }}" } },
      { taskId: "h", wait: { until: "${{ steps.g.result.at }}" } },
      { taskId: "i", workflow: { id: "c", input: { x: "${{ steps.h.status }}" } } },
    ),
  );
  assert.deepEqual(
    plan.steps.map((step) => step.reads.join(" ")),
    ["", "", "", "", "a b c d e", "f a", "f d", "g", "h"],
  );
});

test("every expression of a step is checked, at its own path", () => {
  const later = (fields: JsonObject) => steps({ taskId: "a", ...fields }, "b");
  const LATER = 'reads "b", which runs later';
  const read = "${{ steps.b.result }}";
  refuseEach([
    ["when", later({ when: "steps.b.result" }), at(0, "when"), "not_an_ancestor", LATER],
    ["forEach", later({ forEach: read }), at(0, "forEach"), "not_an_ancestor", LATER],
    ["an item", later({ forEach: [1, { x: read }] }), at(0, "forEach", 1, "x"), "not_an_ancestor", LATER],
    ["until", later({ repeat: { until: read, maxIterations: 2 } }), at(0, "repeat", "until"), "not_an_ancestor", LATER],
    [
      "compensate",
      document([{ taskId: "a", compensate: { parameters: { x: [read] } } }, { taskId: "b" }], {
        onFailure: "compensate",
      }),
      at(0, "compensate", "parameters", "x", 0),
      "not_an_ancestor",
      LATER,
    ],
    [
      "a workflow's input",
      later({ workflow: { id: "c", input: [read] } }),
      at(0, "workflow", "input", 0),
      "not_an_ancestor",
      LATER,
    ],
    ["a message", later({ approval: { message: read } }), at(0, "approval", "message"), "not_an_ancestor", LATER],
    [
      "details",
      later({ approval: { message: "m", details: { x: read } } }),
      at(0, "approval", "details", "x"),
      "not_an_ancestor",
      LATER,
    ],
    ["a time", later({ wait: { until: read } }), at(0, "wait", "until"), "not_an_ancestor", LATER],
    [
      "nobody",
      steps("fetch", { taskId: "b", when: "steps.ftech.result" }),
      at(1, "when"),
      "unknown_step",
      'reads "ftech", but no task has that id; did you mean "fetch"?',
    ],
    [
      "a sibling",
      steps("a", { taskId: "b", dependsOn: ["a"] }, { taskId: "c", dependsOn: ["a"], when: "steps.b.result" }),
      at(2, "when"),
      "not_an_ancestor",
      'reads "b", which need not have ended by then; add it to dependsOn',
    ],
  ]);
});

test("a step reads itself only where it has run already", () => {
  const own = "${{ steps.a.result }}";
  const OWN = "reads its own step, which has not run yet";
  const repeat = { until: "steps.a.result.done", maxIterations: 3 };
  refuseEach([
    ["parameters", steps({ taskId: "a", parameters: { x: own } }), at(0, "parameters", "x"), "not_an_ancestor", OWN],
    ["when", steps({ taskId: "a", when: own, repeat }), at(0, "when"), "not_an_ancestor", OWN],
    ["forEach", steps({ taskId: "a", forEach: own }), at(0, "forEach"), "not_an_ancestor", OWN],
    [
      "parameters per item",
      steps({ taskId: "a", forEach: [1], parameters: { x: own } }),
      at(0, "parameters", "x"),
      "not_an_ancestor",
      OWN,
    ],
  ]);
  planOf(steps({ taskId: "a", repeat, parameters: { x: own, n: "${{ iteration }}" } }));
  planOf(steps({ taskId: "a", workflow: { id: "c", input: own }, repeat }));
  planOf(document([{ taskId: "a", compensate: { parameters: { x: own } } }], { onFailure: "compensate" }));
});

test("item, index and iteration are refused where they have no value", () => {
  const only = (root: string, owner: string) => `"${root}" has a value only in a step with ${owner}`;
  const ITEM = '"item" has no value here, only in what each item is given';
  const ITERATION = '"iteration" has no value here, only in what each run is given, and in until';
  const repeat = { until: "iteration > 1", maxIterations: 3 };
  refuseEach([
    [
      "no forEach",
      steps({ taskId: "a", parameters: { x: "${{ item }}" } }),
      at(0, "parameters", "x"),
      "out_of_place",
      only("item", "forEach"),
    ],
    [
      "a repeat",
      steps({ taskId: "a", repeat, parameters: { x: "${{ index }}" } }),
      at(0, "parameters", "x"),
      "out_of_place",
      only("index", "forEach"),
    ],
    [
      "no repeat",
      steps({ taskId: "a", forEach: [1], parameters: { x: "${{ iteration }}" } }),
      at(0, "parameters", "x"),
      "out_of_place",
      only("iteration", "repeat"),
    ],
    ["when", steps({ taskId: "a", forEach: [1], when: "item > 1" }), at(0, "when"), "out_of_place", ITEM],
    ["forEach", steps({ taskId: "a", forEach: ["${{ item }}"] }), at(0, "forEach", 0), "out_of_place", ITEM],
    ["when of a loop", steps({ taskId: "a", repeat, when: "iteration > 1" }), at(0, "when"), "out_of_place", ITERATION],
    [
      "undoing a loop",
      document([{ taskId: "a", repeat, compensate: { parameters: { x: "${{ iteration }}" } } }], {
        onFailure: "compensate",
      }),
      at(0, "compensate", "parameters", "x"),
      "out_of_place",
      ITERATION,
    ],
    [
      "an approval",
      steps({ taskId: "a", approval: { message: "${{ item }}" } }),
      at(0, "approval", "message"),
      "out_of_place",
      only("item", "forEach"),
    ],
    [
      "the output",
      document([{ taskId: "a", forEach: [1] }], { output: ["${{ item }}"] }),
      ["output", 0],
      "out_of_place",
      only("item", "forEach"),
    ],
  ]);
});

test("only a step with forEach has results and errors", () => {
  const list = (field: string) => steps("a", { taskId: "b", parameters: { x: `\${{ steps.a.${field} }}` } });
  refuseEach([
    ["results", list("results"), at(1, "parameters", "x"), "no_results", '"a" has no results: it has no forEach'],
    ["errors", list("errors"), at(1, "parameters", "x"), "no_results", '"a" has no errors: it has no forEach'],
    [
      "its own",
      steps({ taskId: "a", repeat: { until: "size(steps.a.results) > 1", maxIterations: 2 } }),
      at(0, "repeat", "until"),
      "no_results",
      '"a" has no results: it has no forEach',
    ],
    [
      "in the output",
      document([{ taskId: "a" }], { output: "${{ steps.a.results }}" }),
      ["output"],
      "no_results",
      '"a" has no results: it has no forEach',
    ],
  ]);
  planOf(document([{ taskId: "a", ...fanOut }], { output: "${{ steps.a.results + steps.a.errors }}" }));
});

test("a step in reserve reads what its owner may read, and the owner; nobody waits for it to be read", () => {
  const reading = (id: string, read: string, rest: JsonObject = {}) => ({
    taskId: id,
    parameters: { x: `\${{ steps.${read}.error }}` },
    ...rest,
  });
  const LIST = steps("a", { taskId: "b", fallback: "c" }, { ...reading("c", "b"), when: "steps.a.result" }, "d");
  assert.deepEqual(planOf(LIST).steps[2]?.reads, ["a", "b"]);
  const onReject = (reject: string) => ({ approval: { message: "m", onReject: reject } });
  refuseEach([
    [
      "after it",
      steps({ taskId: "b", fallback: "c" }, reading("c", "d"), "d"),
      at(1, "parameters", "x"),
      "not_an_ancestor",
      'reads "d", which runs later',
    ],
    [
      "a fallback",
      steps({ taskId: "b", fallback: "c" }, "c", reading("d", "c")),
      at(2, "parameters", "x"),
      "not_an_ancestor",
      'reads "c", which only stands in reserve for "b"; read "b", whose result is the same',
    ],
    [
      "a branch, from a list",
      steps({ taskId: "b", ...onReject("c") }, "c", reading("d", "c")),
      at(2, "parameters", "x"),
      "not_an_ancestor",
      'reads "c", which need not run',
    ],
    [
      "a branch, from a graph",
      steps({ taskId: "b", ...onReject("c") }, "c", reading("d", "c", { dependsOn: ["b"] })),
      at(2, "parameters", "x"),
      "not_an_ancestor",
      'reads "c", which need not have ended by then; add it to dependsOn',
    ],
    [
      "a sibling of its owner",
      steps("a", { taskId: "b", fallback: "c", dependsOn: [] }, reading("c", "a")),
      at(2, "parameters", "x"),
      "not_an_ancestor",
      'reads "a", which need not have ended by then; add it to the dependsOn of "b"',
    ],
  ]);
  planOf(steps({ taskId: "b", ...onReject("c") }, "c", reading("d", "c", { dependsOn: ["c"] })));
  planOf(document([{ taskId: "b", fallback: "c" }, { taskId: "c" }], { output: "${{ steps.c.result }}" }));
});
