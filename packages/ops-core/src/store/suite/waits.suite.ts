import assert from "node:assert/strict";
import { formatTime } from "@opspawn/contract";
import { HOUR, MINUTE } from "../../domain/clock.ts";
import { step, workflow } from "./test-definitions.ts";
import { end, errorOf, ONCE, pass, restart, statuses, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import type { World } from "./test-world.ts";

const PAUSE = { taskId: "pause", wait: { for: "1h" } };

async function status(w: World, id: string): Promise<string> {
  return (await w.getSession(id)).status;
}

/** How often a kind of event is in a session's log. */
async function count(w: World, id: string, type: string): Promise<number> {
  return (await w.types(id)).filter((each) => each === type).length;
}

/** Steps that wait for a time. */
export const waitsSuite: Suite = (on) => {
  on("a session waits for a time and goes on when it has come, never early", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([PAUSE, step("next")]));
    assert.equal(await status(w, id), "waiting");
    const [pause] = await w.store.sessions.steps(id);
    assert.deepEqual([pause?.status, pause?.wakeAt], ["waiting", w.clock.now() + HOUR]);
    await pass(w, HOUR - 1);
    assert.deepEqual([await status(w, id), w.sent.length], ["waiting", 0]);
    await pass(w, 1);
    assert.deepEqual([await status(w, id), w.sent.length], ["running", 1]);
    await workOff(w);
    assert.deepEqual(await end(w, id), ["completed", null]);
    assert.deepEqual(await w.types(id), [
      "session.started",
      "step.waiting",
      "session.waiting",
      "step.timer_set",
      "step.completed",
      "session.resumed",
      "task.created",
      "attempt.created",
      "attempt.succeeded",
      "task.completed",
      "session.completed",
    ]);
  });

  for (const [way, begin] of [
    ["restart", restart],
    ["crash", (w: World) => w.crash()],
  ] as const) {
    on(`a timer fires once, also after a ${way}, and however often it is looked at`, async (w) => {
      const { id } = await w.start(workflow([PAUSE, { taskId: "after", wait: { for: "1h" } }]));
      await begin(w);
      await pass(w, HOUR);
      await begin(w);
      await Promise.all([w.expire(), w.expire(), w.expire()]);
      assert.deepEqual(await statuses(w, id), ["completed", "waiting"]);
      await begin(w);
      await pass(w, HOUR - 1);
      assert.equal(await status(w, id), "waiting");
      await pass(w, 1);
      assert.equal(await status(w, id), "completed");
      assert.equal(await count(w, id, "step.completed"), 2);
    });
  }

  on("F28: what fell due while nobody served fires as soon as somebody does, all of it, once", async (w) => {
    await workers(w);
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1) ids.push((await w.start(workflow([PAUSE, step("next")]))).id);
    w.clock.advance(24 * HOUR);
    await w.crash();
    assert.equal(await w.expire(), 30);
    assert.equal(await w.expire(), 0);
    assert.equal((await workOff(w)).length, 30);
    for (const id of ids) assert.equal(await status(w, id), "completed");
  });

  on("the earliest timers fire first, and no more at once than is asked for", async (w) => {
    const later = await w.start(workflow([{ taskId: "pause", wait: { for: "2h" } }]));
    const sooner = await w.start(workflow([PAUSE], { version: "2" }));
    w.clock.advance(3 * HOUR);
    assert.equal(await w.store.attempts.expire(1), 1);
    assert.deepEqual([await status(w, sooner.id), await status(w, later.id)], ["completed", "waiting"]);
  });

  on("a wait until a time may take it from what was done before; one that is past does not wait", async (w) => {
    await workers(w);
    const soon = { taskId: "soon", wait: { until: "${{ steps.when.result }}" } };
    const { id } = await w.start(
      workflow([step("when"), soon, { taskId: "past", wait: { until: "2001-01-01T00:00:00Z" } }]),
    );
    await w.complete(w.take(), formatTime(w.clock.now() + MINUTE));
    await pass(w, MINUTE - 1);
    assert.deepEqual(await statuses(w, id), ["completed", "waiting"]);
    await pass(w, 1);
    assert.deepEqual(await statuses(w, id), ["completed", "completed", "completed"]);
    assert.equal(await count(w, id, "step.timer_set"), 1);
  });

  on("steps that wait side by side keep their own times and signals", async (w) => {
    const word = { taskId: "word", wait: { signal: "go" } };
    const long = { taskId: "long", wait: { for: "3h" } };
    const { id } = await w.start(workflow([word, PAUSE, long].map((each) => ({ ...each, dependsOn: [] }))));
    const waits = (await w.store.sessions.steps(id)).map(({ wakeAt, signal }) => [wakeAt, signal]);
    const now = w.clock.now();
    assert.deepEqual(waits, [
      [null, "go"],
      [now + HOUR, null],
      [now + 3 * HOUR, null],
    ]);
    await pass(w, HOUR);
    assert.deepEqual(await statuses(w, id), ["waiting", "completed", "waiting"]);
  });

  for (const [value, message] of [
    ["soon", /^wait\.until: must yield .*, not "soon"$/],
    [5, /^wait\.until: must yield .*, not 5$/],
  ] as const) {
    on(`a wait until what is no time fails its step: ${value}`, async (w) => {
      const { id } = await w.start(workflow([{ taskId: "a", wait: { until: "${{ input.at }}" } }]), {
        data: { at: value },
      });
      assert.deepEqual(await end(w, id), ["failed", "expression_failed"]);
      assert.match((await errorOf(w, id, 0))[1], message);
    });
  }

  on("the wait of a session that starts later begins when the session does", async (w) => {
    const { id } = await w.start(workflow([PAUSE]), { startAt: w.clock.now() + HOUR });
    await pass(w, HOUR);
    assert.equal(await status(w, id), "waiting");
    await pass(w, HOUR);
    assert.equal(await status(w, id), "completed");
  });

  on("a session runs as long as anything of it does, and waits when only times are left", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([{ ...PAUSE, dependsOn: [] }, step("work", { dependsOn: [] })]));
    assert.equal(await status(w, id), "running");
    await w.complete(w.take());
    assert.equal(await status(w, id), "waiting");
    await pass(w, HOUR);
    assert.deepEqual(await end(w, id), ["completed", { pause: null, work: null }]);
  });

  on("a failure cancels what waits at once, and its timers with it", async (w) => {
    await workers(w);
    const waits = [PAUSE, { taskId: "signal", wait: { signal: "go", timeout: "1h" } }];
    const open = waits.map((each) => ({ ...each, dependsOn: [] }));
    const { id } = await w.start(workflow([step("bad", { dependsOn: [], ...ONCE }), ...open]));
    await w.fail(w.take());
    assert.deepEqual(await statuses(w, id), ["failed", "cancelled", "cancelled"]);
    assert.deepEqual(await end(w, id), ["failed", "agent_error"]);
    w.clock.advance(2 * HOUR);
    assert.equal(await w.expire(), 0);
  });

  on("running siblings still finish after waiting ones were cancelled", async (w) => {
    await workers(w);
    const tasks = [
      step("bad", { dependsOn: [], ...ONCE }),
      step("good", { dependsOn: [] }),
      { ...PAUSE, dependsOn: [] },
    ];
    const { id } = await w.start(workflow(tasks));
    const [bad, good] = [w.take(), w.take()];
    await w.fail(bad);
    assert.deepEqual([await status(w, id), await statuses(w, id)], ["running", ["failed", "running", "cancelled"]]);
    await w.complete(good);
    assert.deepEqual(await statuses(w, id), ["failed", "completed", "cancelled"]);
  });

  on("a cancel, and a session's deadline, end a wait", async (w) => {
    const cancelled = await w.start(workflow([PAUSE]));
    await w.store.sessions.cancel(cancelled.id, "enough");
    const late = await w.start(workflow([PAUSE], { version: "2", deadline: "1m" }));
    await pass(w, 2 * HOUR);
    assert.deepEqual(await end(w, cancelled.id), ["cancelled", "cancelled"]);
    assert.deepEqual(await end(w, late.id), ["failed", "deadline_exceeded"]);
    assert.deepEqual(await statuses(w, late.id), ["cancelled"]);
    for (const { id } of [cancelled, late]) assert.equal(await count(w, id, "session.resumed"), 0);
  });
};
