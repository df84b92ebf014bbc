import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { Requirement } from "../../domain/tasks/task.ts";
import { graphOf, listOf, step, workflow } from "./test-definitions.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { failed, need, type World } from "./test-world.ts";

const ALONE = { ...STEP_RETRY, maxAttempts: 1 };

/** Who is given what, in which order, and why not. */
export const claimsSuite: Suite = (on) => {
  choice(on);
  order(on);
  reasons(on);
};

function capability(name: string, preferred: string | null = null): { requirement: Requirement } {
  return { requirement: { kind: "capability", capability: name, preferred } };
}

function choice(on: Declare): void {
  on("a task wants an agent by id, by name, or by a capability", async (w) => {
    const id = await w.agent("reader", { capabilities: ["read"], maxConcurrency: 3 });
    await w.task({ requirement: { kind: "agent", agentId: id } });
    await w.task({ requirement: { kind: "agentName", agentName: "reader" } });
    await w.task(capability("read"));
    assert.deepEqual(
      w.sent.map(({ agentId }) => agentId),
      [id, id, id],
    );
    await w.task(capability("write"));
    await w.task({ requirement: { kind: "agentName", agentName: "Reader" } });
    assert.equal(w.sent.length, 3);
  });

  on("the path agent is taken first when it has the capability and is free, else any other", async (w) => {
    await w.agent("any", { capabilities: ["work"] });
    const path = await w.agent("path", { capabilities: ["work"] });
    await w.task(capability("work", path));
    assert.equal(w.take().agentId, path);
    await w.task(capability("work", path));
    assert.equal(w.take().agentName, "any");
    const stranger = await w.agent("stranger");
    await w.agent("third", { capabilities: ["work"] });
    await w.task(capability("work", stranger));
    assert.equal(w.take().agentName, "third");
  });

  on("equal agents take turns", async (w) => {
    for (const name of ["a", "b", "c"]) await w.agent(name, { capabilities: ["work"] });
    const names: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      await w.task();
      const attempt = w.take();
      names.push(attempt.agentName);
      await w.complete(attempt);
    }
    assert.deepEqual(names, ["a", "b", "c", "a", "b", "c"]);
  });

  for (const names of [
    ["lost", "suspect"],
    ["suspect", "lost"],
  ]) {
    on(`of agents in doubt the one that is least so is taken, whoever was there first: ${names[0]}`, async (w) => {
      const ids = new Map<string, string>();
      for (const name of names) ids.set(name, await w.agent(name, { capabilities: ["work", name] }));
      for (let i = 0; i < 3; i += 1) {
        await w.task({ ...capability("suspect"), retry: ALONE });
        await w.observe(w.take(), failed("agent_error", "answer"));
      }
      const { id } = await w.task();
      const lost = w.take().agentId;
      assert.equal(lost, ids.get("lost"));
      for (const state of ["initializing", "idle"]) await w.report(lost, state);
      await w.dispatch();
      const again = w.take();
      assert.deepEqual([again.taskId, again.agentId], [id, ids.get("suspect")]);
    });
  }

  on("hole 19: a busy agent's backlog never hides idle agents", async (w) => {
    const busy = await w.agent("busy", { capabilities: ["work"] });
    for (let i = 0; i < 20; i += 1) await w.task({ requirement: { kind: "agent", agentId: busy } });
    await w.agent("idle", { capabilities: ["rest"] });
    const { id } = await w.task(capability("rest"));
    assert.equal(w.sent.at(-1)?.taskId, id);
  });

  const states: readonly [string, string | null][] = [
    ["UNKNOWN", null],
    ["idle", null],
    ["IDLE", null],
    ["a word of its own", null],
    ["initializing", "agent_initializing"],
    ["finished", "agent_finished"],
    ["error", "agent_error"],
    ["active", "agent_busy_elsewhere"],
  ];
  for (const [state, reason] of states) {
    on(`an agent that reported \`${state}\` is ${reason === null ? "given work" : `not: ${reason}`}`, async (w) => {
      const agentId = await w.agent("worker", { capabilities: ["work"] });
      await w.report(agentId, state);
      const { id } = await w.task();
      await w.dispatch();
      assert.equal(w.sent.length, reason === null ? 1 : 0);
      if (reason !== null) assert.equal((await w.store.tasks.why(id))?.reason, reason);
      await w.report(agentId, "idle");
      await w.dispatch();
      assert.equal(w.sent.length, 1);
    });
  }

  on("`active` with more than one slot is no reason to wait", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    await w.report(agentId, "active");
    await w.task();
    assert.equal(w.sent.length, 1);
  });
}

function order(on: Declare): void {
  const names = (w: World) => w.sent.splice(0).map(({ taskName }) => taskName);

  on("hole 20: first come, first served, and a point of priority is worth a minute of waiting", async (w) => {
    await w.task({ name: "first" });
    w.clock.advance(SECOND);
    await w.task({ name: "second" });
    await w.task({ name: "urgent", priority: 1 });
    await w.task({ name: "unimportant", priority: -1 });
    w.clock.advance(59 * SECOND);
    await w.task({ name: "a minute later, urgent", priority: 1 });
    w.clock.advance(MINUTE);
    await w.task({ name: "two minutes later, urgent", priority: 1 });
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 10 });
    assert.equal(await w.dispatch(), 6);
    assert.deepEqual(names(w), [
      "urgent",
      "first",
      "a minute later, urgent",
      "second",
      "two minutes later, urgent",
      "unimportant",
    ]);
  });

  on("hole 20: a wide session does not keep the others waiting", async (w) => {
    const wide = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`wide${i}`, []]));
    await w.start(graphOf(wide));
    w.clock.advance(SECOND / 4);
    await w.start(workflow([step("late")], { id: "other" }));
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 20 });
    await w.dispatch();
    assert.deepEqual(names(w).indexOf("late"), 3, "after those whose turn came in the first quarter of a second");
  });

  on("hole 21: a long session hands its agent on when an earlier task waits for it", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const long = await w.start(listOf("one", "two", "three"));
    w.clock.advance(1);
    const short = await w.task({ name: "short" });
    await w.complete(w.take());
    assert.equal(w.sent.length, 0, "`two` is behind `short`");
    assert.equal(await w.dispatch(), 1);
    await w.complete(w.take());
    assert.equal((await w.getTask(short.id)).status, "completed");
    await w.dispatch();
    assert.equal(w.take().sessionId, long.id);
  });

  on("hole 21: a process that sends nothing creates no claimed work", async (w) => {
    w.capacity = 0;
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task();
    assert.equal(await w.dispatch(), 0);
    assert.equal((await w.getTask(id)).status, "pending");
    w.capacity = 1;
    assert.equal(await w.dispatch(), 1);
  });

  on("hole 21: earlier work in any lane the agent serves comes first, whichever lane was woken", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work", "other"] });
    await w.task({ name: "running" });
    w.clock.advance(1);
    await w.task({ name: "by id", requirement: { kind: "agent", agentId } });
    w.clock.advance(1);
    await w.task({ name: "by other", ...capability("other") });
    w.clock.advance(1);
    await w.task({ name: "by work" });
    const done: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      const attempt = w.take();
      done.push(attempt.taskName);
      await w.complete(attempt);
      await w.store.tasks.claimLanes(10, ["capability:work"]);
      await w.dispatch();
    }
    assert.deepEqual(done, ["running", "by id", "by other", "by work"]);
  });

  on("hole 20: a lane that is always full does not starve another one of the same agent", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    for (let i = 0; i < 3; i += 1) await w.task({ name: "full" });
    w.clock.advance(1);
    await w.task({ name: "alone", requirement: { kind: "agent", agentId } });
    const done: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      const attempt = w.take();
      done.push(attempt.taskName);
      w.clock.advance(1);
      await w.task({ name: "full" });
      await w.complete(attempt);
      await w.dispatch();
    }
    assert.deepEqual(done.slice(0, 5), ["full", "full", "full", "alone", "full"]);
  });

  on("no more is claimed than was asked for", async (w) => {
    for (let i = 0; i < 5; i += 1) await w.task();
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 5 });
    assert.equal(await w.store.tasks.claimLanes(2), 2);
    assert.equal(await w.store.tasks.claimLanes(10, ["capability:other"]), 0);
    assert.equal(await w.store.tasks.claimLanes(10, ["capability:work"]), 3);
  });

  on("work that waited when the process died is found again", async (w) => {
    await w.task();
    await w.crash();
    await w.agent("worker", { capabilities: ["work"] });
    await w.crash();
    assert.equal(await w.dispatch(), 1);
  });

  on("a task whose deadline has passed is not given out any more", async (w) => {
    const { id } = await w.task({ deadline: SECOND });
    await w.agent("worker", { capabilities: ["work"] });
    w.clock.advance(SECOND);
    assert.equal(await w.dispatch(), 0);
    await w.expire();
    assert.deepEqual([(await w.getTask(id)).error?.code, (await w.getTask(id)).used], ["deadline_exceeded", 0]);
  });

  on("lanes are named in the hints when work in them may be claimed", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    await w.task();
    w.hints.length = 0;
    const { id } = await w.task();
    assert.deepEqual([...need(w.hints[0], "hints").lanes], ["capability:work"]);
    const attempt = w.take();
    w.hints.length = 0;
    await w.complete(attempt);
    assert.ok(w.hints[0]?.lanes.has("capability:work"));
    await w.dispatch();
    await w.fail(w.take());
    w.hints.length = 0;
    await w.report(agentId, "idle");
    assert.ok(w.hints[0]?.lanes.has("capability:work"));
    await w.store.tasks.cancel(id, "done");
    const waiting = await w.task(capability("rare"));
    w.hints.length = 0;
    await w.agent("rare", { capabilities: ["rare"] });
    assert.ok(w.hints[0]?.lanes.has("capability:rare"));
    await w.dispatch();
    assert.equal(w.take().taskId, waiting.id);
  });
}

function reasons(on: Declare): void {
  on("hole 19: a lane says who holds what and since when; the reason is written on change only", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const running = await w.task();
    const startedAt = w.clock.now();
    w.clock.advance(SECOND);
    const { id } = await w.task();
    assert.equal((await w.getTask(id)).blocked?.reason, "queued");
    await w.dispatch();
    const first = need((await w.getTask(id)).blocked, "reason");
    assert.deepEqual([first.reason, first.since], ["agent_busy", startedAt + SECOND]);
    assert.deepEqual(first.details.agents, [
      { agentId, agentName: "worker", reason: "agent_busy", holds: [{ taskId: running.id, since: startedAt }] },
    ]);
    assert.match(first.message, /`worker` is busy with task_/);
    w.clock.advance(SECOND);
    await w.dispatch();
    assert.deepEqual((await w.getTask(id)).blocked, first);
    assert.deepEqual(await w.store.tasks.why(id), first);
    await w.report(agentId, "initializing");
    await w.dispatch();
    const second = need((await w.getTask(id)).blocked, "reason");
    assert.deepEqual([second.reason, second.since], ["agent_initializing", w.clock.now()]);
  });

  on("a lane keeps its reason when nothing waits in another one any more", async (w) => {
    const want = (capability: string) => ({ kind: "capability", capability, preferred: null }) as const;
    const tasks = [await w.task({ requirement: want("a") }), await w.task({ requirement: want("b") })];
    await w.dispatch();
    const [a, b] = tasks.map(({ id }) => id);
    const { blocked } = await w.getTask(need(b, "task"));
    assert.equal(blocked?.reason, "no_capable_agent");
    w.clock.advance(SECOND);
    await w.store.tasks.cancel(need(a, "task"), "no more");
    await w.dispatch();
    assert.deepEqual((await w.getTask(need(b, "task"))).blocked, blocked);
  });

  on("no agent with the capability: the nearest are named", async (w) => {
    await w.agent("a", { capabilities: ["text.score", "image.crop"] });
    const { id } = await w.task(capability("text.scores"));
    await w.dispatch();
    const blocked = need((await w.getTask(id)).blocked, "reason");
    assert.deepEqual([blocked.reason, blocked.details.nearest], ["no_capable_agent", ["text.score"]]);
    assert.match(blocked.message, /`text\.score`/);
    const byName = await w.task({ requirement: { kind: "agentName", agentName: "aa" } });
    const byId = await w.task({ requirement: { kind: "agent", agentId: "none" } });
    await w.dispatch();
    assert.equal((await w.getTask(byName.id)).blocked?.reason, "no_such_agent");
    assert.equal((await w.getTask(byId.id)).blocked?.reason, "agent_gone");
  });

  on("several agents that wait for different reasons are told apart", async (w) => {
    await w.agent("busy", { capabilities: ["work"] });
    await w.task();
    const failing = await w.agent("failing", { capabilities: ["work"] });
    await w.report(failing, "error");
    const finished = await w.agent("finished", { capabilities: ["rest"] });
    await w.report(finished, "finished");
    const broken = await w.agent("broken", { capabilities: ["rest"] });
    await w.report(broken, "error");
    const { id } = await w.task();
    const rest = await w.task(capability("rest"));
    await w.dispatch();
    assert.equal((await w.getTask(id)).blocked?.reason, "agents_busy");
    assert.equal((await w.getTask(rest.id)).blocked?.reason, "agents_unavailable");
  });

  on("`why` tells of running, waiting and ended tasks, and of a reason that has gone", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    await w.report(agentId, "error");
    const { id } = await w.task();
    await w.dispatch();
    await w.report(agentId, "idle");
    assert.equal((await w.store.tasks.why(id))?.reason, "queued");
    await w.dispatch();
    assert.equal((await w.store.tasks.why(id))?.reason, "sending");
    const attempt = w.take();
    await w.acknowledge(attempt);
    assert.equal((await w.store.tasks.why(id))?.reason, "agent_working");
    await w.complete(attempt);
    assert.equal(await w.store.tasks.why(id), null);
    assert.equal(await w.store.tasks.why("task_none"), null);
  });

  on("tasks and sessions are listed by what they wait for", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const running = await w.start(listOf("a"));
    const busy = await w.start(listOf("a"));
    const delayed = await w.start(listOf("a"), { startAt: w.clock.now() + MINUTE });
    await w.dispatch();
    const tasksBy = async (blockedReason: string) =>
      (await w.store.tasks.list({ limit: 9 }, { blockedReason })).items.map(({ sessionId }) => sessionId);
    const sessionsBy = async (blockedReason: string) =>
      (await w.store.sessions.list({ limit: 9 }, { blockedReason })).items.map(({ id }) => id);
    for (const listed of [tasksBy, sessionsBy]) {
      assert.deepEqual(await listed("agent_busy"), [busy.id]);
      assert.deepEqual(await listed("delayed"), [delayed.id]);
      assert.deepEqual(await listed("backoff"), []);
    }
    w.ids.chance = 0.9;
    await w.fail(w.take());
    for (const listed of [tasksBy, sessionsBy]) assert.deepEqual(await listed("backoff"), [running.id]);
  });
}
