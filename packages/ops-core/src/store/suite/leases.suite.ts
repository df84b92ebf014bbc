import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { dispatched, say } from "./test-reports.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, type World, withCode } from "./test-world.ts";

/** The lease of a task outlives two gaps in which nobody judged, and no third one. */
async function movedTwice(w: World, id: string): Promise<void> {
  for (let crash = 1; crash <= 3; crash += 1) {
    await w.crash();
    w.clock.advance(MINUTE);
    await w.store.process.beat();
    await w.expire();
    assert.equal((await w.getTask(id)).status, crash < 3 ? "running" : "pending", `after crash ${crash}`);
  }
}

/** Agents that pull, and agents that give signs of life. */
export const leasesSuite: Suite = (on) => {
  pull(on);
  heartbeat(on);
};

function puller(w: World, maxConcurrency = 1): Promise<string> {
  return w.agent("puller", { capabilities: ["work"], channel: "pull", maxConcurrency, timeout: 10 * MINUTE });
}

function pull(on: Declare): void {
  on("an agent that pulls gets work when it asks, the earliest first, and never is sent any", async (w) => {
    const agentId = await puller(w, 2);
    const first = await w.task();
    w.clock.advance(1);
    const second = await w.task({ requirement: { kind: "agentName", agentName: "puller" } });
    assert.equal(await w.dispatch(), 0);
    assert.equal((await w.getTask(first.id)).blocked?.reason, "waits_for_poll");
    const claimed = await w.store.agents.claim(agentId, 5);
    assert.deepEqual(
      claimed.map(({ taskId, attempt, endpoint }) => [taskId, attempt, endpoint]),
      [
        [first.id, 1, null],
        [second.id, 1, null],
      ],
    );
    assert.equal(w.sent.length, 0);
    assert.deepEqual(await w.store.agents.get(agentId).then((agent) => agent?.leaseUntil), w.clock.now() + 10 * SECOND);
  });

  on("hole 10: a poll returns what was given and not confirmed, under the same token", async (w) => {
    const agentId = await puller(w, 3);
    await w.task();
    await w.task();
    const [given] = await w.store.agents.claim(agentId, 1);
    assert.deepEqual(await w.store.agents.claim(agentId, 1), [given]);
    await w.crash();
    assert.deepEqual(await w.store.agents.claim(agentId, 1), [given], "after a restart as well");
    const { taskId, token } = need(given, "attempt");
    await w.store.attempts.extendLease(taskId, token);
    const [other] = await w.store.agents.claim(agentId, 1);
    assert.notEqual(other?.taskId, taskId);
  });

  on("a lease is renewed until the attempt's timeout, for open attempts only", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], channel: "pull", timeout: 15 * SECOND });
    const { id } = await w.task();
    const { token } = need((await w.store.agents.claim(agentId, 1))[0], "attempt");
    const started = w.clock.now();
    await w.wait(4 * SECOND);
    assert.deepEqual(await w.store.attempts.extendLease(id, token), { leaseUntil: w.clock.now() + 10 * SECOND });
    assert.equal((await w.attempt(id, 1)).status, "acknowledged");
    await w.wait(4 * SECOND);
    assert.deepEqual(await w.store.attempts.extendLease(id, token), { leaseUntil: started + 15 * SECOND });
    await w.wait(7 * SECOND);
    await assert.rejects(w.store.attempts.extendLease(id, token), withCode("lease_lost"));
    await assert.rejects(w.store.attempts.extendLease(id, "1.no"), withCode("lease_lost"));
    await assert.rejects(w.store.attempts.extendLease("task_no", token), withCode("task_not_found"));
  });

  on("work is confirmed once, however often its lease is renewed", async (w) => {
    const agentId = await puller(w);
    const { id } = await w.task();
    const { token } = need((await w.store.agents.claim(agentId, 1))[0], "attempt");
    await w.store.attempts.extendLease(id, token);
    const confirmedAt = w.clock.now();
    await w.wait(4 * SECOND);
    await w.store.attempts.extendLease(id, token);
    assert.equal((await w.attempt(id, 1)).acknowledgedAt, confirmedAt);
    assert.deepEqual(
      (await w.types(id)).filter((type) => type === "attempt.acknowledged"),
      ["attempt.acknowledged"],
    );
  });

  on("to renew a lease is no message to the agent: its bare states still tell the outcome", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    for (let i = 0; i < 3; i += 1) await w.store.attempts.extendLease(id, attempt.token);
    await say(w, agentId, "active", "idle");
    await w.wait(2 * SECOND);
    assert.equal((await w.getTask(id)).status, "completed");
  });

  for (const confirmed of [false, true]) {
    on(
      `a pull agent that falls silent loses what it ${confirmed ? "confirmed" : "was given"} after ten seconds`,
      async (w) => {
        const agentId = await puller(w);
        const { id } = await w.task();
        const { token } = need((await w.store.agents.claim(agentId, 1))[0], "attempt");
        if (confirmed) await w.store.attempts.extendLease(id, token);
        await w.wait(10 * SECOND - 1);
        assert.equal((await w.getTask(id)).status, "running");
        await w.wait(1);
        assert.deepEqual([(await w.getTask(id)).status, (await w.attempt(id, 1)).status], ["pending", "lost"]);
        assert.equal((await w.attempt(id, 1)).error?.code, "agent_silent");
        assert.equal(await w.slots(agentId), "1/1", "it may still be at it");
        await assert.rejects(w.store.attempts.extendLease(id, token), withCode("lease_lost"));
        await w.dispatch();
        assert.equal((await w.store.tasks.why(id))?.reason, "agent_offline");
        assert.equal((await w.store.agents.claim(agentId, 1))[0]?.attempt, 2, "who asks for work has room for it");
        assert.equal(await w.slots(agentId), "1/0");
      },
    );
  }

  on("asking, confirming, reporting and answering are signs of life", async (w) => {
    const agentId = await puller(w, 3);
    const { id } = await w.task();
    await w.task();
    const [one, two] = await w.store.agents.claim(agentId, 2);
    const signs = [
      () => w.store.agents.claim(agentId, 0),
      () => w.store.attempts.extendLease(id, need(one, "attempt").token),
      () => w.report(agentId, "active"),
      () => w.complete(need(two, "attempt")),
      () =>
        w.store.attempts.settle(need(two, "attempt").taskId, need(two, "attempt").token, {
          type: "succeeded",
          result: null,
          evidence: "result",
        }),
    ];
    for (const sign of signs) {
      await w.wait(9 * SECOND);
      await sign();
    }
    await w.wait(9 * SECOND);
    assert.equal((await w.getTask(id)).status, "running");
  });

  on("hole 22: a lease that ran out while nobody judged gets ten seconds, twice at most", async (w) => {
    const agentId = await puller(w);
    const { id } = await w.task();
    const { token } = need((await w.store.agents.claim(agentId, 1))[0], "attempt");
    await w.store.attempts.extendLease(id, token);
    await w.store.process.beat();
    await movedTwice(w, id);
  });

  on("hole 22: a renewed lease may be moved again", async (w) => {
    const agentId = await puller(w);
    const { id } = await w.task();
    const { token } = need((await w.store.agents.claim(agentId, 1))[0], "attempt");
    await w.store.process.beat();
    for (let stall = 1; stall <= 4; stall += 1) {
      w.clock.advance(MINUTE);
      await w.expire();
      await w.store.attempts.extendLease(id, token);
    }
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(10 * SECOND);
    assert.equal((await w.getTask(id)).status, "pending");
  });

  on("hole 22: a lease that was renewed just before a gap is noticed has none of its moves behind it", async (w) => {
    const agentId = await puller(w);
    const { id } = await w.task();
    await w.store.agents.claim(agentId, 1);
    await w.store.process.beat();
    w.clock.advance(MINUTE);
    await Promise.all([w.report(agentId, "active"), w.store.process.beat()]);
    await movedTwice(w, id);
  });

  on("hole 22: a lease about to run out after a gap gets its ten seconds too", async (w) => {
    const agentId = await puller(w);
    const { id } = await w.task();
    await w.store.agents.claim(agentId, 1);
    await w.store.process.beat();
    w.clock.advance(9 * SECOND);
    await w.expire();
    await w.wait(10 * SECOND - 1);
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(1);
    assert.equal((await w.getTask(id)).status, "pending");
  });
}

function heartbeat(on: Declare): void {
  const beating = (w: World) => w.agent("beating", { capabilities: ["work"], heartbeat: true, timeout: 10 * MINUTE });

  on("while its exchange is open the sender holds the lease: a silent agent loses nothing", async (w) => {
    await beating(w);
    const { id } = await w.task();
    const attempt = w.take();
    await w.wait(MINUTE);
    assert.equal((await w.getTask(id)).status, "running");
    await w.observe(attempt, { type: "succeeded", result: "1", evidence: "answer" });
    assert.equal((await w.getTask(id)).status, "completed");
  });

  on("once it has acknowledged, an agent that heartbeats holds the lease and loses it with its silence", async (w) => {
    const agentId = await beating(w);
    const { id } = await w.task();
    await w.acknowledge(w.take());
    for (let i = 0; i < 5; i += 1) {
      await w.wait(9 * SECOND);
      await w.report(agentId, "active");
    }
    await w.wait(10 * SECOND - 1);
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(1);
    assert.equal((await w.attempt(id, 1)).status, "lost");
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "agent_offline");
  });

  on("an agent that acknowledges and is never heard of again is lost after ten seconds", async (w) => {
    await beating(w);
    const { id } = await w.task();
    await w.acknowledge(w.take());
    await w.wait(10 * SECOND);
    assert.equal((await w.attempt(id, 1)).status, "lost");
  });

  on("a silent agent loses what it has acknowledged, and keeps what its sender still waits with it for", async (w) => {
    const agentId = await w.agent("beating", {
      capabilities: ["work"],
      heartbeat: true,
      maxConcurrency: 2,
      timeout: MINUTE,
    });
    const ids = [(await w.task()).id, (await w.task()).id];
    const [acknowledged, exchanging] = w.sent.splice(0);
    await w.acknowledge(need(acknowledged, "attempt"));
    await w.wait(10 * SECOND);
    const attempts = await Promise.all(ids.map((id) => w.attempt(id, 1)));
    assert.deepEqual(
      attempts.map(({ status }) => status),
      ["lost", "created"],
    );
    assert.equal(await w.slots(agentId), "2/1");
    assert.equal((await w.complete(need(exchanging, "attempt"))).type, "accepted");
  });

  on("a silent agent is given nothing until it is heard of again", async (w) => {
    const agentId = await beating(w);
    await w.report(agentId, "idle");
    await w.wait(10 * SECOND);
    const { id } = await w.task();
    assert.equal(await w.dispatch(), 0);
    assert.equal((await w.getTask(id)).blocked?.reason, "agent_offline");
    await w.report(agentId, "idle");
    assert.equal(await w.dispatch(), 1);
  });

  on("other agents lose nothing by their silence before the timeout", async (w) => {
    await w.agent("quiet", { capabilities: ["work"], timeout: MINUTE });
    const { id } = await w.task();
    await w.acknowledge(w.take());
    await w.wait(MINUTE - 1);
    assert.equal((await w.attempt(id, 1)).status, "acknowledged");
  });
}
