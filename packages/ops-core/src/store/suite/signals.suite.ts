import assert from "node:assert/strict";
import { HOUR } from "../../domain/clock.ts";
import { SIGNALS_WAITING_MAX } from "../../domain/sessions/signals.ts";
import { step, workflow } from "./test-definitions.ts";
import { end, errorOf, pass, signal, statuses, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { type World, withCode } from "./test-world.ts";

const PAUSE = { taskId: "pause", wait: { for: "1h" } };

async function status(w: World, id: string): Promise<string> {
  return (await w.getSession(id)).status;
}

const SIGNAL = { taskId: "signal", wait: { signal: "go", timeout: "1h" } };

/** Steps that wait for a word from outside. */
export const signalsSuite: Suite = (on) => {
  on("a signal completes the step that waits for it with what it carries", async (w) => {
    const { id } = await w.start(workflow([SIGNAL]));
    const [waiting] = await w.store.sessions.steps(id);
    assert.deepEqual([waiting?.signal, waiting?.wakeAt], ["go", w.clock.now() + HOUR]);
    assert.deepEqual(await signal(w, id, "go", { yes: [1] }), { delivered: true, replayed: false });
    assert.deepEqual(await end(w, id), ["completed", { yes: [1] }]);
    const [done] = await w.store.sessions.steps(id);
    assert.deepEqual([done?.signal, done?.wakeAt], [null, null]);
    assert.deepEqual((await w.types(id)).slice(3), ["session.signalled", "step.completed", "session.completed"]);
  });

  on("a signal that comes before anybody waits is kept, in the order in which it came", async (w) => {
    await workers(w);
    const tasks = [step("first"), SIGNAL, { ...SIGNAL, taskId: "second" }];
    const { id } = await w.start(
      workflow(tasks, { output: ["${{ steps.signal.result }}", "${{ steps.second.result }}"] }),
    );
    assert.equal((await signal(w, id, "go", 1)).delivered, false);
    assert.equal((await signal(w, id, "go", 2)).delivered, false);
    await w.crash();
    await w.store.attempts.adopt(9);
    await w.complete(w.take());
    assert.deepEqual(await end(w, id), ["completed", [1, 2]]);
  });

  on("a kept signal is taken once, and only by a step that waits for its name", async (w) => {
    await workers(w);
    const other = { taskId: "other", wait: { signal: "stop" } };
    const { id } = await w.start(workflow([step("first"), other, SIGNAL]));
    await signal(w, id, "go", "kept");
    await w.complete(w.take());
    assert.deepEqual(await statuses(w, id), ["completed", "waiting"]);
    await signal(w, id, "stop");
    assert.deepEqual(await end(w, id), ["completed", "kept"]);
  });

  on("of several steps that wait for one signal the one that waits longest gets it, one each", async (w) => {
    await workers(w);
    const later = { ...SIGNAL, taskId: "later", dependsOn: ["work"] };
    const tasks = [step("work", { dependsOn: [] }), { ...SIGNAL, dependsOn: [] }, later];
    const { id } = await w.start(workflow(tasks));
    w.clock.advance(1);
    await w.complete(w.take());
    await signal(w, id, "go", "one");
    assert.deepEqual(await statuses(w, id), ["completed", "completed", "waiting"]);
    await signal(w, id, "go", "two");
    assert.deepEqual(await end(w, id), ["completed", { signal: "one", later: "two" }]);
  });

  on("the same signal sent again under its key is one signal", async (w) => {
    const { id } = await w.start(workflow([SIGNAL, { ...SIGNAL, taskId: "second" }]));
    const idempotency = { actor: "someone", operation: "sessions.signal", key: "k", bodyHash: "b" };
    const send = { sessionId: id, name: "go", payload: "1", idempotency };
    assert.deepEqual(await w.store.sessions.signal(send), { delivered: true, replayed: false });
    assert.deepEqual(await w.store.sessions.signal(send), { delivered: true, replayed: true });
    assert.deepEqual(await statuses(w, id), ["completed", "waiting"]);
    await assert.rejects(
      w.store.sessions.signal({ ...send, idempotency: { ...idempotency, bodyHash: "other" } }),
      withCode("idempotency_key_reused"),
    );
  });

  on("signals that nothing waits for are refused: unknown ones, too many, and those that come too late", async (w) => {
    const { id } = await w.start(workflow([PAUSE, SIGNAL, { ...SIGNAL, taskId: "b", wait: { signal: "stop" } }]));
    await assert.rejects(signal(w, id, "goo"), /Workflow `flow` knows no signal `goo`: it waits for `go`, `stop`\./);
    await assert.rejects(signal(w, "nothing", "go"), withCode("session_not_found"));
    for (let n = 0; n < SIGNALS_WAITING_MAX; n += 1)
      await w.raw.sessions.signal({ sessionId: id, name: "go", payload: "1" });
    await assert.rejects(signal(w, id, "go"), withCode("too_many_signals"));
    await signal(w, id, "stop");
    await w.store.sessions.cancel(id, "enough");
    await assert.rejects(signal(w, id, "go"), withCode("session_terminal"));
    const none = await w.start(workflow([PAUSE], { version: "2" }));
    await assert.rejects(signal(w, none.id, "go"), /knows no signal `go`: it waits for no signal\./);
  });

  on("signals of one session are no other's", async (w) => {
    const [one, two] = [await w.start(workflow([PAUSE, SIGNAL])), await w.start(workflow([PAUSE, SIGNAL]))];
    await signal(w, one.id, "go", 1);
    await pass(w, HOUR);
    assert.deepEqual([await status(w, one.id), await status(w, two.id)], ["completed", "waiting"]);
    await signal(w, two.id, "go", 2);
    assert.deepEqual(await end(w, two.id), ["completed", 2]);
  });

  on("taking a kept signal leaves those of other names and other sessions", async (w) => {
    await workers(w);
    const tasks = [step("first"), SIGNAL, { ...SIGNAL, taskId: "stop", wait: { signal: "stop" } }];
    const [one, two] = [await w.start(workflow(tasks)), await w.start(workflow(tasks))];
    for (const { id } of [one, two]) {
      await signal(w, id, "go", "went");
      await signal(w, id, "stop", "stopped");
    }
    await w.complete(w.take());
    assert.deepEqual(await end(w, one.id), ["completed", "stopped"]);
    await w.complete(w.take());
    assert.deepEqual(await end(w, two.id), ["completed", "stopped"]);
  });

  on("a signal that does not come in time fails its step, and never early", async (w) => {
    const { id } = await w.start(workflow([SIGNAL]));
    await pass(w, HOUR - 1);
    assert.equal(await status(w, id), "waiting");
    await pass(w, 1);
    assert.deepEqual(await end(w, id), ["failed", "expired"]);
    assert.deepEqual(await errorOf(w, id, 0), ["expired", "Signal `go` did not come in time."]);
    await assert.rejects(signal(w, id, "go"), withCode("session_terminal"));
  });

  on("or the branch is taken that was kept for it, instead of what stands behind the step", async (w) => {
    await workers(w);
    const tasks = [
      { taskId: "signal", wait: { signal: "go", timeout: "1h", onTimeout: "late" } },
      step("next"),
      step("late"),
    ];
    const { id } = await w.start(workflow(tasks));
    await pass(w, HOUR);
    await workOff(w, () => "late");
    assert.deepEqual(await statuses(w, id), ["failed", "skipped", "completed"]);
    assert.deepEqual([await end(w, id), (await w.getSession(id)).failedSteps], [["completed", "late"], []]);
  });

  on("a signal in time leaves its branch alone", async (w) => {
    await workers(w);
    const tasks = [
      { taskId: "signal", wait: { signal: "go", timeout: "1h", onTimeout: "late" } },
      step("next"),
      step("late"),
    ];
    const { id } = await w.start(workflow(tasks));
    await signal(w, id, "go");
    await workOff(w, () => "next");
    assert.deepEqual(
      [await statuses(w, id), await end(w, id)],
      [
        ["completed", "completed", "skipped"],
        ["completed", "next"],
      ],
    );
    w.clock.advance(2 * HOUR);
    assert.equal(await w.expire(), 0);
  });

  on("a signal and the end of the patience for it in one batch have one winner", async (w) => {
    const { id } = await w.start(workflow([SIGNAL]));
    w.clock.advance(HOUR);
    const [sent] = await Promise.all([signal(w, id, "go", "in time"), w.expire()]);
    assert.deepEqual([sent.delivered, await end(w, id)], [true, ["completed", "in time"]]);
  });

  on("a wait without a timeout waits for as long as the session lasts", async (w) => {
    const { id } = await w.start(workflow([{ taskId: "signal", wait: { signal: "go" } }]));
    await pass(w, 365 * 24 * HOUR);
    assert.equal(await status(w, id), "waiting");
    await signal(w, id, "go");
    assert.equal(await status(w, id), "completed");
  });

  on("what a session waits for is told, and found by", async (w) => {
    const time = await w.start(workflow([PAUSE]));
    const word = await w.start(workflow([SIGNAL], { version: "2" }));
    const asked = await w.start(workflow([{ taskId: "ok", approval: { message: "Go?" } }], { version: "3" }));
    for (const [session, reason] of [
      [time, "waiting_for_time"],
      [word, "waiting_for_signal"],
      [asked, "waiting_for_approval"],
    ] as const) {
      const { blocked } = await w.getSession(session.id);
      assert.deepEqual([blocked?.reason, blocked?.since], [reason, w.clock.now()]);
      const { items } = await w.store.sessions.list({ limit: 9 }, { blockedReason: reason });
      assert.deepEqual(
        items.map(({ id }) => id),
        [session.id],
      );
    }
    const { items } = await w.store.sessions.list({ limit: 9 }, { status: "waiting" });
    assert.equal(items.length, 3);
    await w.store.sessions.cancel(word.id, "enough");
    const none = await w.store.sessions.list({ limit: 9 }, { blockedReason: "waiting_for_signal" });
    assert.deepEqual([none.items, (await w.getSession(word.id)).blocked], [[], null]);
  });
};
