import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import { step, workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { failed, senderOf, succeeded, type World } from "./test-world.ts";

const PATIENT = { ...STEP_RETRY, maxAttempts: 50, initialDelay: 0, maxDelay: 0 };

/** Endpoints that fail: nothing more goes there, except one probe per window. */
export const circuitsSuite: Suite = (on) => {
  on("hole 24: five failures in a row open the circuit, and a probe per window is let through", async (w) => {
    const agentId = await broken(w);
    const opened = w.clock.now();
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "circuit_open");
    const { id } = await w.task({ retry: PATIENT });
    await w.dispatch();
    assert.equal((await w.getTask(id)).blocked?.reason, "circuit_open");
    let pause = 5 * SECOND;
    for (let probe = 0; probe < 6; probe += 1) {
      await w.wait(pause - 1);
      assert.equal(w.sent.length, 0, `before probe ${probe}`);
      await w.wait(1);
      const attempt = w.take();
      assert.equal(await w.dispatch(), 0, "one only");
      await w.observe(attempt, failed("unavailable"));
      assert.equal((await w.store.agents.blocked(agentId))?.since, opened, "a failed probe is not the beginning");
      pause = Math.min(pause * 2, MINUTE);
    }
  });

  on("hole 24: the probe uses no attempt, not even the last one", async (w) => {
    await broken(w);
    const { id } = await w.task({ retry: { ...PATIENT, maxAttempts: 1 } });
    for (const outcome of ["unavailable", "timeout"] as const) {
      await w.wait(30 * SECOND);
      const attempt = w.take();
      await w.observe(attempt, failed(outcome));
      const task = await w.getTask(id);
      assert.deepEqual([task.status, task.used], ["pending", 0], outcome);
      assert.equal((await w.attempt(id, attempt.attempt)).counted, false);
    }
    await w.wait(5 * MINUTE);
    await w.store.attempts.undelivered(senderOf(w.take()), "refused");
    assert.deepEqual([(await w.getTask(id)).status, (await w.getTask(id)).used], ["pending", 0]);
  });

  on("hole 24: a probe that comes through closes the circuit, and the others follow", async (w) => {
    const agentId = await broken(w, 3);
    for (let i = 0; i < 3; i += 1) await w.task({ retry: PATIENT });
    await w.wait(5 * SECOND);
    assert.equal(w.sent.length, 1);
    await w.observe(w.take(), succeeded(1, "answer"));
    assert.equal(await w.store.agents.blocked(agentId), null);
    assert.equal(await w.dispatch(), 2);
  });

  on("hole 24: a probe that the agent answers with a failure of the task closes the circuit and counts", async (w) => {
    const agentId = await broken(w);
    const { id } = await w.task({ retry: PATIENT });
    await w.wait(5 * SECOND);
    await w.observe(w.take(), failed("agent_error", "answer"));
    assert.deepEqual([await w.store.agents.blocked(agentId), (await w.getTask(id)).used], [null, 1]);
  });

  on("hole 24: only connection errors, timeouts, 429 and 5xx count", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    for (let i = 0; i < 10; i += 1) {
      await w.task({ retry: { ...PATIENT, maxAttempts: 1 } });
      const retryable = i % 2 === 0;
      await w.observe(w.take(), failed(retryable ? "agent_error" : "rejected", "answer", { retryable }));
    }
    assert.equal(await w.store.agents.blocked(agentId), null);
  });

  on("hole 24: one success in between forgets the failures before it", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    for (let i = 0; i < 12; i += 1) {
      await w.task({ retry: { ...PATIENT, maxAttempts: 1 } });
      await w.observe(w.take(), i % 4 === 3 ? succeeded(1, "answer") : failed("unavailable"));
    }
    assert.equal(await w.store.agents.blocked(agentId), null);
  });

  on("hole 24: failures of work that was under way when the circuit opened do not lengthen the pause", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 20 });
    for (let i = 0; i < 20; i += 1) await w.task({ retry: PATIENT });
    for (const attempt of w.sent.splice(0)) await w.observe(attempt, failed("unavailable"));
    await w.wait(5 * SECOND);
    assert.equal(w.sent.length, 1);
  });

  on("hole 24: agents behind one endpoint share its circuit, also after a restart", async (w) => {
    const endpoint = "http://worker.test/";
    await broken(w);
    const second = await w.agent("second", { capabilities: ["other"], endpoint });
    assert.equal((await w.store.agents.blocked(second))?.reason, "circuit_open");
    await w.crash();
    assert.equal((await w.store.agents.blocked(second))?.reason, "circuit_open");
    await w.wait(5 * SECOND);
    await w.task({ requirement: { kind: "agent", agentId: second } });
    await w.observe(w.take(), succeeded(1, "answer"));
    assert.equal(await w.store.agents.blocked(second), null);
  });

  on("hole 24: an exchange that lasts to the attempt's end is one failure of its endpoint", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 10 * SECOND });
    for (let i = 1; i <= 4; i += 1) {
      await w.task({ retry: { ...PATIENT, maxAttempts: 1 } });
      await w.wait(9.5 * SECOND);
      await w.store.attempts.broken(senderOf(w.take()), "no answer");
      await w.wait(SECOND / 2);
      await w.report(agentId, "idle");
      assert.equal(await w.store.agents.blocked(agentId), null, `after ${i}`);
    }
    await w.task({ retry: { ...PATIENT, maxAttempts: 1 } });
    await w.observe(w.take(), failed("unavailable"));
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "circuit_open");
  });

  on("hole 24: an attempt that was lost says nothing of its endpoint", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const outcomes = ["unavailable", "unavailable", "unavailable", "unavailable", "lost", "unavailable"] as const;
    for (const outcome of outcomes) {
      assert.equal(await w.store.agents.blocked(agentId), null);
      await w.task({ retry: { ...PATIENT, maxAttempts: 1 } });
      await w.observe(w.take(), failed(outcome));
      await w.report(agentId, "idle");
    }
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "circuit_open");
  });

  on("hole 24: who is behind another endpoint is given work as before, agents and tools", async (w) => {
    const other = await w.agent("other");
    await w.tool("post");
    await broken(w);
    assert.equal(await w.store.agents.blocked(other), null);
    await w.task({ requirement: { kind: "tool", tool: "post" } });
    assert.equal(w.takeCall().tool, "post");
  });

  on("a probe that fails sends a step with a fallback there", async (w) => {
    await broken(w);
    await w.agent("cheap", { capabilities: ["cheap"] });
    await w.start(workflow([step("a", { fallback: { agentCapability: "cheap" } })]));
    await w.wait(5 * SECOND);
    await w.observe(w.take(), failed("unavailable"));
    await w.dispatch();
    assert.equal(w.take().agentName, "cheap");
  });
};

/** An agent whose endpoint has just failed five times. */
async function broken(w: World, maxConcurrency = 1): Promise<string> {
  const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency });
  for (let i = 0; i < 5; i += 1) {
    await w.task({ retry: { ...STEP_RETRY, maxAttempts: 1 } });
    await w.observe(w.take(), failed("unavailable"));
  }
  return agentId;
}
