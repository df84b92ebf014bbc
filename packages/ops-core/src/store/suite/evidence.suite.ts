import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { bareAgent, dispatched, say } from "./test-reports.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, senderOf } from "./test-world.ts";

/** Reports that name their task, and the order in which an agent said what it said. */
export const evidenceSuite: Suite = (on) => {
  named(on);
  namedWithOthers(on);
  ownOrder(on);
};

function named(on: Declare): void {
  on("hole 12: a report that names the task settles it, and from then on only such reports do", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    w.clock.advance(1);
    await w.report(agentId, "active", { taskId: id });
    assert.equal((await w.store.agents.get(agentId))?.evidence, "named", "what arrives fixes the class");
    await say(w, agentId, "idle");
    await w.wait(5 * SECOND);
    assert.equal((await w.getTask(id)).status, "running");
    assert.equal(await w.report(agentId, "idle", { taskId: id, details: { result: [1] } }), id);
    const task = await w.getTask(id);
    assert.deepEqual([task.result, (await w.attempt(id, 1)).evidence], ["[1]", "named"]);
  });

  on("hole 12: a named report that came while the exchange was open counts when it closes", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.report(agentId, "finished", { taskId: id, details: { result: 7 } });
    assert.equal((await w.getTask(id)).status, "running");
    await w.acknowledge(attempt);
    assert.equal((await w.getTask(id)).result, "7");
  });

  on("hole 12: a named report counts when the exchange broke: nothing is sent again", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.report(agentId, "idle", { taskId: id, details: { result: 8 } });
    await w.store.attempts.broken(senderOf(attempt), "reset");
    assert.equal((await w.getTask(id)).result, "8");
    await w.wait(5 * SECOND);
    assert.equal(w.sent.length, 0);
  });

  on("named reports tell several open tasks apart", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3 });
    const ids = [(await w.task()).id, (await w.task()).id, (await w.task()).id];
    for (const attempt of w.sent.splice(0)) await w.acknowledge(attempt);
    w.clock.advance(1);
    assert.equal(await w.report(agentId, "idle", { taskId: need(ids[1], "id") }), ids[1]);
    assert.equal(await w.report(agentId, "error", { taskId: need(ids[2], "id"), details: { error: "no" } }), ids[2]);
    const statuses = await Promise.all(ids.map(async (id) => (await w.getTask(id)).status));
    assert.deepEqual(statuses, ["running", "completed", "pending"]);
    assert.equal((await w.getTask(need(ids[2], "id"))).error?.message, "no");
  });

  on("a report that names somebody else's task settles nothing", async (w) => {
    const { id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    const other = await w.agent("other");
    assert.equal(await w.report(other, "idle", { taskId: id }), null);
    assert.equal((await w.getTask(id)).status, "running");
    assert.equal((await w.store.agents.get(other))?.evidence, "none");
  });

  on("a pull agent may name its task before it has confirmed it", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], channel: "pull" });
    const { id } = await w.task();
    await w.store.agents.claim(agentId, 1);
    w.clock.advance(1);
    assert.equal(await w.report(agentId, "idle", { taskId: id }), id);
  });
}

/** What names a task, among other reports. */
function namedWithOthers(on: Declare): void {
  on("hole 12: what an agent says of a task's end stands, though it goes on to speak of it", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.report(agentId, "finished", { taskId: id, details: { result: 7 } });
    w.clock.advance(SECOND);
    await w.report(agentId, "active", { taskId: id });
    await w.acknowledge(attempt);
    assert.equal((await w.getTask(id)).result, "7");
  });

  on("hole 12: of two ends that it reports the last one counts", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.report(agentId, "failed", { taskId: id });
    w.clock.advance(SECOND);
    await w.report(agentId, "completed", { taskId: id, details: { result: 8 } });
    await w.acknowledge(attempt);
    assert.deepEqual([(await w.getTask(id)).status, (await w.getTask(id)).result], ["completed", "8"]);
  });

  on("hole 12: an agent that names a task which it never had has not shown that it names its own", async (w) => {
    const agentId = await bareAgent(w);
    const other = await w.task({ requirement: { kind: "capability", capability: "other", preferred: null } });
    const { id } = await w.task();
    await w.acknowledge(w.take());
    w.clock.advance(1);
    await w.report(agentId, "active", { taskId: other.id });
    assert.equal((await w.store.agents.get(agentId))?.evidence, "bare");
    w.clock.advance(1);
    assert.equal(await w.report(agentId, "idle"), id);
  });

  on("a result that comes after a named outcome changes nothing, is kept, and makes the agent explicit", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    await w.report(agentId, "idle", { taskId: id, details: { result: "named" } });
    w.clock.advance(1);
    assert.equal(await w.report(agentId, "idle", { taskId: id, details: { result: "named" } }), null);
    assert.equal((await w.complete(attempt, "too late")).type, "repeated");
    assert.equal((await w.getTask(id)).result, '"named"');
    assert.ok((await w.types(id)).includes("attempt.late_result"));
    assert.equal((await w.store.agents.get(agentId))?.evidence, "explicit");
  });

  on("an `error` that came with work which the agent completed keeps it from more", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.report(agentId, "finished", { taskId: id });
    w.clock.advance(SECOND);
    await w.report(agentId, "error");
    await w.acknowledge(attempt);
    assert.equal((await w.getTask(id)).status, "completed");
    await w.wait(MINUTE);
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "agent_error");
  });

  on("an agent that failed and was active for us since is given work at once", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.report(agentId, "error", { taskId: id });
    w.clock.advance(SECOND);
    await w.report(agentId, "active", { taskId: id });
    await w.acknowledge(attempt);
    assert.equal((await w.getTask(id)).status, "failed");
    assert.equal(await w.store.agents.blocked(agentId), null);
  });

  for (const details of ["result", ["result"], 5, true, null, { message: "done" }]) {
    on(`an agent that reports ${JSON.stringify(details)} with its task's end has given no result`, async (w) => {
      const { agentId, id, attempt } = await dispatched(w);
      await w.acknowledge(attempt);
      assert.equal(await w.report(agentId, "completed", { taskId: id, details }), id);
      assert.deepEqual([(await w.getTask(id)).status, (await w.getTask(id)).result], ["completed", null]);
    });
  }
}

function ownOrder(on: Declare): void {
  on("hole 14: the agent's own clock orders reports, whichever arrived last", async (w) => {
    const agentId = await bareAgent(w);
    const { id } = await w.task();
    await w.acknowledge(w.take());
    const t = w.clock.now();
    w.clock.advance(SECOND);
    assert.equal(await w.report(agentId, "idle", { at: t + 2_000, details: { result: "late" } }), null);
    w.clock.advance(SECOND);
    assert.equal(await w.report(agentId, "active", { at: t + 1_000 }), id);
    assert.equal((await w.getTask(id)).result, '"late"');
    assert.equal((await w.store.agents.get(agentId))?.state, "active", "shown is what came last");
    assert.equal(await w.store.agents.blocked(agentId), null, "what decides is what the agent said last");
  });

  on("hole 14: an older report that arrives later is shown, and decides nothing", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    const t = w.clock.now();
    await w.report(agentId, "active", { at: t });
    w.clock.advance(SECOND);
    await w.report(agentId, "initializing", { at: t - SECOND });
    assert.equal((await w.attempt(id, 1)).status, "acknowledged", "its restart was long ago");
    await w.store.tasks.cancel(id, "no more");
    await w.report(agentId, "idle", { at: t - 2 * SECOND });
    assert.equal(await w.slots(agentId), "1/1", "it was idle long ago");
    await w.report(agentId, "idle", { at: t + SECOND });
    await w.report(agentId, "error", { at: t });
    assert.deepEqual(
      [(await w.store.agents.get(agentId))?.state, await w.store.agents.blocked(agentId), await w.slots(agentId)],
      ["error", null, "0/0"],
    );
    await w.crash();
    assert.equal(await w.store.agents.blocked(agentId), null);
    assert.deepEqual(
      (await w.store.agents.states(agentId, { limit: 2 })).items.map(({ state }) => state),
      ["error", "idle"],
    );
  });

  on("hole 14: reports of the last attempt that are delivered again prove nothing about the next", async (w) => {
    const agentId = await bareAgent(w);
    const first = await w.task();
    await w.acknowledge(w.take());
    const t = w.clock.now() + 1;
    w.clock.advance(SECOND);
    await w.report(agentId, "active", { at: t });
    assert.equal(await w.report(agentId, "idle", { at: t + 5 }), first.id);
    const second = await w.task();
    await w.acknowledge(w.take());
    w.clock.advance(SECOND);
    await w.report(agentId, "active", { at: t });
    assert.equal(await w.report(agentId, "idle", { at: t + 5 }), null);
    assert.equal((await w.getTask(second.id)).status, "running");
    await w.report(agentId, "active", { at: t + 10 });
    assert.equal(await w.report(agentId, "idle", { at: t + 11 }), second.id);
  });

  on("hole 14: times of reports more than a minute apart, and times we made, are not compared", async (w) => {
    const agentId = await bareAgent(w);
    const { id } = await w.task();
    await w.acknowledge(w.take());
    const t = w.clock.now();
    await w.wait(2 * SECOND);
    await w.report(agentId, "active", { at: t + 100 * MINUTE });
    await w.wait(61 * SECOND);
    assert.equal(await w.report(agentId, "idle", { at: t }), id, "by receipt");
    const second = await w.task();
    await w.acknowledge(w.take());
    w.clock.advance(SECOND);
    await w.report(agentId, "active", { at: t + 200 * MINUTE });
    w.clock.advance(SECOND);
    assert.equal(await w.report(agentId, "idle", { at: null }), second.id);
  });

  on("`active` that our work caused keeps nobody from work; `active` otherwise does, until it lapses", async (w) => {
    const { agentId, attempt } = await dispatched(w);
    await say(w, agentId, "active");
    await w.complete(attempt);
    assert.equal(await w.store.agents.blocked(agentId), null);
    await say(w, agentId, "active");
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "agent_busy_elsewhere");
    const { id } = await w.task();
    await w.dispatch();
    assert.equal((await w.store.tasks.why(id))?.reason, "agent_busy_elsewhere");
    await w.wait(10 * MINUTE);
    assert.equal(w.take().taskId, id);
  });

  on("an `error` that was not about our work lapses after ten minutes", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    await say(w, agentId, "error");
    const { id } = await w.task();
    assert.equal(await w.dispatch(), 0);
    assert.equal((await w.getTask(id)).blocked?.reason, "agent_error");
    await w.wait(10 * MINUTE);
    assert.equal(w.take().taskId, id);
  });
}
