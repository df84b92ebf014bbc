import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { step, workflow } from "./test-definitions.ts";
import { apply, end, errorOf, FAILS, ONCE, statuses, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import type { World } from "./test-world.ts";

const SEEN: JsonObject = { before: "${{ steps.loop.result }}", run: "${{ iteration }}" };
const UNTIL_TWO: JsonObject = { until: "steps.loop.result >= 2", maxIterations: 5 };

async function startLoop(w: World, repeat: JsonObject, rest: JsonObject = {}, session: JsonObject = {}) {
  const loop = step("loop", { parameters: SEEN, repeat, ...rest });
  return (await w.start(workflow([loop], session), { data: {} })).id;
}

/** Steps that run again until it is enough. */
export const loopsSuite: Suite = (on) => {
  on(
    "a step repeats until its result is enough; each run knows its number and what the one before came to",
    async (w) => {
      await workers(w);
      const id = await startLoop(w, UNTIL_TWO);
      const seen = await workOff(w, ({ run }) => run ?? null);
      assert.deepEqual(seen, [
        { before: null, run: 0 },
        { before: 0, run: 1 },
        { before: 1, run: 2 },
      ]);
      assert.deepEqual(await end(w, id), ["completed", 2]);
      const [loop] = await w.store.sessions.steps(id);
      assert.deepEqual([loop?.iteration, loop?.items, loop?.attempts], [2, null, 1]);
    },
  );

  on("a loop knows which run it judges", async (w) => {
    await workers(w);
    const id = await startLoop(w, { until: "iteration == 1", maxIterations: 5 });
    assert.equal((await workOff(w)).length, 2);
    assert.equal((await end(w, id))[0], "completed");
  });

  on("runs are one after the other, with the delay between them, and none is early", async (w) => {
    await workers(w);
    const id = await startLoop(w, { ...UNTIL_TWO, delay: "10s" });
    await w.complete(w.take(), 0);
    await w.wait(10 * SECOND - 1);
    assert.equal(w.sent.length, 0);
    assert.equal((await w.getSession(id)).blocked?.reason, "delayed");
    await w.wait(1);
    await w.complete(w.take(), 1);
    await w.wait(10 * SECOND);
    await w.complete(w.take(), 2);
    assert.deepEqual(await end(w, id), ["completed", 2]);
  });

  on("a loop that is never enough fails, and says after how many runs", async (w) => {
    await workers(w);
    const id = await startLoop(w, { until: "false", maxIterations: 2 });
    assert.equal((await workOff(w)).length, 2);
    assert.deepEqual(await errorOf(w, id, 0), ["iterations_exhausted", "`repeat.until` was not true after 2 runs."]);
    assert.deepEqual(await end(w, id), ["failed", "iterations_exhausted"]);
  });

  on("or it completes with what the last run came to, if it says so", async (w) => {
    await workers(w);
    const id = await startLoop(w, { until: "false", maxIterations: 3, onExhausted: "complete" });
    await workOff(w, ({ run }) => `run ${String(run)}`);
    assert.deepEqual(await end(w, id), ["completed", "run 2"]);
  });

  on("each run has all its attempts anew; a run that fails for good fails the step", async (w) => {
    await workers(w);
    const retry = { maxAttempts: 2, initialDelay: "0s", maxDelay: "0s" };
    const id = await startLoop(w, UNTIL_TWO, { retry });
    await w.fail(w.take());
    await w.dispatch();
    await w.complete(w.take(), 0);
    await w.fail(w.take());
    await w.dispatch();
    await w.complete(w.take(), 1);
    await w.fail(w.take());
    await w.dispatch();
    await w.fail(w.take());
    assert.deepEqual(await end(w, id), ["failed", "agent_error"]);
    const { items } = await w.store.tasks.list({ limit: 9 }, { session: id });
    assert.deepEqual(items.map(({ used }) => used).toSorted(), [2, 2, 2]);
  });

  for (const [until, message] of [
    ["steps.loop.result", "repeat.until: must yield true or false, not 7"],
    ["steps.loop.result.deeper.yet", /^repeat\.until: /],
  ] as const) {
    on(`a loop that cannot tell whether it is enough fails: ${until}`, async (w) => {
      await workers(w);
      const id = await startLoop(w, { until, maxIterations: 5 });
      assert.equal((await workOff(w, () => 7)).length, 1);
      const [code, text] = await errorOf(w, id, 0);
      assert.equal(code, "expression_failed");
      if (typeof message === "string") assert.equal(text, message);
      else assert.match(text, message);
    });
  }

  on("a run whose parameters cannot be made fails the step", async (w) => {
    await workers(w);
    const id = await startLoop(w, UNTIL_TWO, { parameters: { x: "${{ iteration == 0 ? 1 : input.no.such }}" } });
    assert.equal((await workOff(w, () => 0)).length, 1);
    const [code, text] = await errorOf(w, id, 0);
    assert.equal(code, "expression_failed");
    assert.match(text, /^parameters\.x: /);
  });

  on("hole 5: a run happens once, though its process dies before and after it", async (w) => {
    await workers(w);
    const id = await startLoop(w, UNTIL_TWO);
    for (const run of [0, 1, 2]) {
      await w.crash();
      await w.store.attempts.adopt(9);
      const sent = w.take();
      assert.equal((JSON.parse(sent.parameters) as { run: number }).run, run);
      await w.complete(sent, run);
      assert.equal((await w.complete(sent, run)).type, "repeated");
    }
    assert.deepEqual(await end(w, id), ["completed", 2]);
    assert.equal((await w.store.tasks.list({ limit: 9 }, { session: id })).items.length, 3);
  });

  on("when the session fails elsewhere a loop does not run again, and ends cancelled", async (w) => {
    await workers(w);
    const loop = step("loop", { repeat: UNTIL_TWO, dependsOn: [] });
    const { id } = await w.start(workflow([step("bad", { dependsOn: [], ...ONCE }), loop]));
    const [bad, run] = [w.take(), w.take()];
    await w.fail(bad);
    await w.complete(run, 0);
    assert.deepEqual([await statuses(w, id), w.sent.length], [["failed", "cancelled"], 0]);
    assert.equal((await end(w, id))[0], "failed");
  });

  on("a loop whose run was enough after all is complete, though the session has failed", async (w) => {
    await workers(w);
    const loop = step("loop", { repeat: UNTIL_TWO, dependsOn: [] });
    const { id } = await w.start(workflow([step("bad", { dependsOn: [], ...ONCE }), loop]));
    const [bad, run] = [w.take(), w.take()];
    await w.fail(bad);
    await w.complete(run, 2);
    assert.deepEqual(await statuses(w, id), ["failed", "completed"]);
  });

  on("a cancel ends a loop between two runs", async (w) => {
    await workers(w);
    const id = await startLoop(w, { ...UNTIL_TWO, delay: "1h" });
    await w.complete(w.take(), 0);
    await w.store.sessions.cancel(id, "enough");
    await w.wait(2 * MINUTE);
    assert.deepEqual([await statuses(w, id), w.sent.length], [["cancelled"], 0]);
  });

  on("a session may be run again and again as one step", async (w) => {
    await workers(w);
    await apply(w, workflow([step("inner", { parameters: { run: "${{ input.run }}" } })], { id: "child", input: {} }));
    const call = { id: "child", input: { run: "${{ iteration }}" } };
    const { id } = await w.start(workflow([{ taskId: "loop", workflow: call, repeat: { ...UNTIL_TWO, delay: "1m" } }]));
    for (const run of [0, 1, 2]) {
      const [sent, ...others] = w.sent.splice(0);
      assert.deepEqual([sent?.parameters, others], [`{"run":${run}}`, []]);
      assert.ok(sent);
      await w.complete(sent, run);
      await w.wait(MINUTE);
    }
    assert.deepEqual(await end(w, id), ["completed", 2]);
    const [loop] = await w.store.sessions.steps(id);
    const { items } = await w.store.sessions.list({ limit: 9 }, { parent: id });
    assert.deepEqual([items.length, loop?.childId], [3, items[0]?.id]);
  });

  on("a loop that fails is stood in for like any other step", async (w) => {
    await workers(w);
    const loop = step("loop", { parameters: SEEN, repeat: UNTIL_TWO, fallback: { taskId: "other" } });
    const other = step("other", { parameters: { had: "${{ steps.loop.error.code }}" } });
    const { id } = await w.start(workflow([loop, other], { output: "${{ steps.loop.result }}" }));
    await workOff(w, ({ run, had }) => (run === 1 ? FAILS : (had ?? 0)));
    assert.deepEqual(await end(w, id), ["completed", "rejected"]);
  });
};
