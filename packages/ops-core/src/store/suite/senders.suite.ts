import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import type { Suite } from "./test-rig.ts";
import { failed, senderOf, succeeded } from "./test-world.ts";

const ALONE = { ...STEP_RETRY, maxAttempts: 1 };

/** Who sends an attempt, what a sender may say, and what happens when it dies. */
export const sendersSuite: Suite = (on) => {
  on("hole 8: a stalled sender that wakes cannot fail the work its successor resent", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task({ retry: ALONE });
    const old = w.take();
    await w.crash();
    const [resent] = await w.store.attempts.adopt(10);
    assert.deepEqual([resent?.token, resent?.attempt, resent?.send], [old.token, 1, 2]);
    const before = await w.types(id);
    assert.equal((await w.observe(old, failed("unavailable"))).type, "stale");
    assert.equal((await w.observe(old, failed("timeout"))).type, "stale");
    assert.equal((await w.observe(old, succeeded("old", "answer"))).type, "stale");
    await w.acknowledge(old);
    await w.store.attempts.broken(senderOf(old), "reset");
    await w.store.attempts.undelivered(senderOf(old), "refused");
    assert.deepEqual(await w.types(id), before);
    assert.deepEqual([(await w.attempt(id, 1)).status, await w.slots(agentId)], ["created", "1/0"]);
    assert.equal((await w.complete(old, "said under the token")).type, "accepted");
    assert.equal((await w.getTask(id)).result, '"said under the token"');
  });

  on("hole 8: what a sender saw of an attempt that is not there changes nothing", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task();
    const sent = w.take();
    const outcome = succeeded(1, "answer");
    assert.deepEqual(await w.observe({ ...sent, taskId: "task_no" }, outcome), {
      type: "stale",
      taskStatus: "cancelled",
    });
    assert.deepEqual(await w.observe({ ...sent, attempt: 2 }, outcome), { type: "stale", taskStatus: "running" });
    assert.equal((await w.getTask(id)).status, "running");
    await w.complete(sent);
  });

  on("hole 10: an agent that has asked for the lease has the message, whatever its sender makes of it", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task({ retry: ALONE });
    const sent = w.take();
    await w.store.attempts.extendLease(id, sent.token);
    await w.store.attempts.undelivered(senderOf(sent), "refused");
    assert.equal((await w.attempt(id, 1)).status, "acknowledged");
    assert.equal((await w.complete(sent)).type, "accepted");
  });

  on("who exchanges for an attempt that has ended for another reason is told to stop, else not", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 5 * SECOND });
    const ends = [
      ["a result", (sent: ClaimedAttempt) => w.complete(sent), false],
      ["a failure", (sent: ClaimedAttempt) => w.fail(sent), false],
      ["a cancel", ({ taskId }: ClaimedAttempt) => w.store.tasks.cancel(taskId, "no more"), true],
      ["a restart", () => w.report(agentId, "initializing"), true],
      ["its timeout", () => w.wait(5 * SECOND), true],
    ] as const;
    for (const [how, ending, stop] of ends) {
      await w.report(agentId, "idle");
      await w.task({ retry: ALONE });
      const sent = w.take();
      w.hints.length = 0;
      await ending(sent);
      const told = w.hints.flatMap(({ endedAttempts }) => endedAttempts);
      assert.deepEqual(told, [{ id: `${sent.taskId}/1`, stop }], how);
    }
  });

  on("hole 9: what a dead process was sending is sent again by the next one, with the same token", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3 });
    const ids = [(await w.task()).id, (await w.task()).id, (await w.task()).id];
    const [created, interrupted, acknowledged] = w.sent.splice(0);
    assert.ok(created && interrupted && acknowledged);
    await w.store.attempts.broken(senderOf(interrupted), "reset");
    await w.acknowledge(acknowledged);
    await w.crash();
    assert.notEqual(w.store.process.epoch, created.epoch);
    await w.store.process.beat();
    const adopted = await w.store.attempts.adopt(10);
    assert.deepEqual(
      adopted.map(({ taskId, token, send, epoch }) => [taskId, token, send, epoch]).sort(),
      [created, interrupted].map(({ taskId, token }) => [taskId, token, 2, w.store.process.epoch]).sort(),
    );
    assert.deepEqual(w.sent, adopted, "the engine is told to send them");
    assert.deepEqual(await w.store.attempts.adopt(10), [], "once");
    for (const attempt of adopted) await w.complete(attempt);
    await w.complete(acknowledged);
    for (const id of ids)
      assert.deepEqual([(await w.getTask(id)).status, (await w.getTask(id)).used], ["completed", 1]);
  });

  on("a resend says everything the first send said", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await w.task({ parameters: '{"big":12345678901234567890}' });
    const first = w.take();
    await w.crash();
    const [second] = await w.store.attempts.adopt(10);
    assert.deepEqual(second, { ...first, epoch: first.epoch + 1, send: 2 });
  });

  on("no more is adopted than is asked for, and no more than can be sent", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 10 });
    for (let i = 0; i < 6; i += 1) await w.task();
    await w.crash();
    assert.equal((await w.store.attempts.adopt(2)).length, 2);
    w.capacity = 3;
    assert.equal((await w.store.attempts.adopt(10)).length, 3);
    w.capacity = 0;
    assert.equal((await w.store.attempts.adopt(10)).length, 0);
    w.capacity = 10;
    assert.equal((await w.store.attempts.adopt(10)).length, 1);
  });

  on("hole 9: a process finds attempts of its own that it does not know of", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3 });
    await w.task();
    await w.task();
    const [known, unknown] = w.sent.splice(0);
    assert.ok(known && unknown);
    const sending = new Set([`${known.taskId}/1`]);
    assert.deepEqual(await w.store.attempts.adopt(10, sending), [], "it may be about to be told");
    await w.wait(3 * SECOND);
    const adopted = await w.store.attempts.adopt(10, sending);
    assert.deepEqual(
      adopted.map(({ taskId, send }) => [taskId, send]),
      [[unknown.taskId, 2]],
    );
    await w.store.attempts.broken(senderOf(w.take()), "reset");
    assert.deepEqual(await w.store.attempts.adopt(10, sending), [], "its resend is due later");
  });

  on(
    "hole 10: an exchange that broke is resent under the same token, later each time, until the timeout",
    async (w) => {
      await w.agent("worker", { capabilities: ["work"], timeout: 20 * SECOND });
      const { id } = await w.task({ retry: ALONE });
      const first = w.take();
      const started = w.clock.now();
      let attempt = first;
      for (const delay of [1, 2, 4, 8]) {
        await w.store.attempts.broken(senderOf(attempt), "connection reset");
        assert.equal((await w.attempt(id, 1)).status, "dispatched");
        await w.wait(delay * SECOND - 1);
        assert.equal(w.sent.length, 0);
        await w.wait(1);
        attempt = w.take();
        assert.deepEqual([attempt.attempt, attempt.token, attempt.timeoutAt], [1, first.token, started + 20 * SECOND]);
      }
      await w.store.attempts.broken(senderOf(attempt), "connection reset");
      await w.wait(5 * SECOND - 1);
      assert.equal((await w.getTask(id)).status, "running");
      await w.wait(1);
      assert.deepEqual([(await w.getTask(id)).status, (await w.attempt(id, 1)).status], ["failed", "timed_out"]);
      assert.equal((await w.attempt(id, 1)).sends, 5);
    },
  );

  on("hole 10: what was not sent uses no attempt up, and is tried again soon", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task({ retry: { ...ALONE, maxAttempts: 2 } });
    w.ids.chance = 0;
    await w.store.attempts.undelivered(senderOf(w.take()), "No connection could be made.");
    const task = await w.getTask(id);
    assert.deepEqual([task.status, task.used, await w.slots(agentId)], ["pending", 0, "0/0"]);
    assert.equal(task.readyAt, w.clock.now() + SECOND / 8);
    assert.deepEqual([(await w.attempt(id, 1)).status, (await w.attempt(id, 1)).counted], ["lost", false]);
    await w.wait(SECOND / 8);
    const second = w.take();
    assert.equal(second.attempt, 2);
    await w.complete(second);
    assert.equal((await w.getTask(id)).used, 1);
  });

  on("hole 10: five tries in a row that sent nothing count as one attempt", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    const { id } = await w.task({ retry: { ...ALONE, maxAttempts: 2 } });
    for (let tries = 1; tries <= 5; tries += 1) {
      await w.store.attempts.undelivered(senderOf(w.take()), "No connection could be made.");
      assert.equal((await w.getTask(id)).used, tries === 5 ? 1 : 0);
      if (tries < 5) await w.wait(5 * SECOND);
    }
    const counted = (await w.store.tasks.attempts(id)).map((attempt) => attempt.counted);
    assert.deepEqual(counted, [false, false, false, false, true]);
  });

  on("hole 10: an undelivered resend proves nothing about the first send: it is resent again", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.task({ retry: ALONE });
    await w.store.attempts.broken(senderOf(w.take()), "reset");
    await w.wait(SECOND);
    const second = w.take();
    await w.store.attempts.undelivered(senderOf(second), "refused");
    assert.deepEqual([(await w.getTask(id)).status, (await w.attempt(id, 1)).status], ["running", "dispatched"]);
    await w.wait(2 * SECOND);
    assert.deepEqual([w.take().send, (await w.getTask(id)).used], [3, 0]);
  });

  on(
    "hole 10: the first loss is offered again at once, elsewhere if possible; the next takes the backoff",
    async (w) => {
      const first = await w.agent("first", { capabilities: ["work"] });
      const second = await w.agent("second", { capabilities: ["work"] });
      const { id } = await w.task();
      const taken = w.take();
      const other = taken.agentId === first ? second : first;
      await w.report(taken.agentId, "initializing");
      assert.equal((await w.getTask(id)).readyAt, w.clock.now());
      await w.report(taken.agentId, "idle");
      await w.dispatch();
      const again = w.take();
      assert.equal(again.agentId, other);
      w.ids.chance = 0.5;
      await w.report(again.agentId, "initializing");
      assert.equal((await w.getTask(id)).readyAt, w.clock.now() + SECOND);
      assert.equal((await w.getTask(id)).used, 2);
    },
  );

  on("hole 10: a message whose holder has asked for the lease is not sent again; others are", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    const retry = { ...STEP_RETRY, jitter: "none" } as const;
    const { id } = await w.task({ retry });
    await w.task({ retry });
    const [first, another] = [w.take(), w.take()];
    await w.wait(30 * SECOND);
    for (const attempt of [first, another]) await w.fail(attempt);
    await w.wait(SECOND);
    const [second, other] = [w.take(), w.take()];
    assert.deepEqual([second.taskId, other.taskId], [first.taskId, another.taskId]);
    await w.store.attempts.broken(senderOf(second), "no answer");
    await w.store.attempts.extendLease(id, second.token);
    w.clock.advance(1);
    await w.store.attempts.broken(senderOf(other), "no answer");
    await w.wait(2 * SECOND);
    assert.equal((await w.attempt(id, 2)).sends, 1);
    assert.equal((await w.attempt(other.taskId, 2)).sends, 2);
    await w.complete(w.take());
    await w.wait(first.timeoutAt - w.clock.now());
    assert.equal(await w.store.attempts.expire(10), 0, "nothing is left to decide before its own timeout");
    await w.complete(second);
    assert.equal((await w.getTask(id)).status, "completed");
  });

  on("hole 11: no more is claimed than can be sent, however many transitions share a batch", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 100 });
    w.capacity = 3;
    await Promise.all(Array.from({ length: 10 }, () => w.task()));
    assert.equal(w.sent.length, 3);
    w.capacity = 2;
    await Promise.all([w.dispatch(), w.dispatch()]);
    assert.equal(w.sent.length, 5);
    w.capacity = 0;
    assert.equal(await w.dispatch(), 0);
    await w.task();
    assert.equal(w.sent.length, 5);
  });

  // --- gaps -----------------------------------------------------------------------------------------------------------

  on("hole 22: timeouts that fell due while nobody judged move by the gap and ten seconds", async (w) => {
    await w.agent("worker", { capabilities: ["work"], timeout: 30 * SECOND });
    await w.store.process.beat();
    const { id } = await w.task({ retry: ALONE });
    const attempt = w.take();
    await w.acknowledge(attempt);
    await w.crash();
    w.clock.advance(MINUTE);
    await w.store.process.beat();
    assert.equal(await w.expire(), 0);
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(40 * SECOND - 1);
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(1);
    assert.equal((await w.attempt(id, 1)).status, "timed_out");
  });

  on("hole 22: a timeout that was not due in the gap stays where it was", async (w) => {
    await w.agent("worker", { capabilities: ["work"], timeout: 2 * MINUTE });
    await w.store.process.beat();
    const { id } = await w.task({ retry: ALONE });
    await w.acknowledge(w.take());
    w.clock.advance(MINUTE);
    await w.store.process.beat();
    await w.wait(MINUTE - 1);
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(1);
    assert.equal((await w.getTask(id)).status, "failed");
  });

  on("hole 22: judging notices a gap by itself, before it judges", async (w) => {
    await w.agent("worker", { capabilities: ["work"], timeout: 30 * SECOND });
    await w.store.process.beat();
    const { id } = await w.task({ retry: ALONE });
    await w.acknowledge(w.take());
    w.clock.advance(MINUTE);
    await w.expire();
    assert.equal((await w.getTask(id)).status, "running");
  });

  on("hole 22: a crash loop must still expire someone: an attempt moves twice at most", async (w) => {
    await w.agent("worker", { capabilities: ["work"], timeout: 30 * SECOND });
    await w.store.process.beat();
    const { id } = await w.task({ retry: ALONE });
    await w.acknowledge(w.take());
    for (let crash = 1; crash <= 3; crash += 1) {
      await w.crash();
      w.clock.advance(5 * MINUTE);
      await w.store.process.beat();
      await w.expire();
      assert.equal((await w.getTask(id)).status, crash < 3 ? "running" : "failed", `after crash ${crash}`);
    }
  });

  on("hole 22: a resend that fell due in the gap happens at once", async (w) => {
    await w.agent("worker", { capabilities: ["work"], timeout: 10 * MINUTE });
    await w.store.process.beat();
    await w.task();
    await w.store.attempts.broken(senderOf(w.take()), "reset");
    w.clock.advance(MINUTE);
    await w.store.process.beat();
    await w.expire();
    assert.equal(w.take().send, 2);
  });
};
