import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { step, workflow } from "./test-definitions.ts";
import { end, ONCE, workOff } from "./test-language.ts";
import { limited, listed, many, TENANT } from "./test-limits.ts";
import { bareAgent, say } from "./test-reports.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { senderOf } from "./test-world.ts";

/** What is read of one thing is read of that one only, though others look alike. */
export const ownRowsSuite: Suite = (on) => {
  ofWork(on);
  ofAgents(on);
};

function ofWork(on: Declare): void {
  on("tasks with the same limits are given to those who can do them, whichever waits longest", async (w) => {
    await limited(w, "t", {}, "other");
    w.clock.advance(SECOND);
    const { id } = await limited(w, "t");
    await many(w);
    assert.equal(await w.dispatch(), 1);
    assert.equal(w.take().sessionId, id);
  });

  on("a rate looks back at the uses of its own key", async (w) => {
    await many(w);
    const use = (tenant: string) =>
      limited(w, tenant, { concurrency: null, rateLimit: { key: TENANT, limit: 1, per: "1m" } });
    await use("a");
    await w.wait(50 * SECOND);
    await use("b");
    w.sent.length = 0;
    await w.wait(11 * SECOND);
    await use("b");
    assert.equal(w.sent.length, 0, "b was used 11 s ago, whenever a was");
    await use("a");
    assert.equal(w.sent.length, 1);
    await w.wait(MINUTE);
    assert.equal(w.sent.length, 2);
  });

  on("each session reads its own input, however large", async (w) => {
    await many(w);
    const document = workflow([step("a", { parameters: { of: "${{ input.name }}" }, ...ONCE })]);
    const padding = "x".repeat(5_000);
    await w.start(document, { data: { name: "first", padding } });
    await w.start(document, { data: { name: "second", padding } });
    const done = await workOff(w);
    assert.deepEqual(
      done.map(({ of }) => of),
      ["first", "second"],
    );
  });

  on("hole 13: work that is held elsewhere is not given up with an agent that had nothing to do with it", async (w) => {
    const { id } = await w.start(workflow([step("a", { agentCapability: "other" })]));
    await w.store.sessions.pause(id, "us", null);
    const agentId = await w.agent("worker", { maxConcurrency: 1 });
    const only = { requirement: { kind: "agent", agentId } } as const;
    await w.task(only);
    const abandoned = await w.task(only);
    await w.store.agents.remove(agentId);
    assert.equal((await w.getTask(abandoned.id)).status, "failed");
    await w.store.sessions.resume(id, "us");
    await w.agent("other", { capabilities: ["other"] });
    await w.dispatch();
    await workOff(w);
    assert.deepEqual((await end(w, id))[0], "completed");
  });

  on("an agent that is idle frees its own slots and permits, and those of another one are kept", async (w) => {
    const [one, two] = [await w.agent("one", { capabilities: ["a"] }), await w.agent("two", { capabilities: ["b"] })];
    for (const name of ["a", "b"]) await limited(w, name, { timeout: "1s", ...ONCE }, name);
    w.clock.advance(SECOND);
    await w.expire();
    const slots = async () => [await w.slots(one), await w.slots(two)];
    assert.deepEqual(await slots(), ["1/1", "1/1"]);
    assert.equal(await listed(w), "a 1/1, 0; b 1/1, 0");
    await w.report(two, "idle");
    assert.deepEqual(await slots(), ["1/1", "0/0"]);
    assert.equal(await listed(w), "a 1/1, 0");
  });
}

function ofAgents(on: Declare): void {
  on("what an agent reports is proof about its own work only", async (w) => {
    const agentId = await bareAgent(w);
    const other = await w.agent("other");
    const { id } = await w.task();
    await w.acknowledge(w.take());
    await say(w, other, "active", "idle");
    assert.deepEqual(await say(w, agentId, "thinking"), [null]);
    await w.report(other, "completed", { taskId: id });
    assert.deepEqual(await say(w, agentId, "active"), [null]);
    assert.equal((await w.getTask(id)).status, "running");
    assert.deepEqual(await say(w, agentId, "idle"), [id]);
  });

  on("what is counted of an agent's messages is its own count", async (w) => {
    await w.agent("earlier");
    const agentId = await bareAgent(w);
    await w.agent("later");
    const { id } = await w.task();
    await w.acknowledge(w.take());
    assert.deepEqual(await say(w, agentId, "active", "idle"), [null, id]);
  });

  on("an agent that starts anew makes nobody else forget what it was sent", async (w) => {
    const agentId = await bareAgent(w);
    const other = await w.agent("other");
    await w.store.deliveries.enqueue(w.delivery({ kind: "message", agentId }));
    await w.store.agents.register(w.registration("other", { id: other, replace: "allowed" }));
    const { id } = await w.task();
    await w.acknowledge(w.take());
    assert.deepEqual(await say(w, agentId, "active", "idle"), [null, null]);
    assert.equal((await w.getTask(id)).status, "running");
  });

  on("hole 27: when AgentKit last told of an agent is a time of its own", async (w) => {
    const times: (readonly [string, number])[] = [];
    for (const name of ["first", "second"]) {
      const agent = w.registration(name);
      await w.store.agents.announce(agent);
      times.push([agent.id, w.clock.now()]);
      w.clock.advance(SECOND);
    }
    for (const [id, announcedAt] of times) {
      await w.store.agents.remove(id, announcedAt);
      assert.equal(await w.store.agents.get(id), null);
    }
  });

  on("a message that is sent again tells of the workflow that it was sent for", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3 });
    for (const id of ["one", "two"]) await w.start(workflow([step("a")], { id }));
    await w.task();
    for (const attempt of w.sent.splice(0)) await w.store.attempts.broken(senderOf(attempt), "reset");
    await w.wait(SECOND);
    assert.deepEqual(new Set(w.sent.map(({ workflowId }) => workflowId)), new Set(["one", "two", null]));
  });
}
