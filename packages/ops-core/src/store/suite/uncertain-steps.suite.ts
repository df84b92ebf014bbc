import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { step, workflow } from "./test-definitions.ts";
import { intend } from "./test-effects.ts";
import { ONCE, pass, statuses, undoable, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { LAST, runToFailure, start } from "./test-undoing.ts";
import { need, type World } from "./test-world.ts";

/** How often a session has said of a step that nobody knows of it. */
async function doubted(w: World, sessionId: string): Promise<unknown[]> {
  const events = await w.store.events.list(0, 1_000, sessionId);
  return events.filter(({ type }) => type === "step.uncertain").map(({ data }) => data.stepId);
}

/** What is said and kept of steps of which nobody knows what they did. */
export const uncertainStepsSuite: Suite = (on) => {
  on("a step that ends with an open effect says once that it is uncertain", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([step("a")]));
    const attempt = w.take();
    await intend(w, attempt, "pay");
    await w.fail(attempt, "rejected");
    assert.deepEqual([await statuses(w, id), await doubted(w, id)], [["uncertain"], ["a"]]);
  });

  on("a list that ends uncertain tells of its items and of why, as any list", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([step("each", { forEach: [1, 2, 3], concurrency: 1, ...ONCE })]));
    await w.complete(w.take(), 1);
    const attempt = w.take();
    await intend(w, attempt, "pay");
    await w.fail(attempt, "rejected");
    const [each] = await w.store.sessions.steps(id);
    assert.deepEqual(
      [each?.status, each?.items, each?.error?.uncertain],
      ["uncertain", { total: 3, begun: 2, open: 0, failed: 1 }, true],
    );
    assert.deepEqual(await doubted(w, id), ["each"]);
  });

  on("a list that had ended before it was doubted ended when it did", async (w) => {
    await workers(w);
    const rest = { forEach: ["x", "y"], parameters: {}, onItemError: "collect", timeout: "5s", ...ONCE };
    const id = await start(w, [undoable("each", rest, { parameters: {} }), LAST]);
    await w.complete(w.take(), "X");
    w.take();
    await w.wait(5 * SECOND);
    const ended = need((await w.store.sessions.steps(id))[0], "step");
    await w.wait(MINUTE);
    await runToFailure(w);
    const doubtful = need((await w.store.sessions.steps(id))[0], "step");
    assert.deepEqual([ended.status, doubtful.status, doubtful.endedAt], ["completed", "uncertain", ended.endedAt]);
    assert.deepEqual(doubtful.items, ended.items);
  });

  on("a cancelled session undoes nothing: what it leaves open is uncertain, undoable or not", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a")]);
    await intend(w, w.take(), "pay");
    await w.store.sessions.cancel(id, "no more");
    assert.deepEqual([await statuses(w, id), await doubted(w, id)], [["uncertain"], ["a"]]);
  });

  on("what a deadline cuts short with an open effect is uncertain, if it cannot be undone", async (w) => {
    await workers(w);
    const id = await start(w, [step("a")], { deadline: "1m" });
    await intend(w, w.take(), "pay");
    await pass(w, MINUTE);
    await w.wait(2 * MINUTE);
    assert.deepEqual([await statuses(w, id), await doubted(w, id)], [["uncertain"], ["a"]]);
  });

  on("what can be undone although nobody knows is undone, and was never called uncertain", async (w) => {
    await workers(w);
    const id = await start(w, [undoable("a", {}, { whenUnknown: "run" })], { deadline: "1m" });
    await intend(w, w.take(), "pay");
    await pass(w, MINUTE);
    await w.wait(2 * MINUTE);
    assert.deepEqual(await workOff(w), [{ undo: "a", was: null }]);
    assert.deepEqual([await statuses(w, id), await doubted(w, id)], [["compensated"], []]);
  });
};
