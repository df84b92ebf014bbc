import assert from "node:assert/strict";
import { HOUR } from "../../domain/clock.ts";
import { step, workflow } from "./test-definitions.ts";
import { apply, decide, end, errorOf, FAILS, ONCE, pass, statuses, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";

/** A step that another one stands in for. */
const first = (fallback: string, rest = {}) =>
  step("a", { parameters: { n: "a" }, fallback: { taskId: fallback }, ...ONCE, ...rest });
const named = (id: string, rest = {}) => step(id, { parameters: { n: id }, ...ONCE, ...rest });

/** Steps that run only when another one fails: those that stand in for it. */
export const reservesSuite: Suite = (on) => {
  on("a step that fails for good is completed by the one that stands in for it, with its result", async (w) => {
    await workers(w);
    const b = step("b", { parameters: { n: "b", e: "${{ steps.a.error.code }}", how: "${{ steps.a.status }}" } });
    const c = step("c", { parameters: { n: "c", a: "${{ steps.a.result }}", how: "${{ steps.a.status }}" } });
    const { id } = await w.start(workflow([first("b"), b, c], { output: "${{ steps.a.result }}" }));
    const done = await workOff(w, ({ n }) => (n === "a" ? FAILS : `from ${String(n)}`));
    assert.deepEqual(done.slice(1), [
      { n: "b", e: "rejected", how: "running" },
      { n: "c", a: "from b", how: "completed" },
    ]);
    assert.deepEqual(await statuses(w, id), ["completed", "completed", "completed"]);
    assert.deepEqual([await end(w, id), (await w.getSession(id)).failedSteps], [["completed", "from b"], []]);
  });

  on("it has all its own attempts first", async (w) => {
    await workers(w);
    const retry = { maxAttempts: 3, initialDelay: "0s", maxDelay: "0s" };
    await w.start(workflow([first("b", { retry }), named("b")]));
    for (let tries = 0; tries < 3; tries += 1) {
      const sent = w.take();
      assert.equal(sent.parameters, '{"n":"a"}');
      await w.fail(sent);
      await w.dispatch();
    }
    assert.equal(w.take().parameters, '{"n":"b"}');
  });

  on("a step that succeeds leaves its stand-in alone, and theirs", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([first("b"), named("b", { fallback: { taskId: "c" } }), named("c")]));
    assert.equal((await workOff(w, () => "a")).length, 1);
    assert.deepEqual(
      [await statuses(w, id), await end(w, id)],
      [
        ["completed", "skipped", "skipped"],
        ["completed", "a"],
      ],
    );
  });

  on("a step fails with the error of its stand-in", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([first("b"), named("b"), named("c")]));
    await w.fail(w.take(), "rejected");
    await w.fail(w.take(), "unavailable");
    assert.deepEqual(
      [await statuses(w, id), await end(w, id)],
      [
        ["failed", "failed"],
        ["failed", "unavailable"],
      ],
    );
    assert.equal((await errorOf(w, id, 0))[0], "unavailable");
    assert.deepEqual((await w.getSession(id)).failedSteps, ["a"]);
  });

  on("stand-ins have stand-ins: the last one speaks for all", async (w) => {
    await workers(w);
    const chain = [first("b"), named("b", { fallback: { taskId: "c" } }), named("c"), named("after")];
    const good = await w.start(workflow(chain, { output: "${{ steps.a.result }}" }));
    await workOff(w, ({ n }) => (n === "a" || n === "b" ? FAILS : `from ${String(n)}`));
    assert.deepEqual(await end(w, good.id), ["completed", "from c"]);
    assert.deepEqual(await statuses(w, good.id), Array(4).fill("completed"));
    const bad = await w.start(workflow(chain, { id: "bad" }));
    await workOff(w, () => FAILS);
    assert.deepEqual(
      [await statuses(w, bad.id), (await w.getSession(bad.id)).failedSteps],
      [Array(3).fill("failed"), ["a"]],
    );
  });

  on("a failure that is ignored lets those behind go on, once the stand-in has failed too", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([first("b", { onFailure: "continue" }), named("b"), named("c")]));
    const done = await workOff(w, ({ n }) => (n === "c" ? "c" : FAILS));
    assert.deepEqual(
      done.map(({ n }) => n),
      ["a", "b", "c"],
    );
    assert.deepEqual([await end(w, id), (await w.getSession(id)).failedSteps], [["completed", "c"], ["a"]]);
  });

  on("a stand-in that is skipped leaves the step failed, through a whole chain", async (w) => {
    await workers(w);
    const chain = [first("b"), named("b", { fallback: { taskId: "c" } }), named("c", { when: "input.go" })];
    const { id } = await w.start(workflow(chain), { data: { go: false } });
    await workOff(w, () => FAILS);
    assert.deepEqual(await statuses(w, id), ["failed", "failed", "skipped"]);
    const message = "The step failed, and `c`, which stands in for it, was skipped.";
    assert.deepEqual(
      [await end(w, id), await errorOf(w, id, 0)],
      [
        ["failed", "fallback_skipped"],
        ["fallback_skipped", message],
      ],
    );
  });

  on("a list of which an item fails is stood in for as a whole, and its stand-in sees what was done", async (w) => {
    await workers(w);
    const each = first("b", { forEach: [0, 1, 2], concurrency: 1, parameters: { n: "${{ item }}" } });
    const seen = { n: "b", results: "${{ steps.a.results }}", errors: "${{ steps.a.errors[1].code }}" };
    const { id } = await w.start(
      workflow([each, named("b", { parameters: seen })], { output: "${{ steps.a.result }}" }),
    );
    const done = await workOff(w, ({ n }) => (n === 1 ? FAILS : `did ${String(n)}`));
    assert.deepEqual(done.slice(2), [{ n: "b", results: ["did 0", null, null], errors: "rejected" }]);
    assert.deepEqual(
      [await end(w, id), await statuses(w, id)],
      [
        ["completed", "did b"],
        ["completed", "completed"],
      ],
    );
    const [list] = await w.store.sessions.steps(id);
    assert.deepEqual(list?.items, { total: 3, begun: 2, open: 0, failed: 1 });
  });

  on("a list whose stand-in fails has that one's error, not its item's", async (w) => {
    await workers(w);
    const each = first("b", { forEach: [0], parameters: { n: "${{ item }}" } });
    const { id } = await w.start(workflow([each, named("b")]));
    await w.fail(w.take(), "rejected");
    await w.fail(w.take(), "unavailable");
    assert.deepEqual(await errorOf(w, id, 0), ["unavailable", "It failed: unavailable."]);
  });

  on("a step that could not begin is stood in for", async (w) => {
    await workers(w);
    const a = first("b", { parameters: { n: "${{ input.no.such }}" } });
    const { id } = await w.start(workflow([a, named("b")], { output: "${{ steps.a.result }}" }), { data: {} });
    await workOff(w, () => "b");
    assert.deepEqual(
      [await end(w, id), await statuses(w, id)],
      [
        ["completed", "b"],
        ["completed", "completed"],
      ],
    );
  });

  on("sessions, lists, loops, waits and decisions may stand in", async (w) => {
    await workers(w);
    await apply(w, workflow([step("inner", { parameters: { n: "inner" } })], { id: "child" }));
    const ways = {
      session: { taskId: "b", workflow: { id: "child" } },
      list: named("b", { forEach: [1, 2] }),
      loop: named("b", { repeat: { until: "iteration == 1", maxIterations: 3 } }),
      pause: { taskId: "b", wait: { for: "1h" } },
      decision: { taskId: "b", approval: { message: "Good enough?" } },
    };
    const results: unknown[] = [];
    for (const [name, b] of Object.entries(ways)) {
      const { id } = await w.start(
        workflow([first("b"), b, named("c")], { id: name, output: "${{ steps.a.result }}" }),
      );
      await workOff(w, ({ n }) => (n === "a" ? FAILS : String(n)));
      if (name === "decision") await decide(w, id, true);
      await pass(w, HOUR);
      await workOff(w, ({ n }) => String(n));
      const [status, result] = await end(w, id);
      assert.equal(status, "completed", name);
      results.push(name === "decision" ? (result as { by: string }).by : result);
    }
    assert.deepEqual(results, ["inner", ["b", "b"], "b", null, "ann"]);
  });

  on("a decision that stands in and is rejected fails the step, or leads it to a branch", async (w) => {
    await workers(w);
    const ask = (rest = {}) => ({ taskId: "b", approval: { message: "Good enough?", ...rest } });
    const plain = await w.start(workflow([first("b"), ask(), named("c")]));
    await workOff(w, () => FAILS);
    await decide(w, plain.id, false);
    assert.deepEqual(
      [await end(w, plain.id), await statuses(w, plain.id)],
      [
        ["failed", "rejected"],
        ["failed", "failed"],
      ],
    );
    const branched = await w.start(
      workflow([first("b"), ask({ onReject: "d" }), named("c"), named("d")], { id: "branched" }),
    );
    await workOff(w, () => FAILS);
    await decide(w, branched.id, false);
    await workOff(w, () => "d");
    assert.deepEqual(await statuses(w, branched.id), ["failed", "failed", "skipped", "completed"]);
    assert.deepEqual(
      [(await end(w, branched.id))[0], (await w.getSession(branched.id)).failedSteps],
      ["completed", []],
    );
  });

  on("while a session fails nothing stands in: what fails then has failed", async (w) => {
    await workers(w);
    const { id } = await w.start(
      workflow([first("b", { dependsOn: [] }), named("b"), named("bad", { dependsOn: [] })]),
    );
    const [a, bad] = [w.take(), w.take()];
    await w.fail(bad);
    await w.fail(a);
    assert.deepEqual([w.sent.length, (await w.getSession(id)).failedSteps], [0, ["bad", "a"]]);
    assert.equal((await end(w, id))[0], "failed");
  });

  on("a stand-in at work when the session fails ends, and its step with it", async (w) => {
    await workers(w);
    const loop = { repeat: { until: "false", maxIterations: 9 } };
    const { id } = await w.start(
      workflow([first("b", { dependsOn: [] }), named("b", loop), named("bad", { dependsOn: [] })]),
    );
    const [a, bad] = [w.take(), w.take()];
    await w.fail(a);
    await w.fail(bad);
    await w.complete(w.take(), 1);
    assert.deepEqual(await statuses(w, id), ["cancelled", "cancelled", "failed"]);
    assert.equal((await end(w, id))[0], "failed");
  });

  on("a decision that stands in is not waited for when the session fails", async (w) => {
    await workers(w);
    const ask = { taskId: "b", approval: { message: "Good enough?" } };
    const { id } = await w.start(workflow([first("b", { dependsOn: [] }), ask, named("bad", { dependsOn: [] })]));
    const [a, bad] = [w.take(), w.take()];
    await w.fail(a);
    assert.deepEqual(await statuses(w, id), ["running", "waiting", "running"]);
    await w.fail(bad);
    assert.deepEqual(
      [await statuses(w, id), await end(w, id)],
      [
        ["cancelled", "cancelled", "failed"],
        ["failed", "agent_error"],
      ],
    );
  });

  on("a cancel ends a step and the one that stands in for it", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([first("b"), named("b")]));
    await w.fail(w.take());
    await w.store.sessions.cancel(id, "enough");
    assert.deepEqual(await statuses(w, id), ["cancelled", "cancelled"]);
  });

  on("a process that dies between a step and its stand-in loses nothing and does nothing twice", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([first("b"), named("b"), named("c")]));
    const sent = w.take();
    await w.crash();
    await w.store.attempts.adopt(9);
    await w.fail(sent, "rejected");
    await w.fail(sent, "rejected").catch(() => undefined);
    await w.crash();
    await w.store.attempts.adopt(9);
    const done = await workOff(w);
    assert.deepEqual(done.map(({ n }) => n).slice(-2), ["b", "c"]);
    assert.equal((await w.store.tasks.list({ limit: 9 }, { session: id })).items.length, 3);
    assert.equal((await end(w, id))[0], "completed");
  });
};
