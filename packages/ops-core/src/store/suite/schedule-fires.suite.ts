import assert from "node:assert/strict";
import { HOUR, SECOND } from "../../domain/clock.ts";
import { QUEUED_MAX } from "../../domain/schedules/schedule.ts";
import { listOf, step, workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { applied, every, firesOf, fireUntil, getSchedule, scheduled } from "./test-schedules.ts";
import { need, withCode } from "./test-world.ts";

/** What becomes of due times: exactly one thing, whatever is open, late, missing or dead. */
export const scheduleFiresSuite: Suite = (on) => {
  on("overlap skip: a due time is left out while an earlier session is open", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10), overlap: "skip" });
    await fireUntil(w, 20);
    const { lastFire, blocked, queued } = await getSchedule(w, id);
    assert.deepEqual([lastFire?.outcome, lastFire?.reason], ["skipped", "earlier_session_open"]);
    assert.deepEqual([blocked?.reason, queued], ["not_due", 0]);
    await w.complete(w.take());
    await fireUntil(w, 10);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 skipped", "30 started"]);
    await w.complete(w.take());
  });

  on("overlap queue: fires wait, say why, and start in order as the session before ends", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10), overlap: "queue" });
    const start = w.clock.now();
    await fireUntil(w, 30);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 queued", "30 queued"]);
    const waiting = await getSchedule(w, id);
    assert.equal(waiting.queued, 2);
    assert.deepEqual([waiting.blocked?.reason, waiting.blocked?.since], ["earlier_session_open", start + 20 * SECOND]);
    assert.match(waiting.blocked?.message ?? "", /2 fires wait for the end of session .*, which fire 1 started/);
    assert.equal(await w.store.schedules.fire(10), 0, "nothing is due");
    await w.complete(w.take());
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 started", "30 queued"]);
    const [, second] = (await w.store.schedules.fires(id, { limit: 5 }, {})).items;
    assert.deepEqual([second?.reason, second?.decidedAt], [null, start + 20 * SECOND]);
    assert.equal(second?.startedAt, start + 30 * SECOND);
    await w.complete(w.take());
    await w.crash();
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 started", "30 started"]);
    const { counts, queued } = await getSchedule(w, id);
    assert.deepEqual([counts.started, queued], [3, 0]);
  });

  on("a fire that waits is not started by the end of another schedule's session, nor lost in a pause", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10), overlap: "queue" });
    const other = await scheduled(w, { name: "other", timing: every(10), overlap: "queue" });
    await fireUntil(w, 20);
    const [mine, theirs] = [w.take(), w.take()];
    await w.store.schedules.pause(id, null);
    await w.complete(mine);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 queued"]);
    assert.deepEqual(await firesOf(w, other), ["10 started", "20 queued"]);
    await w.store.schedules.resume(id);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 started"]);
    await w.complete(theirs);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, other), ["10 started", "20 started"]);
    for (const attempt of w.sent.splice(0)) await w.complete(attempt);
  });

  on("a schedule whose fires wait starts them when it no longer minds", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10), overlap: "queue" });
    await fireUntil(w, 30);
    await w.store.schedules.update(id, { ...(await getSchedule(w, id)), overlap: "allow" });
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 started", "30 started"]);
    assert.equal(w.sent.length, 3);
    for (const attempt of w.sent.splice(0).reverse()) await w.complete(attempt);
  });

  on("no more than a thousand fires wait", async (w) => {
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(100_000), overlap: "queue" });
    const start = w.clock.now() - 10_000 * SECOND;
    const { schedules } = w.raw;
    const all = Array.from({ length: QUEUED_MAX + 2 }, (_, i) => schedules.backfill(id, start + i * SECOND, "queue"));
    const fires = await Promise.all(all);
    assert.deepEqual([fires[0]?.outcome, fires[1]?.outcome, fires.at(-2)?.outcome], ["started", "queued", "queued"]);
    assert.deepEqual([fires.at(-1)?.outcome, fires.at(-1)?.reason], ["skipped", "queue_full"]);
  });

  on("overlap allow: a due time starts whatever is open", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10), overlap: "allow" });
    await fireUntil(w, 30);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 started", "30 started"]);
    for (const attempt of w.sent.splice(0).reverse()) await w.complete(attempt);
  });

  on("catch-up one: of the due times that passed unnoticed, the newest is fired", async (w) => {
    await applied(w, workflow([]));
    const id = await scheduled(w, { timing: every(10) });
    await w.crash();
    w.clock.advance(55 * SECOND);
    await fireUntil(w, 5);
    assert.deepEqual(await firesOf(w, id), ["10-40 missed 4", "50 started", "60 started"]);
    assert.equal((await getSchedule(w, id)).counts.missed, 4);
  });

  on("catch-up one and skip: nothing is fired that is too late", async (w) => {
    await applied(w, workflow([]));
    const one = await scheduled(w, { timing: every(100), catchUpWindow: 20 * SECOND });
    const skip = await scheduled(w, { name: "skip", timing: every(100), catchUp: "skip" });
    w.clock.advance(220 * SECOND);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, one), ["100 missed 1", "200 started"]);
    assert.deepEqual(await firesOf(w, skip), ["100-200 missed 2"]);
    w.clock.advance(100 * SECOND + 1);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, one), ["100 missed 1", "200 started", "300 missed 1"]);
    w.clock.advance(85 * SECOND);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, skip), ["100-200 missed 2", "300 missed 1", "400 started"]);
  });

  on("catch-up all: each due time within the window is fired, in order", async (w) => {
    await applied(w, workflow([]));
    const id = await scheduled(w, { timing: every(10), catchUp: "all", catchUpWindow: 30 * SECOND });
    w.clock.advance(62 * SECOND);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10-30 missed 3", "40 started", "50 started", "60 started"]);
  });

  on("a due time is neither early nor fired twice when the clock stands or is set back", async (w) => {
    await applied(w, workflow([]));
    const id = await scheduled(w, { timing: every(10) });
    await fireUntil(w, 10);
    assert.equal(await w.store.schedules.fire(10), 0);
    w.clock.advance(-8 * SECOND);
    await w.store.schedules.fire(10);
    await fireUntil(w, 17.999_999);
    assert.deepEqual(await firesOf(w, id), ["10 started"]);
    await fireUntil(w, 0.000_001);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 started"]);
  });

  on("the newest version of the workflow is started, or the one that is named", async (w) => {
    await applied(w, workflow([], { version: "1" }));
    const newest = await scheduled(w, { timing: every(10) });
    await scheduled(w, { name: "fixed", timing: every(10), workflowVersion: "1" });
    w.clock.advance(SECOND);
    await applied(w, workflow([], { version: "2" }));
    await fireUntil(w, 9);
    const sessions = (await w.store.sessions.list({ limit: 5 }, {})).items;
    assert.deepEqual(sessions.map((each) => `${each.labels.schedule} ${each.workflowVersion}`).sort(), [
      "fixed 1",
      "nightly 2",
    ]);
    assert.deepEqual((await getSchedule(w, newest)).counts.started, 1);
  });

  on("a fire that cannot start is recorded as failed, and the schedule goes on", async (w) => {
    const id = await scheduled(w, { timing: every(10) });
    await fireUntil(w, 20);
    const failed = await getSchedule(w, id);
    assert.deepEqual([failed.status, failed.failures, failed.counts.failed], ["active", 2, 2]);
    assert.deepEqual([failed.lastFire?.error?.code, failed.lastFire?.sessionId], ["workflow_not_found", null]);
    const schema = { type: "object", required: ["url"] };
    await applied(w, workflow([], { input: { schema } }));
    await fireUntil(w, 10);
    assert.equal((await getSchedule(w, id)).lastFire?.error?.code, "input_invalid");
    await w.store.schedules.update(id, { ...(await getSchedule(w, id)), input: '{"url":""}', agentId: "nobody" });
    await fireUntil(w, 10);
    assert.equal((await getSchedule(w, id)).lastFire?.error?.code, "agent_not_found");
    await w.store.schedules.update(id, { ...(await getSchedule(w, id)), agentId: null });
    await fireUntil(w, 10);
    assert.deepEqual(await firesOf(w, id), ["10 failed", "20 failed", "30 failed", "40 failed", "50 started"]);
    const { counts, failures } = await getSchedule(w, id);
    assert.deepEqual([counts, failures], [{ started: 1, skipped: 0, failed: 4, missed: 0 }, 0]);
  });

  on("what is missed before a fire that fails is recorded with it", async (w) => {
    const id = await scheduled(w, { timing: every(10) });
    w.clock.advance(30 * SECOND);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10-20 missed 2", "30 failed"]);
  });

  on("a fire that waited and cannot start any more fails in its place", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10), overlap: "queue" });
    await fireUntil(w, 30);
    await w.store.schedules.update(id, { ...(await getSchedule(w, id)), workflowVersion: "9" });
    await w.complete(w.take());
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 failed", "30 failed"]);
    const { counts, queued } = await getSchedule(w, id);
    assert.deepEqual([counts.failed, queued], [2, 0]);
  });

  on("a trigger starts now, outside of the series, and is minded by what comes after", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10), paused: true });
    const key = { actor: "a", operation: "schedules.trigger", key: "k", bodyHash: "h" };
    const { fire } = await w.store.schedules.trigger(id, key);
    assert.deepEqual([fire.kind, fire.dueAt, fire.sessionStatus], ["trigger", w.clock.now(), "running"]);
    const again = await w.store.schedules.trigger(id, key);
    assert.deepEqual([again.replayed, again.fire.sessionId], [true, fire.sessionId]);
    await w.store.schedules.trigger(id);
    await w.store.schedules.resume(id);
    await fireUntil(w, 10);
    assert.deepEqual(await firesOf(w, id), ["0 started", "0 started", "10 skipped"]);
    for (const attempt of w.sent.splice(0)) await w.complete(attempt);
    await w.store.schedules.update(id, { ...(await getSchedule(w, id)), workflowId: "none" });
    await assert.rejects(w.store.schedules.trigger(id), withCode("workflow_not_found"));
    assert.equal((await firesOf(w, id)).length, 3);
  });

  on("a backfill fires what started nothing, once, and leaves what is to come to the series", async (w) => {
    await applied(w, workflow([]));
    const id = await scheduled(w, { timing: every(10) });
    const other = await scheduled(w, { name: "other", timing: every(10) });
    const start = w.clock.now();
    w.clock.advance(40 * SECOND);
    await w.store.schedules.fire(1);
    assert.deepEqual([...(await firesOf(w, id)), ...(await firesOf(w, other))], ["10-30 missed 3", "40 started"]);
    const due = [1, 2, 3, 4, 5].map((n) => start + n * 10 * SECOND);
    assert.deepEqual(await w.store.schedules.unfired(id, due), [...due.slice(0, 3), ...due.slice(4)]);
    const { schedules } = w.store;
    for (const dueAt of due) await schedules.backfill(id, dueAt, "skip");
    for (const dueAt of due) assert.equal(await schedules.backfill(id, dueAt, "skip"), null);
    assert.equal(await schedules.backfill(other, need(due[0], "due time"), "skip"), null, "it is due already");
    const fires = ["10-30 missed 3", "40 started", "10 started", "20 started", "30 started"];
    assert.deepEqual(await firesOf(w, id), fires);
    await fireUntil(w, 10);
    assert.deepEqual(await firesOf(w, id), [...fires, "50 started"]);
  });

  on("a backfill minds earlier sessions as it is told to, and may be refused", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(3_600) });
    const at = (hours: number) => w.clock.now() - hours * HOUR;
    const { schedules } = w.store;
    assert.equal((await schedules.backfill(id, at(9), "queue"))?.outcome, "started");
    assert.equal((await schedules.backfill(id, at(8), "skip"))?.outcome, "skipped");
    assert.equal((await schedules.backfill(id, at(8), "queue"))?.outcome, "queued");
    assert.equal(await schedules.backfill(id, at(8), "queue"), null);
    assert.equal((await schedules.backfill(id, at(7), "allow"))?.outcome, "started");
    await w.complete(w.take());
    await fireUntil(w, 0);
    assert.equal((await getSchedule(w, id)).queued, 1, "another one is open");
    await w.complete(w.take());
    await fireUntil(w, 0);
    assert.equal((await getSchedule(w, id)).queued, 0);
    await w.complete(w.take());
    await schedules.update(id, { ...(await getSchedule(w, id)), workflowId: "none" });
    assert.equal((await schedules.backfill(id, at(6), "skip"))?.error?.code, "workflow_not_found");
    assert.equal((await schedules.backfill(id, at(6), "skip"))?.outcome, "failed", "it may be tried again");
    await assert.rejects(schedules.backfill("sch_none", at(6), "skip"), withCode("schedule_not_found"));
  });

  on("a session that ends as it starts keeps nobody waiting", async (w) => {
    await applied(w, workflow([]));
    const id = await scheduled(w, { timing: every(1), overlap: "queue", catchUp: "all" });
    w.clock.advance(3 * SECOND);
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["1 started", "2 started", "3 started"]);
  });

  on("a cancelled session lets the next fire start", async (w) => {
    await applied(w, workflow([step("only")]));
    const id = await scheduled(w, { timing: every(10), overlap: "queue" });
    await fireUntil(w, 20);
    const [, first] = (await w.store.schedules.fires(id, { limit: 5 }, {})).items;
    await w.store.sessions.cancel(need(first?.sessionId, "session"), "enough");
    await fireUntil(w, 0);
    assert.deepEqual(await firesOf(w, id), ["10 started", "20 started"]);
  });
};
