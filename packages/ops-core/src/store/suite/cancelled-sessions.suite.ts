import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import { SECOND } from "../../domain/clock.ts";
import { LISTENS } from "./test-cancellations.ts";
import { step, workflow } from "./test-definitions.ts";
import { apply, statuses, undoable } from "./test-language.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { compensation } from "./test-undoing.ts";
import { need, type World, withCode } from "./test-world.ts";

/** Cancelling sessions, those within them, agents that ask for their work, and what is undone afterwards. */
export const cancelledSessionsSuite: Suite = (on) => {
  sessions(on);
  asking(on);
  undoing(on);
};

async function ofSession(w: World, id: string, limit = 50) {
  return (await w.store.cancellations.ofSession(id, { limit })).items;
}

/** A session whose only step is one whose only step is one. */
async function grandparent(w: World, inner: JsonObject[], rest: JsonObject = {}) {
  await apply(w, workflow(inner, { id: "inner", ...rest }));
  await apply(w, workflow([step("call", { workflow: { id: "inner" } })].map(asCall), { id: "middle" }));
  return (await w.start(workflow([asCall(step("call", { workflow: { id: "middle" } }))]))).id;
}

function asCall({ agentCapability: _, ...call }: JsonObject): JsonObject {
  return call;
}

function sessions(on: Declare): void {
  on("cancelling a session tells which agents were at it, those of the sessions within it, too", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3, ...LISTENS });
    const id = await grandparent(w, [step("a", { dependsOn: [] }), step("b", { dependsOn: [] })]);
    const [a, b] = w.sent.splice(0);
    assert.ok(a && b);
    await w.store.sessions.cancel(id, "enough");
    const all = await ofSession(w, id);
    assert.deepEqual(
      all.map(({ taskId, stepId, reason, stage }) => [taskId, stepId, reason, stage]),
      [
        [a.taskId, "a", "enough", "requested"],
        [b.taskId, "b", "enough", "requested"],
      ],
    );
    assert.ok(all.every(({ sessionId }) => sessionId !== id));
    await w.store.cancellations.confirm(a.taskId, a.token, { status: "stopped", note: null });
    await w.wait(15 * SECOND);
    assert.deepEqual(
      (await ofSession(w, id)).map(({ stage }) => stage),
      ["stopped", "unreachable"],
    );
    assert.deepEqual((await w.types(need(all[0]?.sessionId, "session"))).slice(-4), [
      "cancellation.requested",
      "session.cancelled",
      "cancellation.stopped",
      "cancellation.unreachable",
    ]);
  });

  on("they are listed page by page, and those of other sessions are not", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9, ...LISTENS });
    const ids: string[] = [];
    for (let i = 0; i < 2; i += 1) {
      const { id } = await w.start(workflow(["a", "b", "c"].map((name) => step(name, { dependsOn: [] }))));
      await w.store.sessions.cancel(id, "enough");
      ids.push(id);
    }
    const first = await w.store.cancellations.ofSession(need(ids[0], "id"), { limit: 2 });
    const cursor = need(first.nextCursor, "cursor");
    const rest = await w.store.cancellations.ofSession(need(ids[0], "id"), { limit: 2, cursor });
    const steps = [...first.items, ...rest.items].map(({ stepId, sessionId }) => [stepId, sessionId]);
    assert.deepEqual(
      steps,
      ["a", "b", "c"].map((name) => [name, ids[0]]),
    );
    assert.equal(rest.nextCursor, null);
  });

  on("a session's deadline is a cancellation of what is open", async (w) => {
    await w.agent("worker", { capabilities: ["work"], ...LISTENS });
    const { id } = await w.start(workflow([step("a")], { deadline: "20s" }));
    await w.wait(20 * SECOND);
    assert.equal((await w.getSession(id)).status, "failed");
    const [one] = await ofSession(w, id);
    assert.deepEqual([one?.stepId, one?.reason, one?.stage], ["a", "deadline", "requested"]);
  });

  on("a step of a session within says with its session that it was cancelled, once", async (w) => {
    await w.agent("worker", { capabilities: ["work"], ...LISTENS });
    const id = await grandparent(w, [step("a")]);
    await w.store.sessions.cancel(id, "enough");
    await w.store.sessions.cancel(id, "again");
    assert.equal((await ofSession(w, id)).length, 1);
    assert.deepEqual(await statuses(w, id), ["cancelled"]);
  });
}

function asking(on: Declare): void {
  on("an agent that asks for work is told what to stop, until it has said that it heard of it", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], maxConcurrency: 2, channel: "pull" });
    const { id } = await w.task();
    const [attempt] = await w.store.agents.claim(agentId, 1);
    const { token } = need(attempt, "attempt");
    assert.deepEqual(await w.store.cancellations.tell(agentId), { told: [], isNews: false });
    await w.store.tasks.cancel(id, "no more");
    assert.ok(w.hints.at(-1)?.lanes.has(`agent:${agentId}`), "whoever waits for work is woken");
    const [one] = await w.store.cancellations.ofTask(id);
    assert.deepEqual([one?.channel, one?.stage], ["answer", "requested"]);
    const told = [{ taskId: id, token, cancellationId: one?.id, reason: "no more" }];
    assert.deepEqual(await w.store.cancellations.tell(agentId), { told, isNews: true });
    assert.deepEqual(await w.store.cancellations.tell(agentId), { told, isNews: false });
    assert.equal((await w.store.cancellations.ofTask(id))[0]?.stage, "delivered");
    await w.store.cancellations.confirm(id, token, { status: "acknowledged", note: null });
    assert.deepEqual(await w.store.cancellations.tell(agentId), { told: [], isNews: false });
    await w.store.cancellations.confirm(id, token, { status: "stopped", note: null });
    assert.deepEqual(await w.store.cancellations.tell(agentId), { told: [], isNews: false });
  });

  on("it is told by a process that has just been started, and nobody else is", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], channel: "pull" });
    const other = await w.agent("other", { capabilities: ["other"], channel: "pull" });
    const { id } = await w.task();
    await w.store.agents.claim(agentId, 1);
    await w.store.tasks.cancel(id, "no more");
    await w.crash();
    assert.equal((await w.store.cancellations.tell(other)).told.length, 0);
    assert.equal((await w.store.cancellations.tell(agentId)).told.length, 1);
  });

  on("an agent that renews a lease is told by the refusal", async (w) => {
    for (const [channel, heartbeat] of [
      ["pull", false],
      ["push", true],
    ] as const) {
      const capability = `${channel} work`;
      const agentId = await w.agent(channel, { capabilities: [capability], channel, heartbeat });
      const { id } = await w.task({ requirement: { kind: "capability", capability, preferred: null } });
      const [attempt] = channel === "pull" ? await w.store.agents.claim(agentId, 1) : [w.take()];
      await w.store.tasks.cancel(id, "no more");
      const [one] = await w.store.cancellations.ofTask(id);
      const lease = w.store.attempts.extendLease(id, need(attempt, "attempt").token);
      await assert.rejects(lease, (error) => withCode("lease_lost")(error) && tellsOf(error, one?.id));
      assert.equal((await w.store.cancellations.ofTask(id))[0]?.stage, "delivered");
    }
  });

  on("a gateway that asks for an agent is told, too, but the agent was not", async (w) => {
    await w.agent("worker", { capabilities: ["work"], ...LISTENS });
    const { id } = await w.task();
    const { token } = w.take();
    await w.store.tasks.cancel(id, "no more");
    for (const resend of [false, true]) {
      const lease = w.store.attempts.extendLease(id, token, resend);
      await assert.rejects(lease, (error) => withCode("lease_lost")(error) && tellsOf(error));
    }
    assert.equal((await w.store.cancellations.ofTask(id))[0]?.stage, "requested");
  });
}

function tellsOf(error: unknown, id?: string): boolean {
  const { details } = error as { details?: { cancellation?: { cancellationId?: string } } };
  const told = details?.cancellation?.cancellationId;
  return told !== undefined && (id === undefined || told === id);
}

function undoing(on: Declare): void {
  on("hole 16: what was done is undone when all who were told to stop have said so", async (w) => {
    const { id, b, c } = await failing(w);
    const { status, blocked } = await w.getSession(id);
    assert.deepEqual([status, await compensation(w, id)], ["running", "running"]);
    assert.deepEqual([blocked?.reason, blocked?.since, blocked?.details.open], ["waiting_for_stop", w.clock.now(), 2]);
    const filter = { blockedReason: "waiting_for_stop" };
    assert.equal((await w.store.sessions.list({ limit: 5 }, filter)).items.length, 1);
    assert.equal(w.sent.length, 0);
    await w.store.cancellations.confirm(b.taskId, b.token, { status: "stopped", note: null });
    assert.equal(w.sent.length, 0);
    await w.complete(c, "late");
    assert.deepEqual(JSON.parse(w.take().parameters), { undo: "a", was: "A" });
    assert.equal((await w.getSession(id)).blocked, null);
    assert.equal((await w.store.sessions.list({ limit: 5 }, filter)).items.length, 0);
  });

  on("hole 16: or when the last of them was given up", async (w) => {
    const { id } = await failing(w);
    await w.wait(15 * SECOND - 1);
    assert.equal(w.sent.length, 0);
    await w.wait(1);
    assert.deepEqual(JSON.parse(w.take().parameters), { undo: "a", was: "A" });
    await assert.rejects(w.store.sessions.cancel(id, "x"), withCode("session_compensating"));
  });

  on("hole 16: a refusal is an answer, too, and a crash forgets none of it", async (w) => {
    const { b, c } = await failing(w);
    await w.crash();
    for (const { taskId, token } of [b, c]) {
      await w.store.cancellations.confirm(taskId, token, { status: "refused", note: null });
    }
    assert.deepEqual(JSON.parse(w.take().parameters), { undo: "a", was: "A" });
  });

  on("hole 16: those of sessions within are waited for", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9, ...LISTENS });
    await w.agent("undoer", { capabilities: ["undo"] });
    await apply(w, workflow([step("deep")], { id: "inner" }));
    await apply(w, workflow([asCall(step("call", { workflow: { id: "inner" } }))], { id: "middle" }));
    const call = asCall(step("call", { workflow: { id: "middle" } }));
    await w.start(workflow([undoable("a"), call], { onFailure: "compensate", deadline: "20s" }));
    await w.complete(w.take(), "A");
    const deep = w.take();
    await w.wait(20 * SECOND);
    assert.equal(w.sent.length, 0);
    await w.store.cancellations.confirm(deep.taskId, deep.token, { status: "stopped", note: null });
    assert.deepEqual(JSON.parse(w.take().parameters), { undo: "a", was: "A" });
  });
}

/** Its deadline passes after `a` is done, while `b` and `c` run; what was done is to be undone. */
async function failing(w: World) {
  await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9, ...LISTENS });
  await w.agent("undoer", { capabilities: ["undo"] });
  const tasks = [undoable("a"), step("b", { dependsOn: ["a"] }), step("c", { dependsOn: ["a"] })];
  const { id } = await w.start(workflow(tasks, { onFailure: "compensate", deadline: "20s" }));
  await w.complete(w.take(), "A");
  const [b, c] = w.sent.splice(0);
  assert.ok(b && c);
  await w.wait(20 * SECOND);
  return { id, b, c };
}
