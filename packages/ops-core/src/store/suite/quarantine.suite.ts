import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import type { RegisterAgent } from "../../domain/store.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { AttemptOutcome } from "../../domain/tasks/task.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { failed, need, senderOf, succeeded, type World, withCode } from "./test-world.ts";

const ONCE = { ...STEP_RETRY, maxAttempts: 1 };
const PATIENT = { ...STEP_RETRY, maxAttempts: 50, initialDelay: 0, maxDelay: 0 };
const PROBE = { parameters: { ping: 1 }, timeout: 10 * SECOND };

/** Agents that fail too often get no work but the try that shows whether they work again. */
export const quarantineSuite: Suite = (on) => {
  failures(on);
  trials(on);
  probes(on);
  byHand(on);
};

function failures(on: Declare): void {
  on("five failures of an agent's own in a row quarantine it, and it gets no work", async (w) => {
    const agentId = await broken(w);
    const { id } = await w.task({ retry: PATIENT });
    assert.equal(await w.dispatch(), 0);
    const blocked = await w.store.tasks.why(id);
    assert.equal(blocked?.reason, "agent_quarantined");
    assert.match(blocked?.message ?? "", /`worker` is quarantined: 5 of 5 attempts failed; next try 20\S+Z\.$/);
    const agent = await w.store.agents.get(agentId);
    assert.deepEqual([agent?.health.health, agent?.health.cause], ["quarantined", "failures"]);
    assert.deepEqual([agent?.health.evidence.failed, agent?.health.evidence.of], [5, 5]);
    assert.deepEqual((await w.store.agents.blocked(agentId))?.since, w.clock.now());
  });

  on("so do four fifths of ten; one success among five does not", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    for (const sign of "xxxx.xxx.")
      await one(w, sign === "x" ? failed("agent_error", "answer") : succeeded(1, "answer"));
    assert.equal((await w.store.agents.get(agentId))?.health.health, "suspect");
    await one(w, failed("agent_error", "answer"));
    assert.deepEqual((await w.store.agents.get(agentId))?.health.evidence.of, 10);
    assert.equal((await w.store.agents.get(agentId))?.health.health, "quarantined");
  });

  on("timeouts, losses and results that break their schema count, a cancelled attempt does not", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], channel: "pull", timeout: 4 * SECOND });
    const claim = async () => need((await w.store.agents.claim(agentId, 1))[0], "attempt");
    for (let i = 0; i < 6; i += 1) {
      const { id } = await w.task({ retry: ONCE });
      await claim();
      await w.store.tasks.cancel(id, "not wanted");
      await w.report(agentId, "idle");
    }
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready");
    for (let i = 0; i < 3; i += 1) {
      await w.task({ retry: ONCE });
      await claim();
      await w.wait(4 * SECOND);
      await w.report(agentId, "idle");
    }
    for (let i = 0; i < 2; i += 1) {
      await w.task({ retry: ONCE });
      await claim();
      await w.report(agentId, "UNKNOWN");
    }
    assert.equal((await w.store.agents.get(agentId))?.health.health, "quarantined");
  });

  on("what keeps an agent from work is known after a restart, and so are its failures before", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    for (let i = 0; i < 4; i += 1) await one(w, failed("agent_error", "answer"));
    await w.crash();
    await one(w, failed("agent_error", "answer"));
    await w.crash();
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "agent_quarantined");
    await w.wait(30 * SECOND);
    assert.equal(await w.store.agents.blocked(agentId), null);
  });

  on("other agents take over what a quarantined one would have done", async (w) => {
    await broken(w);
    await w.task({ retry: PATIENT });
    const other = await w.agent("other", { capabilities: ["work"] });
    await w.dispatch();
    assert.equal(w.take().agentId, other);
  });

  on("an agent that is removed leaves its quarantine behind", async (w) => {
    const agentId = await broken(w);
    await w.store.agents.remove(agentId);
    await w.agent("worker", { id: agentId, capabilities: ["work"] });
    await w.task();
    assert.equal(w.take().agentId, agentId);
  });
}

function trials(on: Declare): void {
  on("after 30 s the next real task tries it, one at a time, and its success readmits the agent", async (w) => {
    const agentId = await broken(w, { maxConcurrency: 3 });
    for (let i = 0; i < 3; i += 1) await w.task({ retry: PATIENT });
    await w.wait(30 * SECOND - 1);
    assert.equal(w.sent.length, 0);
    await w.wait(1);
    assert.equal(w.sent.length, 1, "one at a time");
    assert.match((await w.store.agents.blocked(agentId))?.message ?? "", /it is being tried with task_/);
    await w.wait(5 * SECOND);
    assert.equal(w.sent.length, 1);
    await w.observe(w.take(), succeeded(1, "answer"));
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready");
    assert.equal(await w.dispatch(), 2);
    await w.observe(w.take(), failed("agent_error", "answer"));
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready", "what failed before is forgotten");
  });

  on("a try that fails doubles the wait, up to ten minutes", async (w) => {
    await broken(w);
    await w.task({ retry: PATIENT });
    for (const wait of [30, 60, 120, 240, 480, 600, 600]) {
      await w.wait(wait * SECOND - 1);
      assert.equal(w.sent.length, 0, `before ${wait} s`);
      await w.wait(1);
      await w.observe(w.take(), failed("agent_error", "answer"));
    }
  });

  on("a try that ends by no fault of anybody is none", async (w) => {
    const agentId = await broken(w);
    const { id } = await w.task({ retry: PATIENT });
    await w.wait(30 * SECOND);
    w.take();
    await w.store.tasks.cancel(id, "not wanted");
    await w.report(agentId, "idle");
    await w.task({ retry: PATIENT });
    await w.dispatch();
    assert.equal(w.sent.length, 1);
  });

  on("a success of work that was under way when the agent was quarantined readmits nobody", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 6 });
    for (let i = 0; i < 6; i += 1) await w.task({ retry: ONCE });
    for (let i = 0; i < 5; i += 1) await w.observe(w.take(), failed("agent_error", "answer"));
    await w.observe(w.take(), succeeded(1, "answer"));
    assert.equal((await w.store.agents.get(agentId))?.health.health, "quarantined");
  });

  on("a try survives the death of the process, and is still the only one", async (w) => {
    const agentId = await broken(w, { maxConcurrency: 3 });
    for (let i = 0; i < 2; i += 1) await w.task({ retry: PATIENT });
    await w.wait(30 * SECOND);
    await w.crash();
    await w.store.attempts.adopt(10);
    assert.equal(w.sent.length, 1);
    assert.equal(await w.dispatch(), 0);
    await w.observe(w.take(), succeeded(1, "answer"));
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready");
  });

  on("a quarantined agent that asks for work gets nothing, then one task", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], channel: "pull", maxConcurrency: 9 });
    for (let i = 0; i < 8; i += 1) await w.task({ retry: PATIENT });
    const given = await w.store.agents.claim(agentId, 5);
    for (const attempt of given) await w.fail(attempt);
    assert.deepEqual(await w.store.agents.claim(agentId, 5), []);
    for (let i = 0; i < 10; i += 1) {
      await w.wait(3 * SECOND);
      if (i < 9) assert.deepEqual(await w.store.agents.claim(agentId, 5), []);
    }
    const [tried, ...more] = await w.store.agents.claim(agentId, 5);
    assert.deepEqual(more, []);
    assert.deepEqual(await w.store.agents.claim(agentId, 5), [tried], "the same again, and nothing beside it");
    await w.complete(need(tried, "attempt"));
    assert.equal((await w.store.agents.claim(agentId, 5)).length, 5);
  });
}

function probes(on: Declare): void {
  on("an agent that declared a probe is sent that, and no work before it has passed", async (w) => {
    const agentId = await broken(w, { probe: PROBE });
    const { id } = await w.task({ retry: PATIENT });
    await w.wait(30 * SECOND);
    const probe = w.take();
    assert.notEqual(probe.taskId, id);
    assert.deepEqual([probe.taskName, probe.parameters, probe.sessionId], ["probe", '{"ping":1}', null]);
    assert.equal(probe.timeoutAt, w.clock.now() + 10 * SECOND);
    assert.equal(await w.dispatch(), 0);
    await w.observe(probe, succeeded({ pong: 1 }, "answer"));
    assert.equal((await w.getTask(probe.taskId)).status, "completed");
    await w.dispatch();
    assert.equal(w.take().taskId, id);
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready");
  });

  on("a probe passes only with what its agent announced, and one that fails is tried again later", async (w) => {
    const agentId = await broken(w, { probe: { ...PROBE, expect: { pong: 1 } } });
    const outcomes: AttemptOutcome[] = [
      succeeded({ pong: 2 }, "answer"),
      succeeded(null, "answer"),
      failed("agent_error", "answer"),
      failed("unavailable"),
    ];
    let wait = 30 * SECOND;
    for (const outcome of outcomes) {
      await w.wait(wait - 1);
      assert.equal(w.sent.length, 0);
      await w.wait(1);
      const probe = w.take();
      await w.observe(probe, outcome);
      const task = await w.getTask(probe.taskId);
      assert.deepEqual([task.status, task.deadLetter], ["failed", false], "it is no work that was lost");
      wait *= 2;
    }
    await w.wait(wait);
    await w.observe(w.take(), succeeded({ pong: 1, more: 2 }, "answer"));
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready");
  });

  on("a probe that was not delivered, or that gets no answer, has failed and is gone", async (w) => {
    const agentId = await broken(w, { probe: PROBE });
    await w.wait(30 * SECOND);
    const first = w.take();
    await w.store.attempts.undelivered(senderOf(first), "refused");
    assert.equal((await w.getTask(first.taskId)).status, "failed");
    await w.wait(MINUTE);
    const second = w.take();
    await w.acknowledge(second);
    await w.wait(10 * SECOND);
    assert.equal((await w.attempt(second.taskId, 1)).status, "timed_out");
    assert.equal((await w.store.agents.get(agentId))?.health.evidence.tries, 2);
  });

  on("what a probe has to show is asked of the probe only, not of work", async (w) => {
    await w.agent("worker", { capabilities: ["work"], probe: { ...PROBE, expect: { pong: 1 } } });
    const { id } = await w.task({ retry: ONCE });
    await w.observe(w.take(), succeeded("anything else", "answer"));
    assert.equal((await w.getTask(id)).status, "completed");
  });

  on("a probe waits for a free slot, and for a process that can send it", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], probe: PROBE, timeout: 50 * SECOND });
    for (let i = 0; i < 4; i += 1) await one(w, failed("agent_error", "answer"));
    await w.task({ retry: ONCE });
    await w.acknowledge(w.take());
    await w.wait(50 * SECOND);
    assert.equal(await w.slots(agentId), "1/1", "it may still be at it");
    await w.wait(30 * SECOND);
    assert.equal(w.sent.length, 0);
    w.capacity = 0;
    await w.report(agentId, "idle");
    await w.wait(SECOND);
    assert.equal(w.sent.length, 0);
    w.capacity = 1;
    await w.wait(SECOND);
    assert.equal(w.take().taskName, "probe");
  });

  on("an agent that asks for its work is given its probe when it asks", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], channel: "pull", probe: PROBE });
    for (let i = 0; i < 6; i += 1) await w.task({ retry: ONCE });
    for (let i = 0; i < 5; i += 1) await w.fail(need((await w.store.agents.claim(agentId, 1))[0], "attempt"));
    assert.deepEqual(await w.store.agents.claim(agentId, 1), []);
    await w.wait(30 * SECOND);
    const probe = need((await w.store.agents.claim(agentId, 1))[0], "probe");
    assert.equal(probe.taskName, "probe");
    await w.complete(probe);
    assert.equal((await w.store.agents.claim(agentId, 1))[0]?.taskName, "a task");
  });

  on("a quarantined agent whose endpoint fails is probed by the circuit's time", async (w) => {
    await w.agent("worker", { capabilities: ["work"], probe: PROBE });
    for (let i = 0; i < 5; i += 1) await one(w, failed("timeout"));
    await w.report((await w.store.agents.getByName("worker"))?.id ?? "", "idle");
    await w.wait(30 * SECOND);
    await w.observe(w.take(), succeeded({}, "answer"));
    assert.equal((await w.store.agents.getByName("worker"))?.health.health, "ready");
  });
}

function byHand(on: Declare): void {
  on("who is quarantined by hand gets nothing at all until somebody readmits it", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], probe: PROBE });
    await w.store.agents.quarantine(agentId, "ann", "wrong answers");
    const { id } = await w.task({ retry: PATIENT });
    await w.wait(60 * MINUTE);
    assert.equal(w.sent.length, 0);
    const blocked = await w.store.tasks.why(id);
    assert.match(blocked?.message ?? "", /is quarantined by ann \(wrong answers\); somebody has to readmit it/);
    assert.deepEqual((await w.store.agents.get(agentId))?.health.evidence.by, "ann");
    await w.store.agents.readmit(agentId);
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready");
    await w.dispatch();
    assert.equal(w.take().taskId, id);
  });

  on("readmitting forgets failures, and does nothing where there are none", async (w) => {
    const agentId = await broken(w);
    await w.store.agents.readmit(agentId);
    for (let i = 0; i < 4; i += 1) await one(w, failed("agent_error", "answer"));
    await w.store.agents.readmit(agentId);
    await one(w, failed("agent_error", "answer"));
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready");
    await w.store.agents.readmit(await w.agent("other"));
    for (const call of [w.store.agents.readmit("x"), w.store.agents.quarantine("x", "ann", null)]) {
      await assert.rejects(call, withCode("agent_not_found"));
    }
  });

  on("a hand goes before a try that is under way, whose success readmits nobody", async (w) => {
    const agentId = await broken(w);
    await w.task({ retry: PATIENT });
    await w.wait(30 * SECOND);
    const since = (await w.store.agents.blocked(agentId))?.since;
    await w.store.agents.quarantine(agentId, "ann", null);
    await w.observe(w.take(), succeeded(1, "answer"));
    const blocked = await w.store.agents.blocked(agentId);
    assert.deepEqual([blocked?.reason, blocked?.since], ["agent_quarantined", since]);
  });
}

async function one(w: World, outcome: AttemptOutcome): Promise<void> {
  await w.task({ retry: ONCE });
  await w.observe(w.take(), outcome);
  const agent = await w.store.agents.getByName("worker");
  if (outcome.type === "failed" && outcome.reason === "timeout" && agent !== null) await w.report(agent.id, "idle");
}

/** An agent that has just failed five times. */
async function broken(w: World, options: Partial<RegisterAgent> = {}): Promise<string> {
  const agentId = await w.agent("worker", { capabilities: ["work"], ...options });
  for (let i = 0; i < 5; i += 1) await one(w, failed("agent_error", "answer"));
  return agentId;
}
