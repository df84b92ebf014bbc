import assert from "node:assert/strict";
import { SECOND } from "../../domain/clock.ts";
import { graphOf, listOf, step, workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { withCode } from "./test-world.ts";

export const sessionsSuite: Suite = (on) => {
  on("a session in list order runs one step after the other and answers the last result", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("first", "second"), { data: { text: "hello" } });
    assert.equal(session.status, "running");
    const first = w.take();
    assert.deepEqual([first.agentId, first.parameters], [agentId, '{"text":"hello"}']);
    assert.deepEqual(await w.steps(session.id), { 0: "running" });
    await w.complete(first, { words: 1 });
    const second = w.take();
    assert.deepEqual(JSON.parse(second.parameters), { previous: { words: 1 } });
    await w.complete(second, "done");
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.result, ended.error], ["completed", '"done"', null]);
    assert.equal(ended.endedAt, w.clock.now());
    assert.deepEqual(await w.steps(session.id), { 0: "completed", 1: "completed" });
  });

  on("a chain follows nextTaskId, whatever the listed order", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const chain = workflow([step("a", { nextTaskId: "c" }), step("b"), step("c", { nextTaskId: "b" })]);
    const session = await w.start(chain);
    const order: string[] = [];
    while (w.sent.length > 0) {
      const attempt = w.take();
      order.push(attempt.taskName);
      await w.complete(attempt, attempt.taskName);
    }
    assert.deepEqual(order, ["a", "c", "b"]);
    assert.equal((await w.getSession(session.id)).result, '"b"');
  });

  on("a session is started until its first task is claimed", async (w) => {
    const session = await w.start(listOf("only"));
    assert.equal(session.status, "started");
    await w.agent("worker", { capabilities: ["work"] });
    assert.equal((await w.getSession(session.id)).status, "started");
    assert.equal(await w.dispatch(), 1);
    assert.equal((await w.getSession(session.id)).status, "running");
    await w.complete(w.take());
  });

  on("a graph runs its branches side by side and joins them once all have ended", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 5 });
    const session = await w.start(graphOf({ split: [], left: ["split"], right: ["split"], join: ["left", "right"] }));
    await w.complete(w.take());
    const [left, right] = [w.take(), w.take()];
    assert.deepEqual([left.taskName, right.taskName], ["left", "right"]);
    await w.complete(left, 1);
    assert.equal(w.sent.length, 0);
    await w.complete(right, 2);
    const join = w.take();
    assert.deepEqual(JSON.parse(join.parameters), { previous: { left: 1, right: 2 } });
    await w.complete(join, 3);
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.result], ["completed", '{"join":3}']);
  });

  on("hole 1: two branches that complete in the same instant start their join exactly once", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 50 });
    const names = Array.from({ length: 20 }, (_, i) => `branch${i}`);
    const branches = Object.fromEntries(names.map((name) => [name, []]));
    const session = await w.start(graphOf({ ...branches, join: names }));
    const attempts = w.sent.splice(0);
    assert.equal(attempts.length, 20);
    await Promise.all(attempts.map((attempt) => w.complete(attempt, attempt.taskName)));
    const join = w.take();
    assert.equal(w.sent.length, 0);
    assert.equal(Object.keys(JSON.parse(join.parameters).previous).length, 20);
    await w.complete(join);
    assert.equal((await w.getSession(session.id)).status, "completed");
  });

  on("a session that is not to start yet has its tasks wait", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("later"), { startAt: w.clock.now() + 5 * SECOND });
    assert.equal(w.sent.length, 0);
    assert.equal((await w.getSession(session.id)).blocked?.reason, "delayed");
    await w.wait(4.999_999 * SECOND);
    assert.equal(w.sent.length, 0);
    await w.wait(1);
    await w.complete(w.take());
    assert.equal((await w.getSession(session.id)).status, "completed");
  });

  on("a workflow without tasks completes as it starts", async (w) => {
    const session = await w.start({ id: "none", name: "none", tasks: [] });
    assert.deepEqual([session.status, session.result], ["completed", '{"message":"Workflow has no tasks"}']);
  });

  on("a step without a target goes to the agent of the trigger; without one nothing is stored", async (w) => {
    const agentId = await w.agent("anyone");
    const session = await w.start(workflow([{ taskId: "a" }]), { agentId });
    assert.equal(w.take().agentId, agentId);
    const orphan = w.session({ id: "other", name: "other", tasks: [{ taskId: "a" }] }, { saveWorkflow: true });
    await assert.rejects(w.store.sessions.start(orphan), withCode("no_target"));
    assert.equal(await w.store.sessions.get(orphan.sessionId), null);
    assert.equal(await w.store.workflows.get("other"), null);
    assert.equal(await w.store.workflows.definition(orphan.planHash), null);
    assert.deepEqual(await w.types(orphan.sessionId), []);
    await w.store.sessions.cancel(session.id, "enough");
  });

  on("a started session records its workflow, and keeps its definition when the workflow changes", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("one", "two"), { saveWorkflow: true });
    assert.equal((await w.store.workflows.get("flow"))?.steps, 2);
    const other = await w.start(workflow([step("only")], { version: "2" }), { saveWorkflow: true });
    assert.equal((await w.store.workflows.get("flow"))?.version, "1", "an id that is known is not saved again");
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 1);
    await w.complete(w.take());
    assert.equal((await w.getSession(other.id)).status, "completed");
    assert.equal(await w.dispatch(), 1);
    assert.equal(w.take().taskName, "two");
    assert.notEqual(other.planHash, session.planHash);
  });

  on("a definition that a session brings along makes no workflow, unless it is asked to", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { planHash } = await w.start(listOf("only"));
    assert.equal(await w.store.workflows.get("flow"), null);
    assert.notEqual(await w.store.workflows.definition(planHash), null);
  });

  on("a session that changed says when", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id, createdAt } = await w.start(listOf("only"));
    w.clock.advance(SECOND);
    const cancelled = await w.store.sessions.cancel(id, "no more");
    assert.equal(cancelled.updatedAt, createdAt + SECOND);
    assert.equal((await w.getSession(id)).updatedAt, createdAt + SECOND);
  });
};
