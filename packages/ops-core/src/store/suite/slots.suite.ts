import assert from "node:assert/strict";
import { SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need } from "./test-world.ts";

const AT_ONCE = { ...STEP_RETRY, initialDelay: 0, maxDelay: 0 };

/** Slots: held by running tasks, draining when nobody knows whether the agent has stopped. */
export const slotsSuite: Suite = (on) => {
  slots(on);
  drainingSlots(on);
};

function slots(on: Declare): void {
  on("hole 18: two attempts of one agent that end in one batch free two slots, once", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3 });
    for (let i = 0; i < 3; i += 1) await w.task();
    const [a, b] = w.sent.splice(0);
    assert.ok(a && b);
    assert.equal(await w.slots(agentId), "3/0");
    await Promise.all([w.complete(a), w.complete(b), w.complete(a), w.complete(b)]);
    assert.equal(await w.slots(agentId), "1/0");
    await w.complete(a);
    assert.equal(await w.slots(agentId), "1/0");
  });

  on("an agent never holds more than its slots, draining ones included", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    const tasks = await Promise.all(Array.from({ length: 6 }, () => w.task()));
    assert.equal(w.sent.length, 2);
    await w.store.tasks.cancel(w.take().taskId, "no more");
    assert.equal(await w.dispatch(), 0);
    assert.equal(await w.slots(agentId), "2/1");
    assert.equal((await w.store.tasks.why(need(tasks[5], "task").id))?.reason, "agent_busy");
    await w.store.tasks.cancel(w.take().taskId, "no more");
    assert.equal((await w.store.tasks.why(need(tasks[5], "task").id))?.reason, "agent_draining");
    await w.report(agentId, "idle");
    assert.equal(await w.dispatch(), 2);
  });

  on("an agent that has fewer slots than before keeps what it has, and is given no more than it can do", async (w) => {
    const agent = w.registration("worker", { capabilities: ["work"], maxConcurrency: 3 });
    await w.store.agents.announce(agent);
    for (let i = 0; i < 5; i += 1) await w.task();
    await w.store.agents.announce({ ...agent, version: "2", maxConcurrency: 2 });
    const [first, second, third] = w.sent.splice(0);
    assert.ok(first && second && third);
    const given: number[] = [];
    for (const attempt of [first, second, third]) {
      assert.equal((await w.complete(attempt)).type, "accepted");
      given.push(await w.dispatch());
    }
    assert.deepEqual(given, [0, 1, 1]);
    assert.equal(await w.slots(agent.id), "2/0");
    await w.complete(w.take());
    await w.task();
    assert.equal(await w.slots(agent.id), "2/0");
  });
}

function drainingSlots(on: Declare): void {
  on("of several draining slots a late result frees that of its own attempt", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3, timeout: 30 * SECOND });
    const { id } = await w.task({ retry: AT_ONCE, deadline: 50 * SECOND });
    await w.task({ retry: { ...AT_ONCE, maxAttempts: 1 } });
    const [first, other] = w.sent.splice(0);
    assert.ok(first && other);
    await w.wait(30 * SECOND);
    const again = w.take();
    assert.deepEqual([again.taskId, again.attempt], [id, 2]);
    await w.wait(20 * SECOND);
    assert.equal(await w.slots(agentId), "3/3");
    for (const left of ["2/2", "2/2"]) {
      await w.complete(first, "late");
      assert.equal(await w.slots(agentId), left);
    }
    await w.complete(other, "late");
    assert.equal(await w.slots(agentId), "1/1");
    await w.complete(again, "late");
    assert.equal(await w.slots(agentId), "0/0");
  });

  on("a pull agent that asks for one more frees one draining slot, the oldest", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], maxConcurrency: 2, channel: "pull" });
    for (let i = 0; i < 2; i += 1) {
      const { id } = await w.task();
      await w.store.agents.claim(agentId, 1);
      await w.store.tasks.cancel(id, "no more");
      w.clock.advance(SECOND);
    }
    assert.equal(await w.slots(agentId), "2/2");
    await w.store.agents.claim(agentId, 1);
    assert.equal(await w.slots(agentId), "1/1");
  });
}
