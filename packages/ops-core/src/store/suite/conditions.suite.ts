import assert from "node:assert/strict";
import { step, workflow } from "./test-definitions.ts";
import { apply, end, errorOf, ONCE, restart, statuses, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";

/** Steps that run only when something holds. */
export const conditionsSuite: Suite = (on) => {
  on("a step whose condition does not hold is skipped, and those behind it go on and read null", async (w) => {
    await workers(w);
    const after = step("after", { parameters: { saw: "${{ steps.maybe.result }}", how: "${{ steps.maybe.status }}" } });
    const { id } = await w.start(workflow([step("maybe", { when: "input.go" }), after]), { data: { go: false } });
    assert.deepEqual(await workOff(w), [{ saw: null, how: "skipped" }]);
    assert.deepEqual(await statuses(w, id), ["skipped", "completed"]);
    assert.deepEqual(await end(w, id), ["completed", null]);
    assert.ok((await w.types(id)).includes("step.skipped"));
  });

  on("a condition is written bare or as one expression, and may read what was done before", async (w) => {
    await workers(w);
    const big = step("big", { when: "steps.a.result.n > 2", parameters: { is: "big" } });
    const small = step("small", { when: "${{ steps.a.result.n <= 2 }}", parameters: { is: "small" } });
    await w.start(workflow([step("a", { parameters: { is: "a" } }), big, small]));
    assert.deepEqual(await workOff(w, () => ({ n: 3 })), [{ is: "a" }, { is: "big" }]);
  });

  on("nothing of a skipped step begins, whatever its kind", async (w) => {
    await workers(w);
    await apply(w, workflow([step("inner")], { id: "child" }));
    const no = { when: "input.go" };
    const definition = workflow([
      { taskId: "tool", tool: "mail", ...no },
      { taskId: "child", workflow: { id: "child" }, ...no },
      { taskId: "ask", approval: { message: "Go?" }, ...no },
      { taskId: "wait", wait: { for: "1h" }, ...no },
      { taskId: "signal", wait: { signal: "go" }, ...no },
      step("each", { forEach: "input.nothing.there", ...no }),
      step("again", { repeat: { until: "true", maxIterations: 2 }, ...no }),
    ]);
    const { id } = await w.start(definition, { data: { go: false } });
    assert.deepEqual(await statuses(w, id), Array(7).fill("skipped"));
    assert.equal((await end(w, id))[0], "completed");
    const types = new Set(await w.types(id));
    assert.deepEqual([...types].sort(), ["session.completed", "session.started", "step.skipped", "step.started"]);
    assert.deepEqual((await w.store.sessions.list({ limit: 5 }, { parent: id })).items, []);
  });

  for (const [when, message] of [
    ["input.count", "when: must yield true or false, not 5"],
    ["input.missing.deeper", /^when: /],
  ] as const) {
    on(`a condition that yields no yes or no fails its step without a try: ${when}`, async (w) => {
      await workers(w);
      const { id } = await w.start(workflow([step("a"), step("b", { when }), step("c")]), { data: { count: 5 } });
      await workOff(w);
      assert.deepEqual(await end(w, id), ["failed", "expression_failed"]);
      const [code, text] = await errorOf(w, id, 1);
      assert.equal(code, "expression_failed");
      if (typeof message === "string") assert.equal(text, message);
      else assert.match(text, message);
      const [, failed] = await w.store.sessions.steps(id);
      assert.deepEqual([failed?.taskId, failed?.attempts], [null, 0]);
    });
  }

  on("a step that could not tell whether to run is ignored where its failures are", async (w) => {
    await workers(w);
    const a = step("a", { when: "input.count", onFailure: "continue" });
    const { id } = await w.start(workflow([a, step("b")]), { data: { count: 5 } });
    await workOff(w);
    assert.deepEqual([(await end(w, id))[0], (await w.getSession(id)).failedSteps], ["completed", ["a"]]);
  });

  on("hole 5: a condition is looked at once: what becomes of it later changes nothing", async (w) => {
    await workers(w);
    const retry = { initialDelay: "0s", maxDelay: "0s" };
    const { id } = await w.start(workflow([step("a", { when: "session.labels.go == 'yes'", retry })]), {
      labels: { go: "yes" },
    });
    await w.fail(w.take());
    await w.store.sessions.label(id, { go: "no" });
    await restart(w);
    await workOff(w);
    assert.deepEqual(await statuses(w, id), ["completed"]);
  });

  on("a condition comes before the list: what is skipped lists nothing", async (w) => {
    await workers(w);
    const each = (go: boolean) => step("each", { when: go ? "input.go" : "!input.go", forEach: "input.list" });
    const skipped = await w.start(workflow([each(false)]), { data: { go: true, list: 7 } });
    assert.deepEqual(await statuses(w, skipped.id), ["skipped"]);
    const run = await w.start(workflow([each(true)], { version: "2" }), { data: { go: true, list: 7 } });
    assert.deepEqual(await end(w, run.id), ["failed", "expression_failed"]);
    assert.deepEqual(await errorOf(w, run.id, 0), ["expression_failed", "forEach: must yield a list, not 7"]);
  });

  on("a step that fails while its condition is looked at stops those that begin beside it", async (w) => {
    await workers(w);
    const bad = step("bad", { when: "input.missing.deeper", dependsOn: [] });
    const others = ["b", "c"].map((id) => step(id, { when: "true", dependsOn: [], ...ONCE }));
    const { id } = await w.start(workflow([bad, ...others, step("d", { dependsOn: ["b"] })]), { data: {} });
    assert.deepEqual(await end(w, id), ["failed", "expression_failed"]);
    assert.deepEqual([await statuses(w, id), w.sent.length], [["failed", "cancelled", "cancelled"], 0]);
  });
};
