import assert from "node:assert/strict";
import { SECOND } from "../../domain/clock.ts";
import { EFFECTS_PER_TASK_MAX } from "../../domain/effects/effect.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { listOf, step, workflow } from "./test-definitions.ts";
import { effectOf, intend, receipt, workersAndBystander } from "./test-effects.ts";
import { workers } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { succeeded, type World, withCode } from "./test-world.ts";

/** The attempt after one that timed out. */
async function afterTimeout(w: World): Promise<ClaimedAttempt> {
  await w.wait(120 * SECOND);
  await w.wait(60 * SECOND);
  await w.dispatch();
  return w.take();
}

/** What agents do outside, announced before and told of afterwards. */
export const effectsSuite: Suite = (on) => {
  on("an effect has the same key for every attempt of its task, and another one for another task", async (w) => {
    await workersAndBystander(w);
    await w.start(listOf("a"));
    const first = w.take();
    const before = await intend(w, first, "pay");
    assert.equal(before.type, "intended");
    const second = await afterTimeout(w);
    assert.equal(second.attempt, 2);
    const again = await intend(w, second, "pay");
    assert.equal(again.effect.key, before.effect.key);
    assert.deepEqual(
      [again.type, again.type === "intended" && again.again, again.effect.attempt],
      ["intended", true, 2],
    );
    assert.notEqual((await intend(w, second, "mail")).effect.key, before.effect.key);
    await w.start(listOf("a"));
    assert.notEqual((await intend(w, w.take(), "pay")).effect.key, before.effect.key);
  });

  on("announcing the same effect twice in one attempt changes nothing", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(listOf("a"));
    const attempt = w.take();
    await intend(w, attempt, "pay");
    const again = await intend(w, attempt, "pay");
    assert.deepEqual([again.type, again.type === "intended" && again.again], ["intended", false]);
    assert.deepEqual((await w.types(id)).filter((type) => type === "effect.intended").length, 1);
    await receipt(w, attempt, "pay", "done");
  });

  on("an effect that is done is answered with its receipt, so that a later attempt does not do it again", async (w) => {
    await workersAndBystander(w);
    await w.start(listOf("a"));
    const first = w.take();
    await intend(w, first, "pay");
    await receipt(w, first, "pay", "done", { result: '{"id":7}', note: "paid" });
    const told = await intend(w, await afterTimeout(w), "pay");
    assert.equal(told.type, "done");
    const { status, result, note, attempt, by } = told.effect.receipt ?? {};
    assert.deepEqual([status, result, note, attempt, by], ["done", '{"id":7}', "paid", 1, "agent"]);
  });

  on("of steps that are cancelled at once, the one that has announced something may have done it", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(workflow([step("a", { dependsOn: [] }), step("b", { dependsOn: [] })]));
    w.take();
    await intend(w, w.take(), "pay");
    await w.store.sessions.cancel(id, "no more");
    assert.deepEqual(await w.steps(id), { 0: "cancelled", 1: "uncertain" });
  });

  on("only the attempt that has the task may announce an effect", async (w) => {
    await workersAndBystander(w);
    await w.start(listOf("a"));
    const first = w.take();
    await afterTimeout(w);
    await assert.rejects(intend(w, first, "pay"), withCode("lease_lost"));
    await assert.rejects(
      w.store.effects.intend(first.taskId, "9.no", { ...NOTHING, effectId: "x" }),
      withCode("lease_lost"),
    );
    await assert.rejects(
      w.store.effects.intend("task_no", first.token, { ...NOTHING, effectId: "x" }),
      withCode("task_not_found"),
    );
    assert.deepEqual(await w.store.effects.ofTask(first.taskId), []);
  });

  on("a receipt is a fact: any token that the task ever had will do, also after its end", async (w) => {
    await workersAndBystander(w);
    await w.start(listOf("a"));
    const first = w.take();
    await intend(w, first, "pay");
    const second = await afterTimeout(w);
    await w.fail(second, "rejected");
    assert.equal((await w.getTask(first.taskId)).status, "failed");
    assert.equal((await receipt(w, first, "pay", "done")).status, "done");
    assert.equal((await effectOf(w, first, "pay")).receipt?.attempt, 1);
    await assert.rejects(w.store.effects.receipt(first.taskId, "3.no", "pay", TOLD), withCode("lease_lost"));
    await assert.rejects(receipt(w, first, "mail", "done"), withCode("effect_not_found"));
  });

  on("that an effect happened is never taken back, and telling it again changes nothing", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(listOf("a"));
    const attempt = w.take();
    await intend(w, attempt, "pay");
    await receipt(w, attempt, "pay", "done", { result: "1" });
    assert.equal((await receipt(w, attempt, "pay", "done", { result: "2" })).receipt?.result, "1");
    assert.equal((await receipt(w, attempt, "pay", "not_done")).status, "done");
    const types = (await w.types(id)).filter((type) => type.startsWith("effect."));
    assert.deepEqual(types, ["effect.intended", "effect.receipt", "effect.contradicted"]);
  });

  on("what an earlier attempt did not do says nothing of the one that is about to do it", async (w) => {
    await workersAndBystander(w);
    await w.start(listOf("a"));
    const first = w.take();
    await intend(w, first, "pay");
    const second = await afterTimeout(w);
    await intend(w, second, "pay");
    assert.equal((await receipt(w, first, "pay", "not_done")).status, "intended");
    assert.equal((await receipt(w, first, "pay", "done")).status, "done");
  });

  on("an effect that was not done may be announced again, and is open again", async (w) => {
    await workersAndBystander(w);
    await w.start(listOf("a"));
    const attempt = w.take();
    await intend(w, attempt, "other");
    await receipt(w, attempt, "other", "failed");
    for (const status of ["failed", "not_done"] as const) {
      await intend(w, attempt, "pay");
      assert.equal((await receipt(w, attempt, "pay", status)).status, status);
    }
    const again = await intend(w, attempt, "pay");
    assert.deepEqual([again.effect.status, again.effect.receipt], ["intended", null]);
    assert.equal((await effectOf(w, attempt, "other")).status, "failed");
    await w.complete(attempt);
  });

  on("the same effect with another payload ends the attempt, and its step is uncertain", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(listOf("a", "b"));
    const first = w.take();
    await intend(w, first, "pay", { payloadHash: "one" });
    const second = await afterTimeout(w);
    assert.equal((await intend(w, second, "pay", { payloadHash: "two" })).type, "differs");
    const task = await w.getTask(first.taskId);
    assert.deepEqual([task.status, task.error?.code, task.error?.uncertain], ["failed", "effect_differs", true]);
    assert.deepEqual(await w.steps(id), { 0: "uncertain" });
    const session = await w.getSession(id);
    assert.deepEqual([session.status, session.failedSteps, session.uncertainSteps], ["failed", ["a"], ["a"]]);
    assert.equal((await w.store.attempts.settle(second.taskId, second.token, succeeded())).type, "stale");
    assert.equal(await w.slots(second.agentId ?? ""), "1/1");
  });

  on("an attempt that dies with an open effect is tried again under the same key", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(listOf("a"));
    const first = w.take();
    await intend(w, first, "pay");
    const second = await afterTimeout(w);
    assert.equal((await w.getTask(first.taskId)).used, 1);
    await w.complete(second);
    assert.equal((await w.getSession(id)).status, "completed");
  });

  on("whoever completes the task vouches for what it left open", async (w) => {
    await workersAndBystander(w);
    await w.start(listOf("a"));
    const attempt = w.take();
    await intend(w, attempt, "pay");
    await w.complete(attempt, 1);
    const { status, receipt: told } = await effectOf(w, attempt, "pay");
    assert.deepEqual([status, told?.by, told?.attempt], ["done", "outcome", null]);
  });

  on(
    "when the attempts are used up with an open effect, the step is uncertain and nothing stands in for it",
    async (w) => {
      await workersAndBystander(w);
      const tasks = [step("a", { retry: { maxAttempts: 1 }, fallback: "b" }), step("b")];
      const { id } = await w.start(workflow(tasks));
      const attempt = w.take();
      await intend(w, attempt, "pay");
      await w.wait(120 * SECOND);
      const task = await w.getTask(attempt.taskId);
      assert.deepEqual([task.status, task.deadLetter, task.error?.code], ["failed", true, "effect_uncertain"]);
      assert.match(
        task.error?.message ?? "",
        /^Nobody knows whether effect `pay` happened: announced .*, no receipt\. It ended with timeout: /,
      );
      assert.equal((await w.steps(id))[0], "uncertain");
      assert.deepEqual((await w.getSession(id)).uncertainSteps, ["a"]);
      assert.equal(w.sent.length, 0);
      // It is known now, and changes what is known, but not what has ended.
      await receipt(w, attempt, "pay", "done");
      assert.equal((await w.steps(id))[0], "uncertain");
    },
  );

  on("a failure that its agent tells of says nothing of what it announced", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(workflow([step("a", { onFailure: "continue" }), step("b")]));
    const attempt = w.take();
    await intend(w, attempt, "pay");
    await w.fail(attempt, "rejected");
    assert.equal((await w.steps(id))[0], "uncertain");
    await w.complete(w.take());
    const session = await w.getSession(id);
    assert.deepEqual([session.status, session.failedSteps, session.uncertainSteps], ["completed", ["a"], ["a"]]);
  });

  on("a failure after a receipt is a failure like any other", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(listOf("a"));
    const attempt = w.take();
    await intend(w, attempt, "pay");
    await receipt(w, attempt, "pay", "failed");
    await w.fail(attempt, "rejected");
    assert.deepEqual([await w.steps(id), (await w.getSession(id)).uncertainSteps], [{ 0: "failed" }, []]);
  });

  on("`fail`: the step is uncertain with the first attempt that dies with an open effect", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(workflow([step("a", { onUncertain: "fail" })]));
    const attempt = w.take();
    await intend(w, attempt, "pay");
    await w.wait(120 * SECOND);
    assert.deepEqual(await w.steps(id), { 0: "uncertain" });
    assert.equal((await w.getTask(attempt.taskId)).used, 1);
    const plain = await w.start(workflow([step("a", { onUncertain: "fail" })]));
    w.take();
    await w.wait(120 * SECOND);
    assert.deepEqual(await w.steps(plain.id), { 0: "running" });
  });

  on("a step that is cancelled with an open effect is uncertain", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(workflow([step("a", { dependsOn: [] }), step("b", { dependsOn: [] })]));
    await intend(w, w.take(), "pay");
    await w.store.sessions.cancel(id, "no more");
    assert.deepEqual(await w.steps(id), { 0: "uncertain", 1: "cancelled" });
    assert.deepEqual((await w.getSession(id)).uncertainSteps, ["a"]);
  });

  on("an item of a list that is uncertain makes its step so", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.start(workflow([step("a", { forEach: [1, 2], concurrency: 1 })]));
    const first = w.take();
    await intend(w, first, "pay");
    await w.fail(first, "rejected");
    assert.deepEqual(await w.steps(id), { 0: "uncertain" });
    assert.equal((await w.getSession(id)).error?.uncertain, true);
  });

  on("a step that may have done what it announced is undone only where that does no harm", async (w) => {
    await workersAndBystander(w);
    for (const [whenUnknown, status, left] of [
      ["run", "compensated", []],
      ["report", "uncertain", ["a"]],
    ] as const) {
      const compensate = { agentCapability: "undo", whenUnknown };
      const { id } = await w.start(workflow([step("a", { compensate })], { onFailure: "compensate" }));
      const attempt = w.take();
      await intend(w, attempt, "pay");
      await w.fail(attempt, "rejected");
      if (whenUnknown === "run") await w.complete(w.take());
      assert.deepEqual([await w.steps(id), (await w.getSession(id)).uncertainSteps], [{ 0: status }, [...left]]);
    }
  });

  on("a task that stands alone is tried again, and then fails as uncertain", async (w) => {
    await workersAndBystander(w);
    const { id } = await w.task({
      retry: { maxAttempts: 2, backoff: "fixed", initialDelay: 0, maxDelay: 0, jitter: "none", on: ["timeout"] },
    });
    await intend(w, w.take(), "pay");
    await w.wait(120 * SECOND);
    await w.dispatch();
    assert.equal((await intend(w, w.take(), "pay")).type, "intended");
    await w.wait(120 * SECOND);
    const task = await w.getTask(id);
    assert.deepEqual([task.status, task.error?.code], ["failed", "effect_uncertain"]);
    const types = (await w.types(id)).filter((type) => type.startsWith("effect."));
    assert.deepEqual(types, ["effect.intended", "effect.intended"]);
  });

  on("what is open is listed across sessions, newest first", async (w) => {
    await workers(w);
    const one = await w.start(listOf("a"));
    const [first] = [w.take()];
    const two = await w.start(listOf("a"));
    const second = w.take();
    for (const name of ["x", "y"]) await intend(w, first, name);
    await intend(w, second, "z");
    await receipt(w, first, "x", "done");
    const open = async (filter: { session?: string }) => {
      const { items } = await w.store.effects.list({ limit: 10 }, { status: "intended", ...filter });
      return items.map(({ effectId }) => effectId);
    };
    assert.deepEqual(
      [await open({}), await open({ session: one.id }), await open({ session: two.id })],
      [["z", "y"], ["y"], ["z"]],
    );
    const page = await w.store.effects.list({ limit: 1 }, {});
    const rest = await w.store.effects.list({ limit: 5, cursor: page.nextCursor ?? "" }, { status: "done" });
    assert.deepEqual([page.items[0]?.effectId, rest.items.map(({ effectId }) => effectId)], ["z", ["x"]]);
  });

  on("a task announces only so many effects", async (w) => {
    await workers(w);
    await w.start(listOf("a"));
    const attempt = w.take();
    for (let n = 0; n < EFFECTS_PER_TASK_MAX; n += 1) {
      await w.raw.effects.intend(attempt.taskId, attempt.token, { ...NOTHING, effectId: `e${n}` });
    }
    await assert.rejects(intend(w, attempt, "more"), withCode("too_many_effects"));
    assert.equal((await intend(w, attempt, "e0")).type, "intended");
    await w.complete(attempt);
  });
};

const NOTHING = { kind: null, description: null, payloadHash: null, payload: null };
const TOLD = { status: "done", result: null, note: null } as const;
