import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { step, workflow } from "./test-definitions.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, senderOf, type World, withCode } from "./test-world.ts";

const SILENCE = 10 * SECOND;

/** What agents say of their progress, and what follows from their silence. */
export const progressSuite: Suite = (on) => {
  beats(on);
  silence(on);
  gaps(on);
};

async function working(w: World, options: { silence?: number; agentSilence?: number } = {}) {
  const { silence: silenceTimeout, agentSilence = null } = options;
  const agentId = await w.agent("worker", {
    capabilities: ["work"],
    timeout: 10 * MINUTE,
    silenceTimeout: agentSilence,
  });
  const task = await w.task(silenceTimeout === undefined ? {} : { silenceTimeout });
  const attempt = w.take();
  return { agentId, id: task.id, attempt };
}

function beat(w: World, { taskId, token }: Pick<ClaimedAttempt, "taskId" | "token">, counter?: number, note?: string) {
  return w.store.attempts.progress(taskId, token, { counter: counter ?? null, note: note ?? null });
}

function beats(on: Declare): void {
  on("the last counter, note and time stand on the task, and the first word is an event", async (w) => {
    const { id, attempt } = await working(w);
    assert.equal((await w.getTask(id)).progress, null);
    assert.deepEqual(await beat(w, attempt, 3, "page 3"), {
      type: "noted",
      leaseUntil: attempt.timeoutAt,
      progress: { counter: 3, note: "page 3", at: w.clock.now(), suspectSince: null },
    });
    w.clock.advance(SECOND);
    await beat(w, attempt, 5);
    const { progress } = await w.getTask(id);
    assert.deepEqual(progress, { counter: 5, note: "page 3", at: w.clock.now(), suspectSince: null });
    assert.equal((await w.types(id)).filter((type) => type === "attempt.progress").length, 2);
    assert.match((await w.store.tasks.why(id))?.message ?? "", /Its progress at .*: 5: page 3\.$/);
  });

  on("a step's progress is an event of its session", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(workflow([step("a")]));
    await beat(w, w.take(), 1);
    const told = (await w.store.events.list(0, 100, session.id)).at(-1);
    assert.deepEqual([told?.type, told?.data.counter, told?.data.stepId], ["attempt.progress", 1, "a"]);
  });

  on("at most one event a second is stored of an attempt, and the task always has the newest", async (w) => {
    const { id, attempt } = await working(w);
    for (let counter = 0; counter < 50; counter += 1) {
      await beat(w, attempt, counter);
      w.clock.advance(SECOND / 10);
    }
    assert.equal((await w.getTask(id)).progress?.counter, 49);
    assert.equal((await w.types(id)).filter((type) => type === "attempt.progress").length, 5);
  });

  on("a counter that did not grow is no progress: it neither moves back nor is told again", async (w) => {
    const { id, attempt } = await working(w);
    for (const counter of [7, 7, 3, undefined]) {
      await beat(w, attempt, counter);
      w.clock.advance(SECOND);
    }
    assert.equal((await w.getTask(id)).progress?.counter, 7);
    assert.equal((await w.types(id)).filter((type) => type === "attempt.progress").length, 1);
  });

  on("progress renews the lease of an agent that pulls, and says that it has the task", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], channel: "pull", timeout: MINUTE });
    const { id } = await w.task();
    const attempt = need((await w.store.agents.claim(agentId, 1))[0], "attempt");
    for (let counter = 1; counter <= 4; counter += 1) {
      await w.wait(9 * SECOND);
      const noted = await beat(w, attempt, counter);
      assert.equal(noted.type === "noted" && noted.leaseUntil, w.clock.now() + 10 * SECOND);
    }
    assert.equal((await w.attempt(id, 1)).status, "acknowledged");
    await w.wait(9 * SECOND);
    await beat(w, attempt);
    await w.wait(9 * SECOND);
    assert.equal((await w.getTask(id)).status, "running", "any word is a sign of life");
  });

  on("to an agent that is sent its work, progress closes no exchange", async (w) => {
    const { id, attempt } = await working(w);
    await beat(w, attempt, 1);
    assert.equal((await w.attempt(id, 1)).status, "created");
    await w.crash();
    assert.equal((await w.store.attempts.adopt(10)).length, 1, "it is sent again by the next process");
  });

  on("a word about an attempt that has ended is kept, once, and changes nothing", async (w) => {
    const { id, attempt } = await working(w);
    await w.complete(attempt, "done");
    assert.deepEqual(await beat(w, attempt, 9), { type: "stale", attemptStatus: "succeeded", cancellation: null });
    await beat(w, attempt, 10);
    assert.deepEqual((await w.types(id)).slice(-2), ["task.completed", "attempt.late_progress"]);
    assert.equal((await w.getTask(id)).progress, null);
    await assert.rejects(beat(w, { taskId: id, token: "1.x" }, 1), withCode("lease_lost"));
    await assert.rejects(beat(w, { taskId: "task_x", token: "1.x" }, 1), withCode("task_not_found"));
  });

  on("each attempt has progress of its own", async (w) => {
    const { id, attempt } = await working(w);
    await beat(w, attempt, 50);
    await w.fail(attempt);
    assert.equal((await w.getTask(id)).progress?.counter, 50, "of the last one, as long as it is the last");
    await w.wait(SECOND);
    assert.equal((await w.getTask(id)).progress, null);
    await beat(w, w.take(), 1);
    assert.equal((await w.getTask(id)).progress?.counter, 1);
  });
}

function silence(on: Declare): void {
  on("half its silence makes an attempt suspect, all of it ends it, and another one follows", async (w) => {
    const { agentId, id, attempt } = await working(w, { silence: SILENCE });
    await w.acknowledge(attempt);
    await w.wait(SILENCE / 2 - 1);
    assert.equal((await w.getTask(id)).progress, null);
    await w.wait(1);
    assert.equal((await w.getTask(id)).progress?.suspectSince, w.clock.now());
    assert.equal((await w.store.tasks.why(id))?.reason, "progress_frozen");
    assert.equal((await w.store.agents.get(agentId))?.health.cause, "frozen_progress");
    await w.wait(SILENCE / 2 - 1);
    assert.equal((await w.attempt(id, 1)).status, "acknowledged", "never early");
    await w.wait(1);
    const ended = await w.attempt(id, 1);
    assert.deepEqual([ended.status, ended.error?.code], ["timed_out", "silent"]);
    assert.deepEqual((await w.types(id)).slice(-3), ["attempt.suspect", "attempt.timed_out", "task.retrying"]);
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready", "it is suspect no more");
    assert.equal(await w.slots(agentId), "1/1", "it may still be at it");
  });

  on("a counter that grows keeps an attempt alive, one that stands still does not", async (w) => {
    const { id, attempt } = await working(w, { silence: SILENCE });
    for (let counter = 0; counter < 10; counter += 1) {
      await w.wait(SILENCE - 1);
      await beat(w, attempt, counter);
    }
    const began = w.clock.now();
    while ((await w.attempt(id, 1)).endedAt === null) {
      await w.wait(SECOND);
      if ((await w.attempt(id, 1)).endedAt === null) await beat(w, attempt, 9, "still busy");
    }
    assert.equal(w.clock.now(), began + SILENCE);
    assert.match((await w.attempt(id, 1)).error?.message ?? "", /no progress beyond 9 .* still busy/);
  });

  on("an attempt that was suspect and gets on is not any more", async (w) => {
    const { agentId, id, attempt } = await working(w, { silence: SILENCE });
    await w.wait(SILENCE - 1);
    assert.equal((await w.store.agents.get(agentId))?.health.health, "suspect");
    await beat(w, attempt, 1);
    assert.equal((await w.getTask(id)).progress?.suspectSince, null);
    assert.equal((await w.store.agents.get(agentId))?.health.health, "ready");
    assert.deepEqual((await w.types(id)).slice(-2), ["attempt.recovered", "attempt.progress"]);
    await w.wait(SILENCE - 1);
    assert.equal((await w.attempt(id, 1)).endedAt, null, "its time is counted anew");
  });

  on("by its agent's own word an attempt is watched from its first progress on", async (w) => {
    const { id, attempt } = await working(w, { agentSilence: SILENCE });
    await w.wait(3 * SILENCE);
    await beat(w, attempt, 1);
    await w.wait(SILENCE - 1);
    assert.equal((await w.attempt(id, 1)).endedAt, null);
    await w.wait(1);
    assert.equal((await w.attempt(id, 1)).error?.code, "silent");
  });

  on("the step's word goes before the agent's", async (w) => {
    const { id, attempt } = await working(w, { agentSilence: SILENCE, silence: 3 * SILENCE });
    await beat(w, attempt, 1);
    await w.wait(3 * SILENCE - 1);
    assert.equal((await w.attempt(id, 1)).endedAt, null);
    await w.wait(1);
    assert.equal((await w.attempt(id, 1)).error?.code, "silent");
  });

  on("a step that wants to hear of its work hears of a workflow's agent", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(workflow([step("a", { silenceTimeout: "10s", retry: { maxAttempts: 1 } })]));
    await w.acknowledge(w.take());
    await w.wait(SILENCE);
    const { status, error } = await w.getSession(session.id);
    assert.deepEqual([status, error?.code], ["failed", "silent"]);
  });

  on("nothing that bounds silence outlives the attempt's timeout", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 4 * SECOND });
    const { id } = await w.task({ silenceTimeout: SILENCE });
    await w.acknowledge(w.take());
    await w.wait(4 * SECOND);
    assert.equal((await w.attempt(id, 1)).error?.code, "timeout");
    assert.equal((await w.store.agents.get(agentId))?.health.cause, null);
  });

  on("a message that goes out once more gives its agent the time anew", async (w) => {
    const { id, attempt } = await working(w, { silence: SILENCE });
    await w.wait(SILENCE - 1);
    await w.store.attempts.broken(senderOf(attempt), "reset");
    await w.wait(SECOND);
    w.take();
    await w.wait(SILENCE - 1);
    assert.equal((await w.attempt(id, 1)).endedAt, null);
    await w.wait(1);
    assert.equal((await w.attempt(id, 1)).error?.code, "silent");
  });

  on("an attempt whose silence is watched is known to be ours even if the answer to its claim was lost", async (w) => {
    await working(w, { silence: MINUTE });
    await w.wait(4 * SECOND);
    assert.equal((await w.store.attempts.adopt(10, new Set())).length, 1);
  });

  on("what is suspect stays so over a restart, and goes with its agent", async (w) => {
    const { agentId, id, attempt } = await working(w, { silence: SILENCE });
    await w.acknowledge(attempt);
    await w.wait(SILENCE / 2);
    await w.crash();
    assert.equal((await w.store.agents.get(agentId))?.health.cause, "frozen_progress");
    await w.store.agents.remove(agentId);
    assert.equal((await w.getTask(id)).progress?.suspectSince ?? null, null);
    const again = await w.agent("worker", { id: agentId });
    assert.equal((await w.store.agents.get(again))?.health.health, "ready");
  });
}

function gaps(on: Declare): void {
  on("hole 22: silence that nobody could have heard broken gets the gap and ten seconds, twice at most", async (w) => {
    const { id, attempt } = await working(w, { silence: SILENCE });
    await w.acknowledge(attempt);
    await w.store.process.beat();
    for (let stall = 1; stall <= 2; stall += 1) {
      w.clock.advance(5 * MINUTE);
      await w.expire();
      assert.equal((await w.getTask(id)).progress ?? null, null, `after stall ${stall}`);
    }
    w.clock.advance(MINUTE);
    await w.expire();
    assert.notEqual((await w.getTask(id)).progress?.suspectSince ?? null, null);
  });

  on("hole 22: progress makes good for the times a watch was moved", async (w) => {
    const { id, attempt } = await working(w, { silence: SILENCE });
    await w.acknowledge(attempt);
    await w.store.process.beat();
    for (let stall = 1; stall <= 4; stall += 1) {
      w.clock.advance(30 * SECOND);
      await w.expire();
      await beat(w, attempt, stall);
      assert.equal((await w.getTask(id)).progress?.suspectSince, null, `after stall ${stall}`);
    }
    await w.wait(SILENCE);
    assert.equal((await w.attempt(id, 1)).error?.code, "silent");
  });

  on("hole 22: a watch is not moved by a gap in which nothing of it fell due", async (w) => {
    const { id } = await working(w, { silence: MINUTE });
    await w.store.process.beat();
    w.clock.advance(10 * SECOND);
    await w.expire();
    await w.wait(50 * SECOND);
    assert.equal((await w.attempt(id, 1)).error?.code, "silent");
  });
}
