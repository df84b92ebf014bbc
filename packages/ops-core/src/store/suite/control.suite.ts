import assert from "node:assert/strict";
import { HOUR, MINUTE, SECOND } from "../../domain/clock.ts";
import { graphOf, listOf, step, workflow } from "./test-definitions.ts";
import { apply } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { failed, need, type World, withCode } from "./test-world.ts";

const CALL = { taskId: "call", workflow: { id: "child" } };

function pause(w: World, id: string, reason: string | null = null) {
  return w.store.sessions.pause(id, "ann", reason);
}

async function statusOf(w: World, id: string): Promise<string> {
  return (await w.getSession(id)).status;
}

/** A session whose only step is a session of its own, and that one. */
async function family(w: World): Promise<{ parent: string; child: string }> {
  await apply(w, workflow([step("inner"), step("last")], { id: "child", input: {} }));
  const { id } = await w.start(workflow([CALL]));
  return { parent: id, child: await childOf(w, id) };
}

async function childOf(w: World, parent: string): Promise<string> {
  const { items } = await w.store.sessions.list({ limit: 5 }, { parent });
  return need(items[0], "child").id;
}

export const controlSuite: Suite = (on) => {
  on("no task of a paused session is claimed, and it says so, until the session goes on", async (w) => {
    const { id } = await w.start(listOf("a"));
    const other = await w.start(listOf("other"));
    w.clock.advance(SECOND);
    const paused = await pause(w, id, "The index is being rebuilt.");
    assert.deepEqual([paused.status, paused.pause?.since], ["paused", w.clock.now()]);
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    assert.equal(await w.dispatch(), 1);
    assert.equal(w.take().sessionId, other.id);
    const puller = await w.agent("puller", { capabilities: ["work"], channel: "pull" });
    assert.deepEqual(await w.store.agents.claim(puller, 9), []);
    const { blocked } = await w.getSession(id);
    assert.deepEqual(blocked, {
      reason: "session_paused",
      message: `Session ${id} was paused by ann: The index is being rebuilt.`,
      since: w.clock.now(),
      details: { sessionId: id, by: "ann", reason: "The index is being rebuilt." },
    });
    const { items } = await w.store.tasks.list({ limit: 5 }, { blockedReason: "session_paused" });
    assert.deepEqual(
      items.map((task) => [task.sessionId, task.blocked]),
      [[id, blocked]],
    );
    assert.deepEqual(await w.store.tasks.why(need(items[0], "task").id), blocked);
    const listed = await w.store.sessions.list({ limit: 5 }, { blockedReason: "session_paused" });
    assert.deepEqual(
      listed.items.map((session) => session.id),
      [id],
    );
    w.clock.advance(SECOND);
    assert.equal((await w.store.sessions.resume(id, "bob")).status, "running");
    assert.equal(await w.dispatch(), 1);
    assert.equal(w.take().sessionId, id);
  });

  on("what runs when a session is paused may end, and what follows is held", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    const { id } = await w.start(listOf("a", "b"));
    const first = w.take();
    await pause(w, id);
    assert.deepEqual(await w.complete(first, 1), { type: "accepted", taskStatus: "completed" });
    assert.deepEqual(await w.steps(id), { 0: "completed", 1: "running" });
    assert.deepEqual([w.sent.length, await w.dispatch()], [0, 0]);
    await w.store.sessions.resume(id, "ann");
    await w.dispatch();
    assert.deepEqual(JSON.parse(w.take().parameters), { previous: 1 });
  });

  on("a session whose last work ends while it is paused has ended", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.start(listOf("a"));
    await pause(w, id);
    await w.complete(w.take(), "done");
    const session = await w.getSession(id);
    assert.deepEqual([session.status, session.result, session.pause], ["completed", '"done"', null]);
    await assert.rejects(pause(w, id), withCode("session_terminal"));
    await assert.rejects(w.store.sessions.resume(id, "ann"), withCode("session_terminal"));
  });

  on("retries and fallbacks of a paused session wait for it", async (w) => {
    await w.agent("worker", { capabilities: ["work", "other"], maxConcurrency: 9 });
    const retry = { maxAttempts: 2, initialDelay: "1s", maxDelay: "1s" };
    const a = step("a", { retry, fallback: { agentCapability: "other" } });
    const { id } = await w.start(workflow([a]));
    await pause(w, id);
    await w.fail(w.take());
    await w.wait(MINUTE);
    assert.equal(w.sent.length, 0);
    await w.store.sessions.resume(id, "ann");
    await w.dispatch();
    const second = w.take();
    await pause(w, id);
    await w.fail(second);
    await w.wait(MINUTE);
    assert.equal(w.sent.length, 0);
    await w.store.sessions.resume(id, "ann");
    await w.dispatch();
    assert.equal(w.take().capability, "other");
  });

  on("an attempt of a paused session that never left is held back as well", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.start(listOf("a"));
    const sent = w.take();
    await pause(w, id);
    await w.observe(sent, failed("lost"));
    await w.wait(MINUTE);
    assert.deepEqual([w.sent.length, await w.dispatch()], [0, 0]);
  });

  on("a time that comes while a session is paused has come, and what follows is held", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.start(workflow([{ taskId: "nap", wait: { for: "1h" } }, step("b")]));
    assert.equal(await statusOf(w, id), "waiting");
    await pause(w, id);
    await w.wait(HOUR);
    assert.deepEqual(await w.steps(id), { 0: "completed", 1: "running" });
    assert.deepEqual([await statusOf(w, id), w.sent.length], ["paused", 0]);
  });

  on("a signal is taken by a paused session, which then waits for the next as before", async (w) => {
    const waits = ["one", "two"].map((taskId) => ({ taskId, wait: { signal: "go" } }));
    const { id } = await w.start(workflow(waits));
    await pause(w, id);
    const signal = { sessionId: id, name: "go", payload: "1" };
    assert.deepEqual(await w.store.sessions.signal(signal), { delivered: true, replayed: false });
    assert.equal(await statusOf(w, id), "paused");
    const { items } = await w.store.sessions.list({ limit: 5 }, { blockedReason: "waiting_for_signal" });
    assert.deepEqual(items, []);
    assert.equal((await w.store.sessions.resume(id, "ann")).status, "waiting");
    assert.deepEqual((await w.types(id)).slice(-2), ["session.resumed", "session.waiting"]);
  });

  on("a session that goes on says so once, and by whom", async (w) => {
    const { id } = await w.start(listOf("a"));
    await pause(w, id);
    await w.store.sessions.resume(id, "bob");
    const told = (await w.store.events.list(0, 100, id)).filter(({ type }) => type === "session.resumed");
    assert.deepEqual(
      told.map(({ data }) => data),
      [{ by: "bob" }],
    );
  });

  on("pausing and resuming twice changes nothing", async (w) => {
    const { id } = await w.start(listOf("a"));
    await pause(w, id, "first");
    w.clock.advance(SECOND);
    assert.equal((await pause(w, id, "second")).pause?.reason, "first");
    await w.store.sessions.resume(id, "ann");
    const before = await w.types(id);
    assert.equal((await w.store.sessions.resume(id, "ann")).status, "running");
    assert.deepEqual(await w.types(id), before);
    await assert.rejects(pause(w, "unknown"), withCode("session_not_found"));
  });

  on("deadlines go on while a session is paused: its tasks' and its own", async (w) => {
    const short = step("a", { deadline: "10s", onFailure: "continue" });
    const { id } = await w.start(workflow([short, step("b")], { deadline: "1m" }));
    await pause(w, id);
    await w.wait(20 * SECOND);
    assert.deepEqual(await w.steps(id), { 0: "failed", 1: "running" });
    await w.wait(MINUTE);
    const session = await w.getSession(id);
    assert.deepEqual([session.status, session.error?.code], ["failed", "deadline_exceeded"]);
  });

  on("a paused session can be cancelled", async (w) => {
    const { id } = await w.start(listOf("a"));
    await pause(w, id);
    assert.equal((await w.store.sessions.cancel(id, "no more")).status, "cancelled");
  });

  on("what a paused session undoes waits, too; what undoes already is not paused", async (w) => {
    await w.agent("worker", { capabilities: ["work", "undo"], maxConcurrency: 9 });
    const a = step("a", { compensate: { agentCapability: "undo" } });
    const document = workflow([a, step("b", { retry: { maxAttempts: 1 } })], { onFailure: "compensate" });
    const { id } = await w.start(document);
    await w.complete(w.take());
    await pause(w, id);
    await w.fail(w.take(), "rejected");
    assert.deepEqual([await statusOf(w, id), await w.dispatch()], ["paused", 0]);
    await w.store.sessions.resume(id, "ann");
    assert.equal(await w.dispatch(), 1);
    await assert.rejects(pause(w, id), withCode("session_compensating"));
    await w.complete(w.take());
    assert.equal((await w.getSession(id)).compensation, "complete");
  });

  on("sessions within a paused one are paused and go on with it; by themselves they cannot", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { parent, child } = await family(w);
    await pause(w, parent, "later");
    assert.equal(await statusOf(w, child), "paused");
    assert.match((await w.getSession(child)).blocked?.message ?? "", new RegExp(`${parent}.*later`));
    await assert.rejects(w.store.sessions.resume(child, "ann"), withCode("parent_paused"));
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 0);
    await w.store.sessions.resume(parent, "ann");
    assert.equal(await statusOf(w, child), "running");
    assert.equal(await w.dispatch(), 1);
  });

  on("a session within another that was paused for itself stays so when the other goes on", async (w) => {
    const { parent, child } = await family(w);
    await pause(w, parent);
    await pause(w, child, "for itself");
    await w.store.sessions.resume(parent, "ann");
    assert.deepEqual([await statusOf(w, parent), await statusOf(w, child)], ["running", "paused"]);
    await pause(w, parent);
    assert.equal((await w.getSession(child)).pause?.reason, "for itself");
    await w.store.sessions.resume(parent, "ann");
    await w.store.sessions.resume(child, "ann");
    assert.equal(await statusOf(w, child), "running");
  });

  on("a session that a paused one starts begins paused, and goes on with it", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await apply(w, workflow([step("inner")], { id: "child", input: {} }));
    const { id } = await w.start(workflow([step("a"), CALL]));
    await pause(w, id);
    await w.complete(w.take());
    const child = await childOf(w, id);
    assert.deepEqual([await statusOf(w, child), await w.dispatch()], ["paused", 0]);
    await w.store.sessions.resume(id, "ann");
    assert.equal(await w.dispatch(), 1);
  });

  on("what was held keeps its place among what waits", async (w) => {
    const first = await w.start(listOf("a"));
    await pause(w, first.id);
    w.clock.advance(SECOND);
    await w.start(listOf("b"));
    await w.store.sessions.resume(first.id, "ann");
    await w.agent("worker", { capabilities: ["work"] });
    await w.dispatch();
    assert.equal(w.take().sessionId, first.id);
  });

  on("work of an agent that is removed fails in a paused session as in others", async (w) => {
    const agentId = await w.agent("worker");
    const { id } = await w.start(workflow([{ taskId: "a", retry: { maxAttempts: 1 } }]), { agentId });
    await pause(w, id);
    await w.fail(w.take());
    const other = await w.start(workflow([{ taskId: "a" }, { taskId: "b" }]), { agentId });
    await pause(w, other.id);
    await w.store.agents.remove(agentId);
    assert.equal(await statusOf(w, id), "failed");
    assert.equal((await w.getSession(other.id)).error?.code, "agent_gone");
  });

  on("a process that starts anew holds what was held", async (w) => {
    const { id } = await w.start(graphOf({ a: [], b: [] }));
    await pause(w, id);
    await w.crash();
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    assert.equal(await w.dispatch(), 0);
    await w.store.sessions.resume(id, "ann");
    assert.equal(await w.dispatch(), 2);
  });

  on("a session's priority is added to that of its steps, and its sessions have it too", async (w) => {
    await apply(w, workflow([step("inner")], { id: "child", input: {} }));
    const plain = await w.start(workflow([step("a", { priority: 1 })]));
    await w.start(workflow([CALL]), { priority: 2 });
    const late = await w.start(workflow([step("b", { priority: 1 })]), { priority: 2 });
    const agent = await w.agent("worker", { capabilities: ["work"], channel: "pull", maxConcurrency: 9 });
    const order = (await w.store.agents.claim(agent, 9)).map(({ sessionId }) => sessionId);
    assert.deepEqual([order.indexOf(late.id), order.indexOf(plain.id), order.length], [0, 2, 3]);
  });
};
