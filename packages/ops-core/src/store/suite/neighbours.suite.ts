import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { listOf, step, workflow } from "./test-definitions.ts";
import { bareAgent, say } from "./test-reports.ts";
import type { Suite } from "./test-rig.ts";
import { failed, need, senderOf, type World } from "./test-world.ts";

const ALONE = { ...STEP_RETRY, maxAttempts: 1 };
const ONLY = (name: string) => ({ requirement: { kind: "agentName", agentName: name } }) as const;

/** What happens to one thing happens to that one only. */
export const neighboursSuite: Suite = (on) => {
  on("an agent that works, drains, waits and fails is not touched by what becomes of another one", async (w) => {
    const neighbour = await busyNeighbour(w);
    const before = await picture(w, neighbour);
    const other = await w.agent("other", { capabilities: ["work"], maxConcurrency: 3, heartbeat: true });
    const deeds: readonly (() => Promise<unknown>)[] = [
      () => w.report(other, "active"),
      async () => w.complete(await given(w)),
      async () => w.fail(await given(w)),
      async () => w.acknowledge(await given(w)),
      async () => w.store.attempts.broken(senderOf(await given(w)), "reset"),
      async () => w.store.attempts.undelivered(senderOf(await given(w)), "refused"),
      async () => w.store.tasks.cancel((await given(w)).taskId, "no more"),
      () => w.report(other, "idle"),
      () => w.report(other, "initializing"),
      () => w.report(other, "idle"),
      () => w.store.agents.register(w.registration("other", { capabilities: ["work"], replace: "allowed" })),
      () => w.store.agents.announce(w.registration("other", { id: other, version: "2" })),
      () => w.store.agents.remove(other),
    ];
    for (const [i, deed] of deeds.entries()) {
      await deed();
      assert.deepEqual(await picture(w, neighbour), before, `after deed ${i}`);
    }
  });

  on("a task that falls back or is sent again changes no other", async (w) => {
    await w.agent("worker", { capabilities: ["work", "work.cheap"], maxConcurrency: 9 });
    const { id } = await w.task();
    const kept = w.take();
    await w.acknowledge(kept);
    const before = await w.getTask(id);
    await w.start(workflow([step("a", { retry: { maxAttempts: 1 }, fallback: { agentCapability: "work.cheap" } })]));
    await w.fail(w.take());
    await w.dispatch();
    const interrupted = w.take();
    await w.store.attempts.broken(senderOf(interrupted), "reset");
    await w.wait(SECOND);
    assert.equal(w.take().send, 2);
    assert.deepEqual(await w.getTask(id), before);
    assert.equal((await w.attempt(id, 1)).status, "acknowledged");
  });

  on("one endpoint's circuit is its own", async (w) => {
    const [first, second] = [await w.agent("first"), await w.agent("second")];
    for (const name of ["first", "second"]) {
      for (let i = 0; i < 5; i += 1) {
        await w.task({ ...ONLY(name), retry: ALONE });
        await w.observe(w.take(), failed("unavailable"));
      }
    }
    await w.wait(5 * SECOND);
    await w.task(ONLY("first"));
    const probe = w.take();
    await w.task(ONLY("second"));
    assert.equal(w.sent.length, 1, "each has a probe of its own");
    await w.complete(probe);
    assert.equal(await w.store.agents.blocked(first), null);
    assert.equal((await w.store.agents.blocked(second))?.reason, "circuit_open");
  });

  on("what is counted of one agent's messages says nothing about another one's", async (w) => {
    const quiet = await bareAgent(w);
    const noisy = await w.agent("noisy", { capabilities: ["noise"], timeout: 10 * MINUTE });
    const noise = { requirement: { kind: "capability", capability: "noise", preferred: null } } as const;
    await w.task({ ...noise, timeout: 2 * SECOND, retry: ALONE });
    w.take();
    const { id } = await w.task({ timeout: 10 * MINUTE });
    await w.acknowledge(w.take());
    await w.wait(10 * SECOND);
    assert.equal(await w.slots(noisy), "0/0", "freed by a timer");
    assert.deepEqual(await say(w, quiet, "active", "idle"), [null, id]);
    await say(w, quiet, "active", "idle");
    const other = await w.task(noise);
    await w.acknowledge(w.take());
    await say(w, noisy, "active", "idle");
    await w.wait(5 * SECOND);
    assert.equal((await w.getTask(other.id)).status, "running", "still ambiguous");
  });

  on("an error that was about our work lapses for the agent that reported it", async (w) => {
    const [quiet, neighbour] = [await bareAgent(w), await w.agent("neighbour")];
    await w.report(neighbour, "error");
    const { id } = await w.task({ retry: ALONE });
    await w.acknowledge(w.take());
    assert.deepEqual(await say(w, quiet, "active", "error"), [null, id]);
    await w.wait(6 * SECOND);
    assert.equal(await w.store.agents.blocked(quiet), null);
    assert.equal((await w.store.agents.blocked(neighbour))?.reason, "agent_error");
  });

  on("an idle agent frees what drains and keeps what runs", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    const { id } = await w.task();
    await w.task();
    await w.store.tasks.cancel(id, "no more");
    assert.equal(await w.slots(agentId), "2/1");
    await w.report(agentId, "idle");
    assert.equal(await w.slots(agentId), "1/0");
  });

  on("an attempt waits for its result alone: those before it, and those of other tasks, are over", async (w) => {
    await w.agent("neighbour", { capabilities: ["rare"] });
    await w.task({ ...ONLY("neighbour"), retry: { ...STEP_RETRY, initialDelay: 0, maxDelay: 0 } });
    await w.fail(w.take());
    await w.dispatch();
    await w.complete(w.take());
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 10 * MINUTE });
    const { id } = await w.task({ retry: { ...STEP_RETRY, initialDelay: 0, maxDelay: 0 } });
    await w.observe(w.take(), failed("unavailable"));
    await w.report(agentId, "idle");
    await w.dispatch();
    await w.acknowledge(w.take());
    await say(w, agentId, "active", "idle");
    await w.wait(3 * SECOND);
    assert.equal((await w.getTask(id)).status, "completed");
  });

  on("an attempt that used nothing up leaves those before it counted", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task({ retry: { ...STEP_RETRY, initialDelay: 0, maxDelay: 0 } });
    await w.fail(w.take());
    await w.dispatch();
    await w.store.attempts.undelivered(senderOf(w.take()), "refused");
    assert.deepEqual(
      (await w.store.tasks.attempts(id)).map(({ counted }) => counted),
      [true, false],
    );
  });

  on("hole 8: an acknowledgement of the first send does not acknowledge the second", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task();
    const first = w.take();
    await w.store.attempts.broken(senderOf(first), "reset");
    await w.wait(SECOND);
    assert.equal(w.take().send, 2);
    await w.acknowledge(first);
    assert.equal((await w.attempt(id, 1)).status, "created");
  });

  on("hole 13: work that one agent lost is offered again, and that of another goes on", async (w) => {
    const ids: string[] = [];
    for (const name of ["steady", "restarting"]) {
      await w.agent(name, { capabilities: [name] });
      ids.push((await w.task({ requirement: { kind: "capability", capability: name, preferred: null } })).id);
    }
    const again = w.registration("restarting", { capabilities: ["other"], replace: "allowed" });
    await w.store.agents.register(again);
    const tasks = await Promise.all(ids.map((id) => w.getTask(id)));
    assert.deepEqual(
      tasks.map(({ status, used }) => [status, used]),
      [
        ["running", 0],
        ["pending", 1],
      ],
    );
  });

  on("labels, definitions, keys and replays of others stay", async (w) => {
    const labels = { team: "red", size: "big" };
    const [one, two] = [await w.start(listOf("a"), { labels }), await w.start(listOf("a"), { labels })];
    await w.store.sessions.label(one.id, {});
    const label = { key: "team", value: "red" };
    assert.deepEqual(
      (await w.store.sessions.list({ limit: 9 }, { label })).items.map(({ id }) => id),
      [two.id],
    );
    const stored = (id: string) => ({
      id,
      version: "1",
      name: id,
      description: null,
      steps: 1,
      hash: id,
      document: "{}",
      appliedAt: 0,
    });
    await w.store.workflows.apply(stored("a"));
    await w.store.workflows.apply(stored("b"));
    w.clock.advance(SECOND);
    await w.store.workflows.apply(stored("a"));
    assert.equal((await w.store.workflows.get("b"))?.appliedAt, w.clock.now() - SECOND);
    const [first, second] = [await w.agent("first"), await w.agent("second")];
    for (const [id, agentId] of [
      ["k1", first],
      ["k2", first],
      ["k3", second],
    ] as const)
      await w.store.keys.create(w.key(id, agentId));
    await w.store.keys.revoke("k1");
    const revokedAt = w.clock.now();
    w.clock.advance(SECOND);
    await w.store.agents.remove(first);
    const revoked = await Promise.all(["k1", "k2", "k3"].map(async (id) => (await w.store.keys.get(id))?.revokedAt));
    assert.deepEqual(revoked, [revokedAt, w.clock.now(), null]);
    await w.store.deliveries.remember("old", w.clock.now());
    await w.store.deliveries.remember("new", w.clock.now() + MINUTE);
    w.clock.advance(SECOND);
    await w.store.process.prune(10);
    assert.equal(await w.store.deliveries.remember("new", 0), false);
  });

  for (const leaving of ["moves", "goes"] as const) {
    on(`when an agent ${leaving}, only messages that wait for it are touched`, async (w) => {
      const endpoint = "http://shared.test/";
      const [agentId, other] = [await w.agent("one", { endpoint }), await w.agent("two", { endpoint })];
      const to = (aggregate: string, kind: "message" | "webhook") =>
        w.delivery({ url: endpoint, aggregate, agentId: aggregate, kind });
      const deliveries = [to(agentId, "message"), to(agentId, "webhook"), to(other, "message")];
      for (const delivery of deliveries) await w.store.deliveries.enqueue(delivery);
      await w.store.deliveries.delivered(need(deliveries[0], "message").id, 1);
      const before = await Promise.all(deliveries.map(({ id }) => w.store.deliveries.get(id)));
      w.clock.advance(SECOND);
      if (leaving === "goes") await w.store.agents.remove(agentId);
      else await w.store.agents.register(w.registration("one", { endpoint: "http://new.test/", replace: "allowed" }));
      assert.deepEqual(await Promise.all(deliveries.map(({ id }) => w.store.deliveries.get(id))), before);
    });
  }

  on("the history of one removed agent goes on when another one has come back", async (w) => {
    const agents = [w.registration("one"), w.registration("two")];
    for (const agent of agents) await w.store.agents.announce(agent);
    for (const agent of agents) await w.store.agents.remove(agent.id);
    for (const agent of agents) await w.store.agents.announce(agent);
    for (const { id } of agents) assert.equal((await w.types(id)).length, 3);
  });

  on("hole 22: what was due before the gap is late, not unlucky: it does not move", async (w) => {
    const puller = await w.agent("puller", { capabilities: ["pull"], channel: "pull", timeout: MINUTE });
    await w.agent("worker", { capabilities: ["work"], timeout: 12 * SECOND });
    const silent = await w.task({ requirement: { kind: "capability", capability: "pull", preferred: null } });
    await w.store.agents.claim(puller, 1);
    const overdue = await w.task({ retry: ALONE });
    await w.acknowledge(w.take());
    for (let i = 0; i < 5; i += 1) {
      w.clock.advance(2.9 * SECOND);
      await w.store.process.beat();
    }
    w.clock.advance(5 * SECOND);
    await w.store.process.beat();
    await w.expire();
    assert.equal((await w.getTask(overdue.id)).status, "failed");
    assert.equal((await w.getTask(silent.id)).status, "pending");
  });

  on("hole 22: a gap does not prolong what was not to end in it", async (w) => {
    await w.agent("worker", { capabilities: ["work"], timeout: 10 * MINUTE });
    await w.store.process.beat();
    await w.task();
    const first = w.take();
    await w.store.attempts.broken(senderOf(first), "reset");
    w.clock.advance(MINUTE);
    await w.expire();
    assert.equal(w.take().timeoutAt, first.timeoutAt);
  });
};

/** A task for the other agent, as it was handed to this process. */
async function given(w: World): Promise<ClaimedAttempt> {
  w.sent.length = 0;
  await w.task({ retry: ALONE });
  return need(w.sent.at(-1), "attempt");
}

async function busyNeighbour(w: World): Promise<string> {
  const id = await w.agent("neighbour", { capabilities: ["rare"], maxConcurrency: 4, heartbeat: true });
  await w.store.keys.create(w.key("neighbour", id));
  await w.task(ONLY("neighbour"));
  const drained = [await w.task(ONLY("neighbour")), await w.task(ONLY("neighbour"))];
  for (const task of drained) await w.store.tasks.cancel(task.id, "no more");
  await w.report(id, "error");
  await w.task(ONLY("neighbour"));
  await w.dispatch();
  w.sent.length = 0;
  return id;
}

/** All that can be seen of an agent and its work. */
async function picture(w: World, agentId: string): Promise<unknown> {
  const { items } = await w.store.tasks.list({ limit: 50 }, {});
  const own = items.filter(({ requirement }) => requirement.kind === "agentName");
  const attempts = await Promise.all(own.map(({ id }) => w.store.tasks.attempts(id)));
  const key = await w.store.keys.get("neighbour");
  return [await w.store.agents.get(agentId), await w.store.agents.blocked(agentId), own, attempts, key];
}
