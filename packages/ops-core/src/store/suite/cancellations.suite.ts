import assert from "node:assert/strict";
import type { Cancellation, CancelReceipt } from "../../domain/cancellations/cancellation.ts";
import { SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import { cancelled, confirm, LISTENS, messageOf, STAGES, said } from "./test-cancellations.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { failed, succeeded, withCode } from "./test-world.ts";

/** What becomes of an attempt that was cancelled while somebody may have been at it. */
export const cancellationsSuite: Suite = (on) => {
  requests(on);
  words(on);
  lateOutcomes(on);
  deadlines(on);
  otherEnds(on);
};

function requests(on: Declare): void {
  on(
    "a cancelled attempt has a cancellation, which says whom it is told, how, and until when that is waited for",
    async (w) => {
      const { attempt, one } = await cancelled(w, LISTENS);
      const cancellation = await one();
      assert.deepEqual(cancellation, {
        id: cancellation.id,
        sessionId: null,
        stepId: null,
        taskId: attempt.taskId,
        attempt: 1,
        agentId: attempt.agentId,
        agentName: "worker",
        tool: null,
        channel: "message",
        reason: "no more",
        stage: "requested",
        requestedAt: w.clock.now(),
        deliveredAt: null,
        acknowledgedAt: null,
        endedAt: null,
        stageDeadline: w.clock.now() + 15 * SECOND,
        stuckAt: null,
        evidence: null,
        note: null,
      } satisfies Cancellation);
      assert.match(cancellation.id, /^can_/);
    },
  );

  on("a task that nobody was given has none", async (w) => {
    const { id } = await w.task();
    await w.store.tasks.cancel(id, "no more");
    assert.deepEqual(await w.store.cancellations.ofTask(id), []);
  });

  on("one that ended before it was cancelled has none, and one that timed out before has, with its slot", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2, timeout: 30 * SECOND });
    const { id } = await w.task({ retry: { ...STEP_RETRY, initialDelay: 0, maxDelay: 0 } });
    await w.fail(w.take());
    await w.wait(1);
    await w.wait(30 * SECOND);
    w.sent.length = 0;
    await w.store.tasks.cancel(id, "no more");
    const all = await w.store.cancellations.ofTask(id);
    assert.deepEqual(
      all.map(({ attempt, channel }) => [attempt, channel]),
      [
        [2, "none"],
        [3, "none"],
      ],
    );
    assert.equal(await w.slots(agentId), "2/2");
  });

  on("who takes no cancel messages is not sent one", async (w) => {
    const { one } = await cancelled(w, {});
    assert.equal((await one()).channel, "none");
    assert.deepEqual(await w.store.deliveries.due(5, ["message"]), []);
  });

  on("a tool is told nothing, and its slot is kept for as long as it had", async (w) => {
    await w.tool("post", { maxConcurrency: 1 });
    const { id } = await w.task({ requirement: { kind: "tool", tool: "post" }, timeout: 30 * SECOND });
    w.takeCall();
    await w.store.tasks.cancel(id, "no more");
    const [one] = await w.store.cancellations.ofTask(id);
    assert.deepEqual([one?.tool, one?.agentId, one?.channel], ["post", null, "none"]);
    await w.wait(30 * SECOND);
    const [after] = await w.store.cancellations.ofTask(id);
    assert.deepEqual([after?.stage, after?.note], ["unreachable", "A tool takes no cancel messages."]);
  });

  on("a tool that answers all the same is free", async (w) => {
    await w.tool("post", { maxConcurrency: 1 });
    const { id } = await w.task({ requirement: { kind: "tool", tool: "post" } });
    const call = w.takeCall();
    await w.store.tasks.cancel(id, "no more");
    assert.equal((await w.observe(call, succeeded("late", "answer"))).type, "stale");
    assert.equal((await w.store.cancellations.ofTask(id))[0]?.stage, "finished");
    await w.task({ requirement: { kind: "tool", tool: "post" } });
    assert.equal(w.takeCall().tool, "post");
  });

  on("its history is in the stream of the task, and outlives a crash", async (w) => {
    const { attempt, one } = await cancelled(w, LISTENS);
    await w.crash();
    await confirm(w, attempt, "acknowledged", null);
    await w.crash();
    await confirm(w, attempt, "stopped", "half of it was written");
    assert.equal((await one()).stage, "stopped");
    assert.deepEqual((await w.types(attempt.taskId)).slice(-4), [
      "task.cancelled",
      "cancellation.requested",
      "cancellation.acknowledged",
      "cancellation.stopped",
    ]);
  });
}

function words(on: Declare): void {
  on("the agent says that it heard of it, then that it has stopped, and its slot is free at once", async (w) => {
    const { agentId, attempt, one } = await cancelled(w, LISTENS);
    assert.equal(await w.slots(agentId), "1/1");
    w.clock.advance(SECOND);
    assert.deepEqual(said(await confirm(w, attempt, "acknowledged", null)), ["acknowledged", null, null]);
    assert.equal(await w.slots(agentId), "1/1");
    const told = await one();
    assert.deepEqual([told.deliveredAt, told.acknowledgedAt], [w.clock.now(), w.clock.now()]);
    w.clock.advance(SECOND);
    assert.deepEqual(said(await confirm(w, attempt, "stopped", "in time")), ["stopped", "receipt", "in time"]);
    assert.equal(await w.slots(agentId), "0/0");
    assert.equal((await one()).endedAt, w.clock.now());
  });

  on("an agent that stops at once need not say first that it will", async (w) => {
    const { agentId, attempt } = await cancelled(w, LISTENS);
    assert.equal((await confirm(w, attempt, "stopped", null)).stage, "stopped");
    assert.equal(await w.slots(agentId), "0/0");
  });

  on("one that refuses goes on, and its slot drains to its end", async (w) => {
    const { agentId, attempt } = await cancelled(w, LISTENS, { timeout: 30 * SECOND });
    assert.deepEqual(said(await confirm(w, attempt, "refused", "too late to stop")), [
      "refused",
      "receipt",
      "too late to stop",
    ]);
    assert.equal(await w.slots(agentId), "1/1");
    await w.wait(29 * SECOND);
    assert.equal(await w.slots(agentId), "1/1");
    await w.wait(SECOND);
    assert.equal(await w.slots(agentId), "0/0");
  });

  on("a word that says less than is known changes nothing, and is answered by what is known", async (w) => {
    const { attempt, one } = await cancelled(w, LISTENS);
    await confirm(w, attempt, "stopped", "done");
    const before = await one();
    const types = await w.types(attempt.taskId);
    for (const status of ["stopped", "acknowledged", "refused"] as const) {
      assert.deepEqual(await confirm(w, attempt, status, "again"), before);
    }
    assert.deepEqual(await w.types(attempt.taskId), types);
  });

  on("words are facts: one that comes after it was given up is believed", async (w) => {
    for (const status of ["stopped", "refused"] as const) {
      const { attempt, one } = await cancelled(w, LISTENS);
      await w.wait(15 * SECOND);
      assert.equal((await one()).stage, "unreachable");
      assert.equal((await confirm(w, attempt, "acknowledged", null)).stage, "unreachable");
      assert.equal((await confirm(w, attempt, status, null)).stage, status);
    }
  });

  on("only the token of an attempt that was cancelled counts", async (w) => {
    const { attempt } = await cancelled(w, LISTENS);
    const { cancellations } = w.store;
    const stopped: CancelReceipt = { status: "stopped", note: null };
    await assert.rejects(cancellations.confirm(attempt.taskId, "1.no", stopped), withCode("lease_lost"));
    await assert.rejects(cancellations.confirm("task_no", attempt.token, stopped), withCode("task_not_found"));
    await confirm(w, attempt, "stopped", null);
    const { id } = await w.task();
    const running = w.take();
    await assert.rejects(cancellations.confirm(id, running.token, stopped), withCode("not_cancelled"));
    await w.complete(running);
    await assert.rejects(cancellations.confirm(id, running.token, stopped), withCode("lease_lost"));
  });
}

function lateOutcomes(on: Declare): void {
  on("a result that comes late is refused and shows that the work was done nonetheless", async (w) => {
    const { agentId, attempt, one } = await cancelled(w, LISTENS);
    const { id } = await one();
    const settled = await w.complete(attempt, "late");
    assert.deepEqual([settled.type, settled.cancellation?.cancellationId], ["stale", id]);
    assert.deepEqual(said(await one()), ["finished", "result", null]);
    assert.deepEqual([await w.slots(agentId), (await w.getTask(attempt.taskId)).result], ["0/0", null]);
    assert.equal((await confirm(w, attempt, "stopped", null)).stage, "finished");
  });

  on("a failure that comes late shows that the agent has stopped", async (w) => {
    const { agentId, attempt, one } = await cancelled(w, LISTENS);
    assert.equal((await w.fail(attempt)).type, "stale");
    assert.deepEqual([said(await one()), await w.slots(agentId)], [["stopped", "result", null], "0/0"]);
  });

  on("so does the answer to an exchange that was still open, but not its breaking off", async (w) => {
    const { attempt, one } = await cancelled(w, LISTENS);
    await w.observe(attempt, failed("unavailable"));
    assert.equal((await one()).stage, "requested");
    await w.observe(attempt, succeeded("late", "answer"));
    assert.equal((await one()).stage, "finished");
  });

  on("a result after the agent said that it stopped is the last word", async (w) => {
    const { attempt, one } = await cancelled(w, LISTENS);
    await confirm(w, attempt, "stopped", null);
    await w.complete(attempt, "late");
    assert.equal((await one()).stage, "finished");
  });
}

function deadlines(on: Declare): void {
  on("each stage has its time, is never given up early, and says where it stuck", async (w) => {
    for (const [stage, seconds, note] of STAGES) {
      const { attempt, one } = await cancelled(w, LISTENS, { timeout: 40 * SECOND });
      if (stage === "delivered") await w.store.deliveries.told(await messageOf(w), 1, (await one()).id, null);
      if (stage === "acknowledged") await confirm(w, attempt, "acknowledged", null);
      await w.wait(seconds * SECOND - 1);
      assert.equal((await one()).stage, stage);
      await w.wait(1);
      const { stage: last, stuckAt, note: why, endedAt } = await one();
      assert.deepEqual([last, stuckAt, why, endedAt], ["unreachable", stage, note, w.clock.now()]);
    }
  });

  on("who is told nothing is waited for until its slot is given up", async (w) => {
    const { agentId, one } = await cancelled(w, {}, { timeout: 40 * SECOND });
    await w.wait(40 * SECOND - 1);
    assert.deepEqual([(await one()).stage, await w.slots(agentId)], ["requested", "1/1"]);
    await w.wait(1);
    const { stage, stuckAt, note } = await one();
    assert.deepEqual([stage, stuckAt, note], ["unreachable", "requested", "The agent takes no cancel messages."]);
    assert.equal(await w.slots(agentId), "0/0");
  });

  on("who stops is given the rest of its attempt's time, two minutes at most and 15 s at least", async (w) => {
    for (const [timeout, rest] of [
      [3_600, 120],
      [60, 60],
      [5, 15],
    ] as const) {
      const { attempt } = await cancelled(w, LISTENS, { timeout: timeout * SECOND });
      const { stageDeadline } = await confirm(w, attempt, "acknowledged", null);
      assert.equal(stageDeadline, w.clock.now() + rest * SECOND);
      await confirm(w, attempt, "stopped", null);
    }
  });

  on("a stage whose time passed while nobody judged has more of it", async (w) => {
    const { one } = await cancelled(w, LISTENS);
    await w.store.process.beat();
    w.clock.advance(60 * SECOND);
    await w.store.process.beat();
    await w.expire();
    assert.equal((await one()).stage, "requested");
    await w.wait(25 * SECOND);
    assert.equal((await one()).stage, "unreachable");
  });

  on("twice at most; and not when it passed before that, or has not passed", async (w) => {
    const { one } = await cancelled(w, LISTENS);
    await w.store.process.beat();
    const deaf = async (seconds: number) => {
      w.clock.advance(seconds * SECOND);
      await w.store.process.beat();
      return one();
    };
    const { stageDeadline } = await one();
    assert.equal((await deaf(5)).stageDeadline, stageDeadline);
    for (let i = 0; i < 2; i += 1) {
      await deaf(60);
      await w.expire();
      assert.equal((await one()).stage, "requested");
    }
    await deaf(90);
    await w.expire();
    assert.equal((await one()).stage, "unreachable");
    const next = await cancelled(w, LISTENS);
    for (let i = 0; i < 15; i += 1) await deaf(1);
    await deaf(10);
    await w.expire();
    assert.equal((await next.one()).stage, "unreachable");
  });
}

function otherEnds(on: Declare): void {
  on("an agent that reports `idle` has stopped", async (w) => {
    const { agentId, one } = await cancelled(w, LISTENS);
    await w.report(agentId, "idle");
    assert.deepEqual([said(await one()), await w.slots(agentId)], [["stopped", "idle", null], "0/0"]);
  });

  on("one that was started anew has stopped", async (w) => {
    const { agentId, one } = await cancelled(w, LISTENS);
    await w.report(agentId, "initializing");
    assert.deepEqual(said(await one()), ["stopped", "restart", null]);
  });

  on("one that was deregistered is given up", async (w) => {
    const { agentId, one } = await cancelled(w, LISTENS);
    await w.store.agents.remove(agentId);
    assert.deepEqual(said(await one()), ["unreachable", null, "The agent was deregistered."]);
  });

  on("another agent's report ends nothing", async (w) => {
    const { one } = await cancelled(w, LISTENS);
    const other = await w.agent("other", { capabilities: ["other"] });
    await w.report(other, "idle");
    assert.equal((await one()).stage, "requested");
  });
}
