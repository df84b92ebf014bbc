import assert from "node:assert/strict";
import { DAY, MINUTE, SECOND } from "../../domain/clock.ts";
import { step, workflow } from "./test-definitions.ts";
import { errorOf, workOff } from "./test-language.ts";
import { AT_ONCE, limited, listed, many, rated, TENANT, taskOf, why } from "./test-limits.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need } from "./test-world.ts";

/** How many tasks of a key run at once, and how many begin within some time. */
export const limitsSuite: Suite = (on) => {
  concurrency(on);
  release(on);
  rates(on);
};

function concurrency(on: Declare): void {
  on("a task with limits whose deadline has passed is not given out any more", async (w) => {
    const { id } = await limited(w, "t", { deadline: "1s" });
    w.clock.advance(SECOND);
    await many(w);
    assert.equal(await w.dispatch(), 0);
    await w.expire();
    assert.equal((await w.store.tasks.get(await taskOf(w, id)))?.error?.code, "deadline_exceeded");
  });

  on("of the tasks of a key no more run at once than its limit, and other keys go on", async (w) => {
    await many(w);
    const sessions = [];
    for (const tenant of ["a", "a", "a", "b"]) sessions.push(await limited(w, tenant));
    assert.deepEqual(
      w.sent.map(({ sessionId }) => sessionId),
      [sessions[0]?.id, sessions[3]?.id],
    );
    assert.equal(await w.dispatch(), 0);
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 1);
    assert.equal(w.sent.at(-1)?.sessionId, sessions[1]?.id);
  });

  on("workflows that say the same key share it, and each task counts it against its own limit", async (w) => {
    await many(w);
    for (let i = 0; i < 3; i += 1) await limited(w, "a", { concurrency: { key: TENANT, limit: 3 } });
    const small = await limited(w, "a", { concurrency: { key: "a", limit: 2 } });
    assert.equal(w.sent.length, 3);
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 0, "two still run");
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 1);
    assert.equal(w.sent.at(-1)?.sessionId, small.id);
  });

  on("the items of a list have their keys, and what runs at once is bounded by both", async (w) => {
    await many(w);
    const forEach = ["x", "x", "y", "y", "z"];
    const concurrency = { key: "${{ item }}", limit: 1, items: 4 };
    const { id } = await limited(w, "a", { forEach, concurrency, parameters: { of: "${{ item }}" } });
    const names = () => w.sent.map(({ parameters }) => (JSON.parse(parameters) as { of: string }).of).join("");
    assert.equal(names(), "xy", "of the four that are open");
    await w.complete(w.take());
    await w.dispatch();
    assert.equal(names(), "yxz");
    await workOff(w);
    assert.equal((await w.getSession(id)).status, "completed");
  });

  on("a key that comes to nothing fails the step, and says which it was", async (w) => {
    const { id } = await w.start(workflow([step("a", { concurrency: { key: "${{ input.of }}", limit: 1 } })]), {
      data: { of: null },
    });
    assert.deepEqual(await errorOf(w, id, 0), [
      "expression_failed",
      "concurrency.key: must yield a text or a number, not null",
    ]);
  });

  on("calls of tools are limited like tasks of agents, and keep to the tool's slots", async (w) => {
    await w.tool("post", { maxConcurrency: 2 });
    const call = (key: string) => workflow([{ taskId: "a", tool: "post", concurrency: { key, limit: 1 } }]);
    for (const key of ["a", "a", "b", "c"]) await w.start(call(key));
    assert.equal(w.sent.length, 2);
    await w.complete(need(w.sent[0], "call")).catch(() => undefined);
    assert.equal(await listed(w), "a 1/1, 1; b 1/1, 0; c 0/1, 1");
    w.sent.length = 0;
  });

  on("a pull agent is given nothing of a key that is full", async (w) => {
    const puller = await w.agent("puller", { capabilities: ["work"], channel: "pull", maxConcurrency: 9 });
    for (const tenant of ["a", "a", "b"]) await limited(w, tenant);
    const first = await w.store.agents.claim(puller, 9);
    assert.equal(first.length, 2);
    assert.deepEqual((await w.store.agents.claim(puller, 9)).length, 2, "the same, unconfirmed");
    await w.complete(need(first[0], "attempt"));
    const again = await w.store.agents.claim(puller, 9);
    assert.equal(again.filter(({ taskId }) => first.every((each) => each.taskId !== taskId)).length, 1);
  });

  on("what undoes a step is not limited", async (w) => {
    await many(w);
    await w.agent("undoer", { capabilities: ["undo"] });
    const undoable = step("a", { concurrency: { key: "k", limit: 1 }, compensate: { agentCapability: "undo" } });
    const fails = step("b", { retry: { maxAttempts: 1 } });
    await w.start(workflow([undoable, fails], { onFailure: "compensate" }));
    await w.complete(w.take());
    await limited(w, "k");
    const holder = w.sent.pop();
    await w.fail(w.take(), "rejected");
    assert.equal(w.take().agentName, "undoer");
    assert.equal(holder?.attempt, 1);
    w.sent.length = 0;
  });
}

function release(on: Declare): void {
  on("invariant 19: a permit is held until the slot is free, draining included", async (w) => {
    const agentId = await many(w);
    await limited(w, "a", { timeout: "10s", retry: { maxAttempts: 1 } });
    const waiting = await limited(w, "a");
    const first = w.take();
    await w.wait(10 * SECOND);
    assert.equal((await w.getTask(first.taskId)).status, "failed");
    assert.equal(w.sent.length, 0, "nobody knows whether the agent has stopped");
    assert.equal(await why(w, waiting.id), "concurrency_limit");
    assert.equal((await w.store.limits.list({ limit: 1 }, {})).items[0]?.draining, 1);
    await w.complete(first, "late");
    assert.equal(await w.slots(agentId), "0/0");
    assert.equal(await w.dispatch(), 1);
  });

  on("of the permits of one task a late result frees that of its own attempt", async (w) => {
    await many(w);
    const retry = { maxAttempts: 2, initialDelay: "0s" };
    await limited(w, "a", { concurrency: { key: TENANT, limit: 2 }, timeout: "10s", retry });
    const first = w.take();
    await w.wait(10 * SECOND);
    const second = w.take();
    assert.deepEqual([second.attempt, await listed(w)], [2, "a 2/2, 0"]);
    await w.complete(first, "late");
    assert.equal(await listed(w), "a 1/2, 0");
    await w.complete(second);
    assert.equal(await listed(w), "");
  });

  on("a draining slot that is over, or that its agent frees, gives its permit back", async (w) => {
    const agentId = await many(w);
    for (const free of [
      () => w.wait(10 * SECOND),
      () => w.report(agentId, "idle"),
      () => w.store.agents.remove(agentId),
    ]) {
      await limited(w, "a", { timeout: "10s", retry: { maxAttempts: 1 } });
      await w.wait(10 * SECOND);
      assert.equal(await listed(w), "a 1/1, 0");
      await free();
      assert.equal(await listed(w), "");
      w.sent.length = 0;
    }
  });

  on("a cancelled task keeps its permit until its agent has stopped; one that waited had none", async (w) => {
    const agentId = await many(w);
    const running = await limited(w, "a");
    const waiting = await limited(w, "a");
    await w.store.sessions.cancel(waiting.id, "no more");
    await w.store.sessions.cancel(running.id, "no more");
    await limited(w, "a");
    assert.equal(await w.dispatch(), 0);
    await w.report(agentId, "idle");
    assert.equal(await w.dispatch(), 1);
  });

  on("an attempt that failed, or was lost with its agent, gives its permit back and takes another", async (w) => {
    const agentId = await many(w);
    const { id } = await limited(w, "a", AT_ONCE);
    const behind = await limited(w, "a");
    await w.fail(w.take());
    assert.equal(await w.dispatch(), 1);
    const second = w.take();
    assert.deepEqual([second.sessionId, second.attempt], [id, 2], "it keeps its place");
    await w.agent("other", { capabilities: ["work"] });
    await w.store.agents.remove(agentId);
    await w.dispatch();
    assert.equal(await listed(w), "a 1/1, 1");
    await w.complete(w.take());
    await w.dispatch();
    assert.equal(w.take().sessionId, behind.id);
  });

  on("a tool that is removed keeps no permit for calls that were given up", async (w) => {
    await w.tool("post");
    const call = { taskId: "a", tool: "post", concurrency: { key: "k", limit: 1 } };
    const { id } = await w.start(workflow([call]));
    await w.store.sessions.cancel(id, "no more");
    assert.equal(await listed(w), "k 1/1, 0");
    await w.store.tools.remove("post");
    assert.equal(await listed(w), "");
    w.sent.length = 0;
  });

  on("permits are found again after the process died", async (w) => {
    await many(w);
    await limited(w, "a");
    const waiting = await limited(w, "a");
    const attempt = w.take();
    await w.crash();
    assert.equal(await w.dispatch(), 0);
    assert.equal(await why(w, waiting.id), "concurrency_limit");
    await w.complete(attempt);
    assert.equal(await w.dispatch(), 1);
  });

  on("a paused session's tasks take no permit, and wait for one when it goes on", async (w) => {
    await many(w);
    const first = await limited(w, "a");
    const { id } = await limited(w, "a");
    await w.store.sessions.pause(id, "ann", null);
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 0);
    assert.equal((await w.getSession(first.id)).status, "completed");
    await limited(w, "a");
    assert.equal(w.sent.length, 1, "nothing that waits stands before it");
    await w.store.sessions.resume(id, "ann");
    assert.equal(await w.dispatch(), 0);
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 1);
    assert.equal(w.take().sessionId, id);
  });
}

function rates(on: Declare): void {
  on("of the tasks of a key no more begin within its time than its limit; never early", async (w) => {
    await many(w);
    for (let i = 0; i < 5; i += 1) await rated(w, 2, "10s");
    assert.equal(w.sent.length, 2);
    for (const attempt of w.sent.splice(0)) await w.complete(attempt);
    assert.equal(await w.dispatch(), 0, "they have ended, and count all the same");
    await w.wait(9_999_999);
    assert.equal(w.sent.length, 0);
    w.clock.advance(1);
    assert.equal(await w.dispatch(), 2);
    await w.wait(10 * SECOND);
    assert.equal(w.sent.length, 3);
  });

  on("the window rolls: the next may begin as long after the one that it takes the place of", async (w) => {
    await many(w);
    for (let i = 0; i < 4; i += 1) {
      await rated(w, 2, "10s");
      w.clock.advance(3 * SECOND);
    }
    assert.equal(w.sent.length, 2);
    assert.equal(await w.dispatch(), 1, "12 s after the first");
    w.clock.advance(SECOND - 1);
    assert.equal(await w.dispatch(), 0);
    w.clock.advance(1);
    assert.equal(await w.dispatch(), 1, "13 s: 10 s after the second");
  });

  on("each attempt counts, one that follows another included; a resend does not", async (w) => {
    await many(w);
    await rated(w, 2, "1m", AT_ONCE);
    await w.fail(w.take());
    assert.equal(await w.dispatch(), 1);
    await w.fail(w.take());
    assert.equal(await w.dispatch(), 0);
    await w.wait(MINUTE);
    const third = w.take();
    assert.equal(third.attempt, 3);
    await w.crash();
    await w.store.attempts.adopt(9);
    assert.equal(w.take().send, 2);
    assert.equal(await listed(w), "t 1/2, 0");
  });

  on("a rate and a number at once hold together", async (w) => {
    await many(w);
    const both = { concurrency: { key: TENANT, limit: 1 }, rateLimit: { key: TENANT, limit: 2, per: "1m" } };
    for (let i = 0; i < 3; i += 1) await limited(w, "t", both);
    assert.equal(w.sent.length, 1);
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 1);
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 0);
    await w.wait(MINUTE);
    assert.equal(w.sent.length, 1);
  });

  on("uses are counted over the death of the process, and removed when no limit looks back so far", async (w) => {
    await many(w);
    await rated(w, 1, "24h");
    await rated(w, 1, "24h");
    w.sent.length = 0;
    await w.crash();
    w.clock.advance(DAY - MINUTE);
    await w.store.process.beat();
    await w.store.process.prune(100);
    assert.equal(await w.dispatch(), 0);
    w.clock.advance(MINUTE);
    await w.store.process.beat();
    await w.expire();
    await w.store.process.prune(100);
    await limited(w, "other", { concurrency: null, rateLimit: { key: "other", limit: 1, per: "1h" } });
    w.sent.length = 0;
    assert.equal(await listed(w), "other 1/1, 0");
  });

  on("whoever asks for work is woken when a rate lets the next task begin", async (w) => {
    const puller = await w.agent("puller", { capabilities: ["work"], channel: "pull", maxConcurrency: 9 });
    for (let i = 0; i < 2; i += 1) await rated(w, 1, "10s");
    await w.complete(need((await w.store.agents.claim(puller, 9))[0], "attempt"));
    await w.dispatch();
    await w.store.process.beat();
    w.clock.advance(10 * SECOND);
    w.hints.length = 0;
    await w.dispatch();
    assert.ok(w.hints[0]?.lanes.has("capability:work"));
    assert.equal((await w.store.agents.claim(puller, 9)).length, 1);
  });
}
