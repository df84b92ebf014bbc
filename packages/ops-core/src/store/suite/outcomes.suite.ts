import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import { listOf, step, workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { failed, senderOf, succeeded, type World, withCode } from "./test-world.ts";

const ONCE = { retry: { maxAttempts: 1 } };

/** How attempts end, and what that makes of their tasks. */
export const outcomesSuite: Suite = (on) => {
  on("a result under the token is accepted once and repeated as often as it is told", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task();
    const attempt = w.take();
    assert.equal(await w.slots(agentId), "1/0");
    assert.deepEqual(await w.complete(attempt, { n: 1 }), { type: "accepted", taskStatus: "completed" });
    assert.deepEqual(await w.complete(attempt, { n: 2 }), { type: "repeated", taskStatus: "completed" });
    const task = await w.getTask(id);
    assert.deepEqual([task.result, task.used, task.endedAt], ['{"n":1}', 1, w.clock.now()]);
    assert.equal(await w.slots(agentId), "0/0");
    const types = ["task.created", "attempt.created", "attempt.succeeded", "task.completed"];
    assert.deepEqual(await w.types(id), types);
  });

  on("a result of the other kind, after an outcome, is kept as evidence and changes nothing", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task();
    const attempt = w.take();
    await w.complete(attempt, 1);
    assert.deepEqual(await w.fail(attempt), { type: "stale", taskStatus: "completed" });
    assert.equal((await w.getTask(id)).result, "1");
    assert.equal((await w.types(id)).at(-1), "attempt.late_result");
  });

  on("a token that was never issued for the task is refused, and nothing is recorded", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    const first = await w.task();
    const second = await w.task();
    const [one, two] = [w.take(), w.take()];
    for (const token of [two.token, "", "x", "2.secret", `${one.token}x`, one.token.slice(0, -1)]) {
      await assert.rejects(w.store.attempts.settle(first.id, token, succeeded()), withCode("lease_lost"), token);
    }
    await assert.rejects(w.store.attempts.settle("task_none", one.token, succeeded()), withCode("task_not_found"));
    assert.equal((await w.getTask(first.id)).status, "running");
    assert.equal((await w.types(first.id)).length, 2);
    assert.equal((await w.getTask(second.id)).status, "running");
  });

  on("a failed attempt waits for its backoff, within its bounds, and runs again", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task();
    for (const [failures, ceiling] of [SECOND, 2 * SECOND, 4 * SECOND].entries()) {
      w.ids.chance = 0.5;
      await w.fail(w.take());
      const task = await w.getTask(id);
      assert.deepEqual([task.status, task.used, task.readyAt], ["pending", failures + 1, w.clock.now() + ceiling / 2]);
      assert.equal(task.blocked?.reason, "backoff");
      await w.wait(ceiling / 2 - 1);
      assert.equal(w.sent.length, 0);
      await w.wait(1);
    }
    await w.fail(w.take());
    const task = await w.getTask(id);
    assert.deepEqual([task.status, task.used, task.deadLetter, task.error?.code], ["failed", 4, true, "agent_error"]);
    assert.deepEqual(
      (await w.store.tasks.attempts(id)).map((attempt) => [attempt.number, attempt.status, attempt.counted]),
      [1, 2, 3, 4].map((number) => [number, "failed", true]),
    );
  });

  on("retry-after is honoured, and capped", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task();
    w.ids.chance = 0;
    await w.observe(w.take(), failed("unavailable", null, { retryAfter: 42 * SECOND }));
    assert.equal((await w.getTask(id)).readyAt, w.clock.now() + 42 * SECOND);
    await w.wait(42 * SECOND);
    await w.observe(w.take(), failed("unavailable", null, { retryAfter: 60 * MINUTE }));
    assert.equal((await w.getTask(id)).readyAt, w.clock.now() + 10 * MINUTE);
  });

  on("what is not retryable fails at once and is no dead letter", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3 });
    const outcomes = [failed("rejected", "answer"), failed("agent_error", "result", { retryable: false })];
    for (const outcome of outcomes) {
      const { id } = await w.task();
      const attempt = w.take();
      await w.store.attempts.settle(id, attempt.token, outcome);
      const task = await w.getTask(id);
      assert.deepEqual([task.status, task.deadLetter, task.used], ["failed", false, 1]);
    }
    const { id } = await w.task({
      retry: { ...STEP_RETRY, on: ["lost"] },
    });
    await w.fail(w.take());
    assert.deepEqual([(await w.getTask(id)).status, (await w.getTask(id)).deadLetter], ["failed", false]);
  });

  on("an attempt without an outcome times out, its slot drains for as long again", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 30 * SECOND });
    const { id } = await w.task();
    const attempt = w.take();
    await w.acknowledge(attempt);
    await w.wait(30 * SECOND - 1);
    assert.equal((await w.attempt(id, 1)).status, "acknowledged");
    await w.wait(1);
    assert.equal((await w.attempt(id, 1)).status, "timed_out");
    assert.equal((await w.getTask(id)).status, "pending");
    assert.equal(await w.slots(agentId), "1/1");
    await w.wait(30 * SECOND - 1);
    assert.equal(w.sent.length, 0, "the agent may still be at it");
    await w.wait(1);
    await w.dispatch();
    assert.equal(w.take().attempt, 2);
    assert.equal(await w.slots(agentId), "1/0");
  });

  on("hole 15: a result after the timeout is kept as evidence, answered stale, and frees the slot", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 30 * SECOND });
    const { id } = await w.task();
    const first = w.take();
    await w.wait(30 * SECOND);
    assert.equal(await w.slots(agentId), "1/1");
    assert.equal((await w.complete(first, "late")).type, "stale");
    assert.equal(await w.slots(agentId), "0/0");
    await w.wait(2 * SECOND);
    const second = w.take();
    assert.equal((await w.complete(first, "late")).type, "stale");
    assert.deepEqual([(await w.getTask(id)).status, await w.slots(agentId)], ["running", "1/0"]);
    await w.complete(second, "in time");
    assert.equal((await w.getTask(id)).result, '"in time"');
    assert.equal((await w.types(id)).filter((type) => type === "attempt.late_result").length, 2);
  });

  on("a deadline that cannot be met by another attempt ends the task as a dead letter", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task({ deadline: 10 * SECOND });
    w.ids.chance = 0.99;
    await w.observe(w.take(), failed("unavailable", null, { retryAfter: 11 * SECOND }));
    const task = await w.getTask(id);
    assert.deepEqual([task.status, task.deadLetter, task.error?.code], ["failed", true, "unavailable"]);
  });

  // --- a result that arrives while the exchange is open ---------------------------------------------------------------

  for (const end of ["acknowledge", "observe success", "observe failure", "broken", "undelivered"] as const) {
    on(`a result arrives while its exchange is open; the exchange then ends: ${end}`, async (w) => {
      const agentId = await w.agent("worker", { capabilities: ["work"] });
      const { id } = await w.task();
      const attempt = w.take();
      await w.complete(attempt, "by call");
      const before = await w.types(id);
      if (end === "acknowledge") await w.acknowledge(attempt);
      if (end === "observe success") assert.equal((await w.observe(attempt, succeeded(2, "answer"))).type, "stale");
      if (end === "observe failure") assert.equal((await w.observe(attempt, failed("unavailable"))).type, "stale");
      if (end === "broken") await w.store.attempts.broken(senderOf(attempt), "reset");
      if (end === "undelivered") await w.store.attempts.undelivered(senderOf(attempt), "refused");
      const task = await w.getTask(id);
      assert.deepEqual([task.status, task.result, await w.slots(agentId)], ["completed", '"by call"', "0/0"]);
      assert.deepEqual(await w.types(id), before);
    });
  }

  // --- cancel ---------------------------------------------------------------------------------------------------------

  on(
    "cancelling a running task settles it at once; its agent keeps the slot until it is known to be free",
    async (w) => {
      const agentId = await w.agent("worker", { capabilities: ["work"] });
      const { id } = await w.task();
      const attempt = w.take();
      w.hints.length = 0;
      const task = await w.store.tasks.cancel(id, "not needed");
      assert.deepEqual([task.status, task.error?.message], ["cancelled", "not needed"]);
      assert.deepEqual(w.hints[0]?.endedAttempts, [{ id: `${id}/1`, stop: true }]);
      assert.equal(await w.slots(agentId), "1/1");
      const { type, taskStatus } = await w.complete(attempt);
      assert.deepEqual([type, taskStatus], ["stale", "cancelled"]);
      assert.equal(await w.slots(agentId), "0/0");
      assert.equal((await w.store.tasks.cancel(id, "again")).error?.message, "not needed");
    },
  );

  on("cancelling refuses what has ended, what is unknown, and tasks of sessions", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task();
    await w.complete(w.take());
    await assert.rejects(w.store.tasks.cancel(id, "late"), withCode("task_terminal"));
    await assert.rejects(w.store.tasks.cancel("task_none", "x"), withCode("task_not_found"));
    await w.start(listOf("a"));
    await assert.rejects(w.store.tasks.cancel(w.take().taskId, "x"), withCode("task_terminal"));
  });

  on("cancelling a session cancels what is open, once", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("a", "b"));
    const attempt = w.take();
    const cancelled = await w.store.sessions.cancel(session.id, "enough");
    assert.deepEqual([cancelled.status, cancelled.error?.message], ["cancelled", "enough"]);
    assert.deepEqual(await w.steps(session.id), { 0: "cancelled" });
    assert.equal(await w.slots(agentId), "1/1");
    assert.equal((await w.store.sessions.cancel(session.id, "again")).error?.message, "enough");
    assert.equal((await w.complete(attempt)).type, "stale");
    assert.equal((await w.getSession(session.id)).status, "cancelled");
    await assert.rejects(w.store.sessions.cancel("none", "x"), withCode("session_not_found"));
  });

  on("cancelling a session that has ended is refused", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("a"));
    await w.complete(w.take());
    await assert.rejects(w.store.sessions.cancel(session.id, "late"), withCode("session_terminal"));
  });

  on("a cancel that races with a result in one batch: the result came first", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("a", "b"));
    const attempt = w.take();
    const [cancelled, settled] = await Promise.all([
      w.store.sessions.cancel(session.id, "race"),
      w.complete(attempt, 1),
    ]);
    assert.equal(settled.type, "accepted");
    assert.equal(cancelled.status, "cancelled");
    assert.deepEqual(await w.steps(session.id), { 0: "completed", 1: "cancelled" });
  });

  on("hole 2: what was cancelled in the batch of a claim is not claimed", async (w) => {
    const session = await w.start(listOf("a"));
    const task = await w.task();
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    await Promise.all([
      w.store.sessions.cancel(session.id, "race"),
      w.store.tasks.cancel(task.id, "race"),
      w.dispatch(),
    ]);
    assert.deepEqual(w.sent, []);
    assert.deepEqual(await w.store.tasks.attempts(task.id), []);
  });

  on("what was claimed and cancelled in one batch is not sent", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("a", "b"));
    const attempt = w.take();
    await Promise.all([w.complete(attempt, 1), w.store.sessions.cancel(session.id, "race")]);
    assert.deepEqual(w.sent, []);
  });

  for (const rival of ["timeout", "loss"] as const) {
    on(`a cancel, a result and a ${rival} in one batch have one winner`, async (w) => {
      const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 10 * SECOND, heartbeat: true });
      const { id } = await w.task();
      const attempt = w.take();
      await w.report(agentId, "active");
      await w.acknowledge(attempt);
      if (rival === "timeout") for (let i = 0; i < 4; i += 1) await heartbeat(w, agentId);
      else for (let i = 0; i < 4; i += 1) await beat(w);
      const race = [w.expire(), w.store.tasks.cancel(id, "race"), w.complete(attempt)];
      await Promise.allSettled(race);
      assert.equal((await w.getTask(id)).status, "completed");
      assert.equal(await w.slots(agentId), "0/0");
      assert.equal(await w.expire(), 0);
    });
  }

  on("a cancel and a timeout in one batch: the cancel came first", async (w) => {
    await w.agent("worker", { capabilities: ["work"], timeout: 2 * SECOND });
    const { id } = await w.task();
    w.clock.advance(2 * SECOND);
    await Promise.all([w.expire(), w.store.tasks.cancel(id, "race")]);
    assert.deepEqual([(await w.getTask(id)).status, (await w.attempt(id, 1)).status], ["cancelled", "cancelled"]);
  });

  on("a session whose task fails for good says so in its error", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(workflow([step("a", ONCE)]));
    await w.fail(w.take());
    const ended = await w.getSession(session.id);
    assert.deepEqual(ended.error, { code: "agent_error", message: "It failed: agent_error." });
    assert.deepEqual((await w.store.sessions.steps(session.id))[0]?.error?.code, "agent_error");
  });
};

async function beat(w: World): Promise<void> {
  w.clock.advance(2.9 * SECOND);
  await w.store.process.beat();
}

async function heartbeat(w: World, agentId: string): Promise<void> {
  await beat(w);
  await w.report(agentId, "active");
}
