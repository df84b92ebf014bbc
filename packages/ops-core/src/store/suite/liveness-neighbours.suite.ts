import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import type { Suite } from "./test-rig.ts";
import { failed, need, senderOf, succeeded, type World } from "./test-world.ts";

const SILENCE = 20 * SECOND;

/** What happens to one attempt or agent leaves those beside it as they are. */
export const livenessNeighboursSuite: Suite = (on) => {
  on("an attempt that is suspect, gets on or ends says nothing about those beside it", async (w) => {
    const { one, two } = await pair(w);
    const first = await second(w, one);
    await w.acknowledge(first);
    await w.wait(5 * SECOND);
    const other = await second(w, two);
    await w.acknowledge(other);
    await w.wait(5 * SECOND);
    assert.deepEqual([await suspects(w, first), await suspects(w, other)], [true, false]);
    await w.wait(5 * SECOND);
    assert.deepEqual([await suspects(w, first), await suspects(w, other)], [true, true]);
    await w.store.attempts.progress(first.taskId, first.token, { counter: 1, note: null });
    assert.deepEqual([await suspects(w, first), await suspects(w, other)], [false, true]);
    await w.wait(10 * SECOND - 1);
    assert.equal((await w.attempt(other.taskId, other.attempt)).endedAt, null);
    await w.wait(1);
    assert.equal((await w.attempt(other.taskId, other.attempt)).error?.code, "silent");
    assert.equal((await w.attempt(first.taskId, first.attempt)).endedAt, null);
    await w.wait(10 * SECOND - 1);
    assert.equal((await w.attempt(first.taskId, first.attempt)).endedAt, null);
    await w.wait(1);
    assert.equal((await w.attempt(first.taskId, first.attempt)).error?.code, "silent");
  });

  on("what is sent again gets its time anew, and nothing else does", async (w) => {
    const { one, two } = await pair(w);
    const first = await second(w, one);
    const other = await second(w, two);
    await w.acknowledge(other);
    await w.wait(5 * SECOND);
    await w.store.attempts.broken(senderOf(first), "reset");
    await w.wait(SECOND);
    w.take();
    await w.wait(14 * SECOND);
    assert.equal((await w.attempt(other.taskId, other.attempt)).error?.code, "silent");
    assert.equal((await w.attempt(first.taskId, first.attempt)).endedAt, null);
    await w.wait(6 * SECOND);
    assert.equal((await w.attempt(first.taskId, first.attempt)).error?.code, "silent");
  });

  on("an exchange that closes after it broke, and a failure that may pass, are those of one task", async (w) => {
    const { one, two } = await pair(w);
    const first = await given(w, one);
    await w.wait(SECOND);
    const other = await given(w, two, 2);
    await w.acknowledge(other);
    await w.store.attempts.broken(senderOf(first), "409", true);
    await w.acknowledge(first);
    await w.observe(await given(w, one, 2), failed("agent_error", "answer", { retryable: true }));
    assert.equal((await w.getTask(other.taskId)).status, "running");
    await w.wait(19 * SECOND);
    assert.equal((await w.attempt(first.taskId, 1)).error?.code, "silent");
    assert.equal((await w.attempt(other.taskId, 1)).endedAt, null);
    await w.wait(SECOND);
    assert.equal((await w.attempt(other.taskId, 1)).error?.code, "silent");
  });

  on("hole 22: a gap moves the watches that fell due in it, and no others", async (w) => {
    const { one, two } = await pair(w);
    const first = await second(w, one);
    await w.acknowledge(first);
    await w.wait(9 * SECOND);
    const other = await second(w, two);
    await w.acknowledge(other);
    await w.store.process.beat();
    w.clock.advance(5 * SECOND);
    await w.expire();
    assert.deepEqual([await suspects(w, first), await suspects(w, other)], [false, false]);
    await w.wait(5 * SECOND);
    assert.deepEqual([await suspects(w, first), await suspects(w, other)], [false, true]);
    await w.wait(6 * SECOND);
    assert.deepEqual([await suspects(w, first), await suspects(w, other)], [true, true]);
    assert.equal((await w.attempt(first.taskId, first.attempt)).endedAt, null);
  });

  on("an agent that goes takes its own suspicions with it, and only them", async (w) => {
    const { one, two } = await pair(w);
    await w.acknowledge(await second(w, one));
    await w.acknowledge(await second(w, two));
    await w.wait(10 * SECOND);
    await w.store.agents.remove(one);
    assert.equal((await w.store.agents.get(two))?.health.cause, "frozen_progress");
    await w.crash();
    assert.equal((await w.store.agents.get(two))?.health.cause, "frozen_progress");
  });

  on("each quarantined agent is tried, prolonged and readmitted for itself", async (w) => {
    const { one, two } = await pair(w);
    const breakIt = async (agentId: string) => {
      for (let i = 0; i < 5; i += 1) await w.observe(await given(w, agentId), failed("agent_error", "answer"));
    };
    for (const agentId of [one, two]) await breakIt(agentId);
    for (const agentId of [one, two]) {
      assert.match((await w.store.agents.blocked(agentId))?.message ?? "", /5 of 5 attempts failed; next try/);
    }
    await w.wait(30 * SECOND);
    const tried = await given(w, one);
    assert.equal(await w.store.agents.blocked(two), null, "its try is still free");
    const other = await given(w, two);
    await w.observe(tried, failed("agent_error", "answer"));
    assert.match((await w.store.agents.blocked(two))?.message ?? "", /it is being tried/);
    await w.observe(other, succeeded(1, "answer"));
    assert.equal(await w.store.agents.blocked(two), null);
    await w.crash();
    assert.equal((await w.store.agents.blocked(one))?.reason, "agent_quarantined");
    await breakIt(two);
    await w.store.agents.readmit(one);
    await w.crash();
    assert.equal((await w.store.agents.blocked(two))?.reason, "agent_quarantined");
  });
};

async function pair(w: World): Promise<{ one: string; two: string }> {
  const options = { maxConcurrency: 2, timeout: 10 * MINUTE };
  return { one: await w.agent("one", options), two: await w.agent("two", options) };
}

/** An attempt of a watched task, which only this agent can do. */
async function given(w: World, agentId: string, maxAttempts = 1): Promise<ClaimedAttempt> {
  w.sent.length = 0;
  const retry = { ...STEP_RETRY, maxAttempts, initialDelay: 0, maxDelay: 0 };
  await w.task({ requirement: { kind: "agent", agentId }, retry, silenceTimeout: SILENCE });
  await w.dispatch();
  return need(w.sent.shift(), "attempt");
}

/** As `given`, but the attempt has one before it. */
async function second(w: World, agentId: string): Promise<ClaimedAttempt> {
  await w.observe(await given(w, agentId, 2), failed("unavailable"));
  await w.dispatch();
  return need(w.sent.shift(), "attempt");
}

async function suspects(w: World, { taskId }: ClaimedAttempt): Promise<boolean> {
  return ((await w.getTask(taskId)).progress?.suspectSince ?? null) !== null;
}
