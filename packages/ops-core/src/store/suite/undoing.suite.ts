import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import { step, workflow } from "./test-definitions.ts";
import { apply, decide, end, errorOf, FAILS, ONCE, statuses, undoable, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { COMPENSATE, compensation, LAST, names, runToFailure, start } from "./test-undoing.ts";

/** What is undone when a session fails, in which order. */
export const undoingSuite: Suite = (on) => {
  on("what was done is undone in the reverse order, each step with what it had come to", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a"), step("b", { parameters: { do: "b" } }), undoable("c"), LAST]);
    assert.deepEqual(await runToFailure(w), [
      { undo: "c", was: "c" },
      { undo: "a", was: "a" },
    ]);
    assert.deepEqual(await statuses(w, id), ["compensated", "completed", "compensated", "failed"]);
    assert.deepEqual([await end(w, id), await compensation(w, id)], [["failed", "rejected"], "complete"]);
    const types = (await w.types(id)).filter((type) => !/^(task|attempt)\./.test(type));
    assert.deepEqual(types.slice(-6), [
      "session.compensating",
      "step.undone",
      "step.compensated",
      "step.undone",
      "step.compensated",
      "session.failed",
    ]);
  });

  on("one is undone after the other, and the session runs until all are", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a"), undoable("b"), LAST]);
    for (const result of ["A", "B"]) await w.complete(w.take(), result);
    await w.fail(w.take(), "rejected");
    assert.equal(w.sent.length, 1);
    assert.deepEqual([(await w.getSession(id)).status, await compensation(w, id)], ["running", "running"]);
    const first = w.take();
    assert.deepEqual([JSON.parse(first.parameters), w.sent.length], [{ undo: "b", was: "B" }, 0]);
    await w.complete(first);
    assert.deepEqual(await statuses(w, id), ["completed", "compensated", "failed"]);
    await w.complete(w.take());
    assert.deepEqual([await compensation(w, id), (await w.getSession(id)).status], ["complete", "failed"]);
  });

  on("the order is that in which steps ended, not that in which they stand or began", async (w) => {
    await workers(w);
    const tasks = ["a", "b", "c"].map((name) => undoable(name, { dependsOn: [] }));
    await start(w, [...tasks, { ...LAST, dependsOn: ["a", "b", "c"] }]);
    const [a, b, c] = [w.take(), w.take(), w.take()];
    for (const sent of [b, c, a]) {
      w.clock.advance(1);
      await w.complete(sent);
    }
    await w.fail(w.take(), "rejected");
    assert.deepEqual(names(await workOff(w)), ["a", "c", "b"]);
  });

  on("of steps that ended in one instant the one further on is undone first, then the later one", async (w) => {
    await workers(w);
    const tasks = [
      undoable("d", { dependsOn: ["c"] }),
      undoable("a", { dependsOn: [] }),
      undoable("b", { dependsOn: [] }),
      undoable("c", { dependsOn: ["a"] }),
    ];
    await start(w, [...tasks, { ...LAST, dependsOn: ["b", "d"] }]);
    assert.deepEqual(names(await runToFailure(w)), ["d", "c", "b", "a"]);
  });

  on("each item that was done is undone by itself, the last one first", async (w) => {
    await workers(w);
    const each = step("each", {
      forEach: "input.list",
      parameters: { do: "${{ item }}" },
      onItemError: "collect",
      compensate: {
        agentCapability: "undo",
        parameters: { undo: "${{ item }}", i: "${{ index }}", all: "${{ steps.each.results }}" },
      },
      ...ONCE,
    });
    const id = await start(w, [each, LAST], {}, { list: ["x", "last", "z"] });
    const all = ["x", null, "z"];
    assert.deepEqual(await runToFailure(w), [
      { undo: "z", i: 2, all },
      { undo: "x", i: 0, all },
    ]);
    assert.deepEqual([await statuses(w, id), await compensation(w, id)], [["compensated", "failed"], "complete"]);
    const [list] = await w.store.sessions.steps(id);
    assert.deepEqual(list?.items, { total: 3, begun: 3, open: 0, failed: 1 });
  });

  on("the items of a list that failed, or broke off, are undone as far as they were done", async (w) => {
    await workers(w);
    const each = step("each", {
      forEach: ["a", "last", "c"],
      concurrency: 1,
      parameters: { do: "${{ item }}" },
      compensate: { agentCapability: "undo", parameters: { undo: "${{ item }}" } },
      ...ONCE,
    });
    const id = await start(w, [each]);
    assert.deepEqual([names(await runToFailure(w)), await statuses(w, id)], [["a"], ["compensated"]]);
    assert.deepEqual(await errorOf(w, id, 0), ["rejected", "item 1: It failed: rejected."]);
  });

  on("a loop is undone once, as a whole, with what it came to last", async (w) => {
    await workers(w);
    const loop = undoable("loop", { repeat: { until: "iteration == 2", maxIterations: 5 } });
    const id = await start(w, [loop, LAST]);
    let n = 0;
    const done = await workOff(w, ({ do: name }) => (name === "last" ? FAILS : ++n));
    assert.deepEqual(done.slice(4), [{ undo: "loop", was: 3 }]);
    assert.deepEqual(await statuses(w, id), ["compensated", "failed"]);
  });

  on("a loop that broke off half done is uncertain", async (w) => {
    await workers(w);
    let runs = 0;
    const id = await start(w, [undoable("loop", { repeat: { until: "false", maxIterations: 5 }, ...ONCE })]);
    const done = await workOff(w, () => (++runs === 2 ? FAILS : runs));
    assert.deepEqual([done.length, await statuses(w, id), await compensation(w, id)], [2, ["uncertain"], "incomplete"]);
  });

  on("a session that is a step is undone by its step's compensation", async (w) => {
    await workers(w);
    await apply(w, workflow([step("inner", { parameters: { do: "inner" } })], { id: "child" }));
    const parameters = { undo: "call", was: "${{ steps.call.result }}" };
    const call = { taskId: "call", workflow: { id: "child" }, compensate: { agentCapability: "undo", parameters } };
    const id = await start(w, [call, LAST]);
    assert.deepEqual(await runToFailure(w), [{ undo: "call", was: "inner" }]);
    assert.deepEqual(await statuses(w, id), ["compensated", "failed"]);
  });

  on("a session below that has undone itself is not undone again", async (w) => {
    await workers(w);
    await apply(w, workflow([undoable("inner"), LAST], { id: "child", ...COMPENSATE }));
    const compensate = { agentCapability: "undo", parameters: { undo: "call" } };
    const id = await start(w, [{ taskId: "call", workflow: { id: "child" }, compensate }]);
    assert.deepEqual([names(await runToFailure(w)), await statuses(w, id)], [["inner"], ["failed"]]);
    assert.equal(await compensation(w, id), "complete");
  });

  on("nothing to undo: the session fails at once, and nothing is left", async (w) => {
    await workers(w);
    const id = await start(w, [LAST]);
    await runToFailure(w);
    assert.deepEqual([await end(w, id), await compensation(w, id)], [["failed", "rejected"], "complete"]);
  });

  on("running siblings finish before anything is undone, and are undone too", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a", { dependsOn: [] }), { ...LAST, dependsOn: [] }]);
    const [a, last] = [w.take(), w.take()];
    await w.fail(last, "rejected");
    assert.deepEqual([w.sent.length, await compensation(w, id)], [0, null]);
    await w.complete(a, "A");
    assert.deepEqual(await workOff(w), [{ undo: "a", was: "A" }]);
    assert.deepEqual(await statuses(w, id), ["compensated", "failed"]);
  });

  on("a step may ask for it where the workflow does not, and the other way round", async (w) => {
    await workers(w);
    const own = await start(w, [undoable("a"), { ...LAST, onFailure: "compensate" }], { onFailure: "fail" });
    assert.deepEqual([names(await runToFailure(w)), await compensation(w, own)], [["a"], "complete"]);
    const not = await start(w, [undoable("a"), { ...LAST, onFailure: "fail" }], { id: "not" });
    assert.deepEqual([names(await runToFailure(w)), await compensation(w, not)], [[], null]);
  });

  on("a step that was skipped, or refused, leaves nothing to undo", async (w) => {
    await workers(w);
    const ask = { taskId: "ask", approval: { message: "Go?" } };
    const id = await start(w, [undoable("a", { when: "input.no == 1" }), undoable("b"), ask], {}, { no: 0 });
    await workOff(w);
    await decide(w, id, false);
    assert.deepEqual([names(await workOff(w)), await statuses(w, id)], [["b"], ["skipped", "compensated", "failed"]]);
  });

  on("what stood in for a step is undone by its own compensation", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a", { fallback: "b", ...ONCE }), undoable("b"), LAST]);
    const done = await workOff(w, ({ do: name }) => (name === "last" || name === "a" ? FAILS : (name ?? null)));
    assert.deepEqual(
      done.filter(({ undo }) => undo),
      [{ undo: "b", was: "b" }],
    );
    assert.deepEqual(await statuses(w, id), ["completed", "compensated", "failed"]);
  });

  on("a session whose answer cannot be told is undone", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a")], { output: "${{ steps.a.result.no.such }}" });
    assert.deepEqual([names(await runToFailure(w)), await end(w, id)], [["a"], ["failed", "expression_failed"]]);
  });

  on("two sessions that undo what they did do not notice each other", async (w) => {
    await workers(w);
    const tasks = [undoable("a"), undoable("b"), LAST];
    const ids = [await start(w, tasks), await start(w, tasks)];
    const [one, two] = [w.take(), w.take()];
    for (const sent of [one, two]) await w.complete(sent);
    for (const sent of w.sent.splice(0)) await w.complete(sent);
    for (const sent of w.sent.splice(0)) await w.fail(sent, "rejected");
    const undone = await workOff(w);
    assert.deepEqual(names(undone), ["b", "b", "a", "a"]);
    for (const id of ids) assert.deepEqual(await statuses(w, id), ["compensated", "compensated", "failed"]);
  });

  on("a process that dies while it undoes goes on where it was", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a"), undoable("b"), undoable("c"), LAST]);
    for (let n = 0; n < 3; n += 1) await w.complete(w.take(), n);
    await w.fail(w.take(), "rejected");
    const undone: unknown[] = [];
    while ((await compensation(w, id)) === "running") {
      await w.crash();
      await w.store.attempts.adopt(9);
      const sent = w.take();
      undone.push((JSON.parse(sent.parameters) as JsonObject).undo);
      await w.complete(sent);
      await w.complete(sent);
    }
    assert.deepEqual([undone, await compensation(w, id)], [["c", "b", "a"], "complete"]);
  });
};
