import assert from "node:assert/strict";
import { SECOND } from "../../domain/clock.ts";
import { FIRES_KEPT } from "../../domain/schedules/schedule.ts";
import { listOf, step, workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { applied, every, firesOf, fireUntil, getSchedule, scheduled } from "./test-schedules.ts";
import { need, withCode } from "./test-world.ts";

/** Schedules as such: their names, their pauses, their changes, their histories. */
export const schedulesSuite: Suite = (on) => {
  on("a schedule starts its workflow at each due time, and the session says for which", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await applied(w, listOf("only"));
    const id = await scheduled(w, { timing: every(10), input: '{"a":1.0}', labels: { team: "x" } });
    const start = w.clock.now();
    await fireUntil(w, 9.9);
    assert.deepEqual(await firesOf(w, id), []);
    await fireUntil(w, 0.1);
    const [fire] = (await w.store.schedules.fires(id, { limit: 5 }, {})).items;
    assert.deepEqual([fire?.kind, fire?.outcome, fire?.dueAt], ["series", "started", start + 10 * SECOND]);
    assert.equal(fire?.startedAt, w.clock.now());
    assert.equal(fire?.sessionStatus, "running");
    const session = await w.getSession(need(fire?.sessionId, "session"));
    const dueAt = "2025-06-15T15:06:50.000000Z";
    assert.deepEqual([session.labels, session.input], [{ team: "x", schedule: "nightly", dueAt }, '{"a":1.0}']);
    const found = await w.store.sessions.list({ limit: 5 }, { label: { key: "schedule", value: "nightly" } });
    assert.equal(found.items.length, 1);
    await w.complete(w.take());
    const schedule = await getSchedule(w, id);
    assert.deepEqual([schedule.status, schedule.nextAt], ["active", start + 20 * SECOND]);
    assert.deepEqual(schedule.counts, { started: 1, skipped: 0, failed: 0, missed: 0 });
    assert.equal(schedule.lastFire?.sessionStatus, "completed");
    assert.deepEqual(await w.types(id), ["schedule.created", "schedule.fire_started"]);
  });

  on("names of schedules are unique, and both name and id find one", async (w) => {
    const first = await scheduled(w, { name: "first" });
    const second = await scheduled(w, { name: "second" });
    await assert.rejects(scheduled(w, { name: "first" }), withCode("schedule_name_taken"));
    const taken = w.store.schedules.update(second, await getSchedule(w, first));
    await assert.rejects(taken, withCode("schedule_name_taken"));
    assert.equal((await w.store.schedules.get("second"))?.id, second);
    assert.equal(await w.store.schedules.get("third"), null);
    await assert.rejects(w.store.schedules.pause("sch_none", null), withCode("schedule_not_found"));
  });

  on("schedules are listed by name, and by what they are", async (w) => {
    const a = await scheduled(w, { name: "a", labels: { team: "x" } });
    const b = await scheduled(w, { name: "b", workflowId: "other", paused: true });
    const { schedules } = w.store;
    const ids = async (filter: Parameters<typeof schedules.list>[1]) =>
      (await schedules.list({ limit: 10 }, filter)).items.map((schedule) => schedule.id);
    assert.deepEqual(await ids({}), [a, b]);
    assert.deepEqual(await ids({ paused: true }), [b]);
    assert.deepEqual(await ids({ paused: false, workflow: "flow" }), [a]);
    assert.deepEqual(await ids({ label: { key: "team", value: "x" } }), [a]);
    assert.deepEqual(await ids({ label: { key: "team", value: "y" } }), []);
    const first = await schedules.list({ limit: 1 }, {});
    const rest = await schedules.list({ limit: 1, cursor: need(first.nextCursor, "cursor") }, {});
    assert.deepEqual([first.items[0]?.id, rest.items[0]?.id, rest.nextCursor], [a, b, null]);
  });

  on("what is paused starts nothing, and goes on from its next due time", async (w) => {
    await applied(w, workflow([]));
    const id = await scheduled(w, { timing: every(10) });
    const other = await scheduled(w, { name: "other", timing: every(10) });
    const start = w.clock.now();
    const paused = await w.store.schedules.pause(id, "because");
    assert.deepEqual([paused.status, paused.nextAt, paused.note], ["paused", null, "because"]);
    assert.deepEqual([paused.blocked?.reason, paused.blocked?.since], ["paused", start]);
    await fireUntil(w, 25);
    assert.equal((await w.store.schedules.pause(id, "still")).blocked?.since, start);
    assert.deepEqual(await firesOf(w, id), []);
    assert.deepEqual(await firesOf(w, other), ["10 started", "20 started"]);
    const resumed = await w.store.schedules.resume(id);
    assert.deepEqual([resumed.status, resumed.nextAt, resumed.note], ["active", start + 30 * SECOND, null]);
    await w.store.schedules.resume(id);
    await fireUntil(w, 10);
    assert.deepEqual(await firesOf(w, id), ["30 started"]);
    const types = ["created", "paused", "paused", "resumed", "fire_started"];
    assert.deepEqual(
      await w.types(id),
      types.map((type) => `schedule.${type}`),
    );
  });

  on("a schedule that is paused from the start waits to be resumed", async (w) => {
    await applied(w, workflow([]));
    const id = await scheduled(w, { timing: every(10), paused: true });
    await fireUntil(w, 15);
    assert.deepEqual(await firesOf(w, id), []);
    await w.store.schedules.resume(id);
    await fireUntil(w, 5);
    assert.deepEqual(await firesOf(w, id), ["20 started"]);
  });

  on("another timing counts from now on, and never brings a due time back", async (w) => {
    await applied(w, workflow([]));
    const id = await scheduled(w, { timing: every(10) });
    await fireUntil(w, 12);
    const before = await getSchedule(w, id);
    const start = before.createdAt;
    const anchor = start + 5 * SECOND;
    const changed = await w.store.schedules.update(id, { ...before, timing: { ...every(10), anchor } });
    assert.equal(changed.nextAt, start + 15 * SECOND);
    await fireUntil(w, 5);
    assert.deepEqual(await firesOf(w, id), ["10 started", "15 started"]);
    const same = await w.store.schedules.update(id, { ...changed, name: "renamed" });
    assert.deepEqual([same.name, same.nextAt], ["renamed", start + 25 * SECOND]);
    w.clock.advance(-10 * SECOND);
    const back = await w.store.schedules.update(id, before);
    assert.equal(back.nextAt, start + 20 * SECOND, "after all that was decided about");
    w.clock.advance(10 * SECOND);
    assert.equal((await w.types(id)).filter((type) => type === "schedule.updated").length, 3);
  });

  on("what a paused schedule is changed to counts when it is resumed", async (w) => {
    const id = await scheduled(w, { timing: every(10), paused: true });
    const before = await getSchedule(w, id);
    const changed = await w.store.schedules.update(id, { ...before, timing: every(60) });
    assert.deepEqual([changed.status, changed.nextAt], ["paused", null]);
    assert.equal((await w.store.schedules.resume(id)).nextAt, before.createdAt + 60 * SECOND);
  });

  on("a schedule ends with its last due time", async (w) => {
    await applied(w, workflow([]));
    const now = w.clock.now();
    const id = await scheduled(w, { timing: every(10), startAt: now + 15 * SECOND, endAt: now + 40 * SECOND });
    await fireUntil(w, 60);
    assert.deepEqual(await firesOf(w, id), ["20 started", "30 started"]);
    const { status, nextAt, blocked } = await getSchedule(w, id);
    assert.deepEqual([status, nextAt, blocked], ["ended", null, null]);
  });

  on("deleting a schedule takes its history, and leaves its sessions and other schedules alone", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    await applied(w, workflow([step("only")]));
    const id = await scheduled(w, { timing: every(10), overlap: "queue" });
    const other = await scheduled(w, { name: "other", timing: every(10) });
    await fireUntil(w, 20);
    await w.store.schedules.remove(id);
    assert.equal(await w.store.schedules.get(id), null);
    assert.deepEqual(await firesOf(w, id), []);
    assert.deepEqual(await firesOf(w, other), ["10 started", "20 skipped"]);
    await assert.rejects(w.store.schedules.remove(id), withCode("schedule_not_found"));
    for (const attempt of w.sent.splice(0)) await w.complete(attempt);
    await fireUntil(w, 10);
    assert.deepEqual(await firesOf(w, other), ["10 started", "20 skipped", "30 started"]);
    await w.complete(w.take());
  });

  on("of a long history the newest thousand fires are kept, and those whose session is open", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await applied(w, workflow([step("only")]));
    const { schedules } = w.raw;
    const id = await scheduled(w, { timing: every(100_000) });
    const quiet = await scheduled(w, { name: "quiet", timing: every(100_000) });
    await schedules.trigger(quiet);
    await schedules.trigger(id);
    const missing = await getSchedule(w, id);
    await schedules.update(id, { ...missing, workflowId: "none" });
    const start = w.clock.now() - (FIRES_KEPT + 5) * SECOND;
    for (let i = 0; i < FIRES_KEPT + 5; i += 1) await schedules.backfill(id, start + i * SECOND, "allow");
    assert.equal(await w.store.process.prune(3), 3);
    assert.equal((await getSchedule(w, id)).forgottenUntil, start + 2 * SECOND);
    assert.equal(await w.store.process.prune(100), 2);
    const schedule = await getSchedule(w, id);
    assert.deepEqual([schedule.forgottenUntil, schedule.failures], [start + 4 * SECOND, FIRES_KEPT + 5]);
    assert.equal((await getSchedule(w, quiet)).forgottenUntil, null);
    assert.equal(await w.store.process.prune(100), 0);
    assert.equal((await schedules.fires(id, { limit: 200 }, { outcome: "started" })).items.length, 1);
    await w.complete(w.take());
    assert.equal(await w.dispatch(), 1);
    await w.complete(w.take());
    assert.equal(await w.store.process.prune(100), 1);
    assert.equal((await getSchedule(w, id)).forgottenUntil, w.clock.now());
  });
};
