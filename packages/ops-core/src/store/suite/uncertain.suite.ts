import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { step, workflow } from "./test-definitions.ts";
import { apply, end, FAILS, ONCE, pass, statuses, undoable, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { compensation, LAST, names, runToFailure, start } from "./test-undoing.ts";
import { type World, withCode } from "./test-world.ts";

/** What cannot be undone, or of which nobody knows. */
export const uncertainSuite: Suite = (on) => {
  on("undoing is tried again by its own policy", async (w) => {
    await workers(w);
    const retry = { maxAttempts: 3, initialDelay: "10s", backoff: "fixed", jitter: "none" };
    const id = await start(w, [undoable("a", {}, { retry }), LAST]);
    await w.complete(w.take(), "A");
    await w.fail(w.take(), "rejected");
    for (let tries = 0; tries < 2; tries += 1) {
      await w.fail(w.take());
      assert.equal((await w.getSession(id)).blocked?.reason, "backoff");
      await w.wait(10 * SECOND);
    }
    await w.complete(w.take());
    assert.deepEqual([await statuses(w, id), await compensation(w, id)], [["compensated", "failed"], "complete"]);
  });

  on("what cannot be undone is reported, and the others go on", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a"), undoable("b", {}, ONCE), undoable("c"), LAST]);
    const done = await workOff(w, ({ do: name, undo }) => (name === "last" || undo === "b" ? FAILS : null));
    assert.deepEqual(names(done.slice(4)), ["c", "b", "a"]);
    assert.deepEqual(await statuses(w, id), ["compensated", "completed", "compensated", "failed"]);
    assert.deepEqual([await end(w, id), await compensation(w, id)], [["failed", "rejected"], "incomplete"]);
    const [said] = (await w.store.events.list(0, 100, id)).filter(({ type }) => type === "step.not_undone");
    assert.deepEqual(said?.data, {
      stepId: "b",
      part: 0,
      error: { code: "rejected", message: "It failed: rejected.", retryable: false },
    });
    const last = (await w.store.events.list(0, 100, id)).at(-1);
    assert.deepEqual([last?.type, last?.data.compensation], ["session.failed", "incomplete"]);
  });

  on("a compensation whose parameters cannot be made counts as one that failed", async (w) => {
    await workers(w);
    const bad = undoable("b", {}, { parameters: { x: "${{ steps.b.result.no.such }}" } });
    const id = await start(w, [undoable("a"), bad, LAST]);
    assert.deepEqual(
      [names(await runToFailure(w)), await statuses(w, id)],
      [["a"], ["compensated", "completed", "failed"]],
    );
    assert.equal(await compensation(w, id), "incomplete");
    const [said] = (await w.store.events.list(0, 100, id)).filter(({ type }) => type === "step.not_undone");
    assert.match(JSON.stringify(said?.data.error), /"compensate\.parameters\.x: /);
  });

  on("of a list all must be undone before the step is", async (w) => {
    await workers(w);
    const each = undoable(
      "each",
      { forEach: ["x", "y"], parameters: {} },
      { parameters: { undo: "${{ item }}" }, ...ONCE },
    );
    const id = await start(w, [each, LAST]);
    await workOff(w, ({ do: name, undo }) => (name === "last" || undo === "y" ? FAILS : null));
    assert.deepEqual([await statuses(w, id), await compensation(w, id)], [["completed", "failed"], "incomplete"]);
  });

  for (const [how, lose] of [
    ["timed out", (w: World) => w.wait(5 * SECOND)],
    [
      "was lost",
      (w: World) => w.store.agents.register(w.registration("worker", { capabilities: ["work"], replace: "allowed" })),
    ],
  ] as const) {
    on(`hole 16: a step whose attempt ${how} may have been done: it ends uncertain, and is not undone`, async (w) => {
      await workers(w);
      const id = await start(w, [undoable("a"), undoable("b", { timeout: "5s", ...ONCE })]);
      await w.complete(w.take(), "A");
      w.take();
      await lose(w);
      assert.deepEqual(names(await workOff(w)), ["a"]);
      assert.deepEqual(
        [await statuses(w, id), await compensation(w, id)],
        [["compensated", "uncertain"], "incomplete"],
      );
      assert.ok((await w.types(id)).includes("step.uncertain"));
      const [, b] = await w.store.sessions.steps(id);
      assert.notEqual(b?.error, null);
    });

    on(`hole 16: unless its author says that undoing does no harm: ${how}`, async (w) => {
      await workers(w);
      const careful = undoable("b", { timeout: "5s", ...ONCE }, { whenUnknown: "run" });
      const id = await start(w, [undoable("a"), careful]);
      await w.complete(w.take(), "A");
      w.take();
      await lose(w);
      assert.deepEqual(await workOff(w), [
        { undo: "b", was: null },
        { undo: "a", was: "A" },
      ]);
      assert.deepEqual(
        [await statuses(w, id), await compensation(w, id)],
        [["compensated", "compensated"], "complete"],
      );
    });
  }

  on("a step whose agent said that it failed was not done", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a", ONCE)]);
    await w.fail(w.take());
    assert.deepEqual([await statuses(w, id), await compensation(w, id), w.sent], [["failed"], "complete", []]);
  });

  on("of a list with an item nobody knows of the others are undone, and the step is uncertain", async (w) => {
    await workers(w);
    const each = undoable(
      "each",
      { forEach: ["x", "y"], parameters: {}, onItemError: "collect", timeout: "5s", ...ONCE },
      { parameters: { undo: "${{ item }}", all: "${{ steps.each.results }}", same: "${{ steps.each.result }}" } },
    );
    const id = await start(w, [each, LAST]);
    await w.complete(w.take(), "X");
    w.take();
    await w.wait(5 * SECOND);
    assert.deepEqual(await runToFailure(w), [{ undo: "x", all: ["X", null], same: ["X", null] }]);
    assert.deepEqual([await statuses(w, id), await compensation(w, id)], [["uncertain", "failed"], "incomplete"]);
  });

  on("hole 16: what is being undone is not interrupted by a cancel", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a"), LAST]);
    await w.complete(w.take(), "A");
    await w.fail(w.take(), "rejected");
    const cancel = () => w.store.sessions.cancel(id, "enough");
    await assert.rejects(cancel(), withCode("session_compensating"));
    await workOff(w);
    assert.deepEqual([await statuses(w, id), await compensation(w, id)], [["compensated", "failed"], "complete"]);
    await assert.rejects(cancel(), withCode("session_terminal"));
  });

  on("a cancel before anything is undone ends the session, and nothing is", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a"), step("hold")]);
    await w.complete(w.take(), "A");
    await w.store.sessions.cancel(id, "enough");
    await workOff(w).catch(() => undefined);
    assert.deepEqual([await statuses(w, id), await compensation(w, id)], [["completed", "cancelled"], null]);
  });

  on("a session's deadline cuts its steps short and undoes them; undoing has no deadline", async (w) => {
    await workers(w);
    const tasks = [
      undoable("a"),
      { taskId: "pause", wait: { for: "9h" }, dependsOn: ["a"] },
      undoable("b", { dependsOn: ["a"] }),
    ];
    const id = await start(w, [{ ...tasks[0], dependsOn: [] }, ...tasks.slice(1)], { deadline: "1m" });
    await w.complete(w.take(), "A");
    w.take();
    await pass(w, MINUTE);
    assert.deepEqual(await statuses(w, id), ["completed", "cancelled", "cancelled"]);
    // Whoever had it takes no cancel messages, and may be at it until its slot is given up.
    await w.wait(2 * MINUTE);
    assert.deepEqual(await statuses(w, id), ["completed", "cancelled", "uncertain"]);
    await pass(w, MINUTE);
    assert.equal((await w.getSession(id)).status, "running");
    assert.deepEqual(names(await workOff(w)), ["a"]);
    assert.deepEqual([await end(w, id), await compensation(w, id)], [["failed", "deadline_exceeded"], "incomplete"]);
  });

  on("a step's wish that all be undone outlives the deadline that cuts its siblings short", async (w) => {
    await workers(w);
    const wishing = step("wishing", { onFailure: "compensate", ...ONCE, dependsOn: ["a"] });
    const slow = { taskId: "slow", wait: { for: "9h" }, dependsOn: ["a"] };
    const busy = step("busy", { dependsOn: ["a"] });
    const document = [{ ...undoable("a"), dependsOn: [] }, wishing, slow, busy];
    const id = await start(w, document, { onFailure: "fail", deadline: "1m" });
    await w.complete(w.take(), "A");
    await w.fail(w.take(), "rejected");
    w.take();
    await pass(w, MINUTE);
    await w.wait(2 * MINUTE);
    assert.deepEqual(names(await workOff(w)), ["a"]);
    assert.deepEqual(await end(w, id), ["failed", "deadline_exceeded"]);
    assert.equal((await statuses(w, id))[0], "compensated");
  });

  on("a deadline stops the sessions below before it lists what is to be undone", async (w) => {
    await workers(w);
    await apply(w, workflow([step("inner")], { id: "child" }));
    const compensate = { agentCapability: "undo", parameters: { undo: "call" } };
    const careful = { ...compensate, whenUnknown: "run", parameters: { undo: "careful" } };
    const calls = [
      { taskId: "call", compensate },
      { taskId: "careful", compensate: careful },
    ];
    const tasks = calls.map((each) => ({ ...each, workflow: { id: "child" }, dependsOn: [] }));
    const id = await start(w, tasks, { deadline: "1m" });
    w.sent.length = 0;
    await pass(w, MINUTE);
    assert.equal(w.sent.length, 0);
    await w.wait(2 * MINUTE);
    assert.deepEqual(names(await workOff(w)), ["careful"]);
    assert.deepEqual([await statuses(w, id), await compensation(w, id)], [["uncertain", "compensated"], "incomplete"]);
  });

  on("undoing that nobody is there to do waits, says why, and ends with its deadline", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const id = await start(w, [undoable("a", {}, { deadline: "1h" }), LAST]);
    await runToFailure(w);
    assert.equal((await w.getSession(id)).blocked?.reason, "no_capable_agent");
    await pass(w, 60 * MINUTE);
    assert.deepEqual([await statuses(w, id), await compensation(w, id)], [["completed", "failed"], "incomplete"]);
  });

  on("what was undone late is not undone twice: a stale word about it changes nothing", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a", {}, { timeout: "5s", ...ONCE }), undoable("b"), LAST]);
    for (const name of ["A", "B"]) await w.complete(w.take(), name);
    await w.fail(w.take(), "rejected");
    await w.complete(w.take());
    const slow = w.take();
    await w.wait(5 * SECOND);
    assert.deepEqual([await compensation(w, id), (await w.complete(slow)).type], ["incomplete", "stale"]);
    assert.deepEqual(await statuses(w, id), ["completed", "compensated", "failed"]);
  });
};
