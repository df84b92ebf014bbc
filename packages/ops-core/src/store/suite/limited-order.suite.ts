import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import type { Requirement } from "../../domain/tasks/task.ts";
import { step, workflow } from "./test-definitions.ts";
import { workOff } from "./test-language.ts";
import { limited, many, rated, TENANT, taskOf, why } from "./test-limits.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need } from "./test-world.ts";

/** The order in which limited work is given out, why it waits, and what is told of keys. */
export const limitedOrderSuite: Suite = (on) => {
  order(on);
  reasons(on);
  lists(on);
};

function order(on: Declare): void {
  on("a full key hides no other work of its lane, whatever stands before it", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    for (let i = 0; i < 30; i += 1) await limited(w, "full");
    const plain = await w.task();
    assert.equal(w.sent.at(-1)?.taskId, plain.id, "given out at once");
    await w.complete(need(w.sent.pop(), "attempt"));
    const other = await limited(w, "other");
    await w.dispatch();
    assert.equal(w.sent.at(-1)?.sessionId, other.id);
  });

  on(
    "a key with a long backlog does not keep another one waiting, neither full nor in the order of keys",
    async (w) => {
      await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3 });
      const forEach = Array.from({ length: 50 }, (_, i) => i);
      const wide = step("a", { forEach, concurrency: { key: TENANT, limit: 2, items: 50 } });
      for (let i = 0; i < 4; i += 1) await w.start(workflow([wide]), { data: { tenant: "wide" } });
      w.clock.advance(SECOND);
      const beside = await limited(w, "small");
      assert.equal(w.sent.at(-1)?.sessionId, beside.id, "at once, where the wide key leaves a slot");
      const behind = await limited(w, "other");
      let before = 0;
      for (; w.sent.every(({ sessionId }) => sessionId !== behind.id); before += 1) {
        await w.complete(w.take());
        await w.dispatch();
      }
      // With those of the first second, ten of each wide session, at the latest.
      assert.ok(before <= 44, `${before}`);
      w.sent.length = 0;
    },
  );

  on("hole 21: a session hands its permit on when an earlier task waits for it, in whatever lane", async (w) => {
    await many(w, "first", "one");
    await many(w, "second", "two");
    const concurrency = { key: "k", limit: 1 };
    const long = await w.start(
      workflow([
        step("a", { agentCapability: "one", concurrency }),
        step("b", { agentCapability: "two", concurrency }),
      ]),
    );
    w.clock.advance(1);
    const short = await limited(w, "k", {}, "one");
    await w.complete(w.take());
    assert.equal(w.sent.length, 0, "`b` is behind `short`");
    await w.store.tasks.claimLanes(9, ["capability:two"]);
    const next = w.take();
    assert.equal(next.sessionId, short.id, "whichever lane was woken");
    await w.complete(next);
    await w.dispatch();
    assert.equal(w.take().sessionId, long.id);
  });

  on("hole 21: a new task does not pass an earlier one of its lane that has limits", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    await w.report(agentId, "initializing");
    const first = await limited(w, "a");
    w.clock.advance(1);
    await w.report(agentId, "idle");
    await w.task();
    assert.equal(w.sent.length, 0);
    await w.dispatch();
    assert.equal(w.take().sessionId, first.id);
  });

  on("what has limits and what has none is given out in the order of keys", async (w) => {
    const names: string[] = [];
    for (const tenant of ["a", null, "b", "a", null]) {
      if (tenant === null) await w.task({ name: "plain" });
      else await limited(w, tenant, { name: tenant, concurrency: { key: tenant, limit: 2 } });
      w.clock.advance(1);
    }
    await many(w);
    await w.dispatch();
    names.push(...w.sent.splice(0).map(({ taskName }) => taskName));
    assert.deepEqual(names, ["a", "plain", "b", "a", "plain"]);
  });

  on("a task that must wait before it is tried again holds up nobody behind it", async (w) => {
    await many(w);
    const slow = await limited(w, "a", { retry: { initialDelay: "1m", jitter: "none" } });
    const behind = await limited(w, "a");
    await w.fail(w.take());
    assert.equal(await w.dispatch(), 1);
    const attempt = w.take();
    assert.equal(attempt.sessionId, behind.id);
    await w.complete(attempt);
    await w.wait(MINUTE);
    assert.equal(w.take().sessionId, slow.id);
  });

  on("tasks whose agent was the only one end with it, limited ones too", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const requirement: Requirement = { kind: "agent", agentId };
    await w.task({ requirement });
    const rest = { agentId, concurrency: { key: "k", limit: 1 }, retry: { maxAttempts: 1 } };
    const { id } = await w.start(workflow([step("a", rest)]));
    await w.store.agents.remove(agentId);
    assert.equal((await w.getSession(id)).status, "failed");
    w.sent.length = 0;
  });
}

function reasons(on: Declare): void {
  on("a task that waits for a key says who holds it, since when and how many may", async (w) => {
    await many(w);
    await limited(w, "t", { concurrency: { key: TENANT, limit: 2 } });
    const begun = w.clock.now();
    w.clock.advance(SECOND);
    await limited(w, "t", { concurrency: { key: TENANT, limit: 2 } });
    const { id } = await limited(w, "t", { concurrency: { key: TENANT, limit: 2 } });
    const taskId = await taskOf(w, id);
    await w.dispatch();
    const blocked = need((await w.getTask(taskId)).blocked, "reason");
    const [a, b] = w.sent.map((attempt) => attempt.taskId);
    assert.deepEqual([blocked.reason, blocked.since], ["concurrency_limit", begun + SECOND]);
    assert.match(blocked.message, new RegExp(`^Key \`t\`: 2 of 2 run since 20[^.]*Z: ${a}, ${b}\\.$`));
    assert.partialDeepStrictEqual(blocked.details, { key: "t", limit: 2, held: 2, nextPermitAt: null });
    assert.deepEqual(
      (blocked.details.holds as JsonObject[]).map((hold) => hold.taskId),
      [a, b],
    );
    assert.deepEqual(await w.store.tasks.why(taskId), blocked);
    assert.deepEqual((await w.getTask(taskId)).limits, { concurrency: { key: "t", limit: 2 }, rate: null });
    const { items } = await w.store.tasks.list({ limit: 9 }, { blockedReason: "concurrency_limit" });
    assert.deepEqual(
      items.map((task) => task.id),
      [taskId],
    );
    const sessions = await w.store.sessions.list({ limit: 9 }, { blockedReason: "concurrency_limit" });
    assert.deepEqual(
      sessions.items.map((session) => session.id),
      [id],
    );
    w.clock.advance(SECOND);
    await w.dispatch();
    assert.deepEqual((await w.getTask(taskId)).blocked, blocked, "written on change only");
    await w.store.tasks.claimLanes(9);
    await w.complete(w.take());
    assert.equal((await w.store.tasks.why(taskId))?.reason, "queued");
    await w.dispatch();
    assert.equal((await w.getTask(taskId)).blocked, null);
  });

  on("a task that waits for a rate says when the next may begin", async (w) => {
    await many(w);
    const begun = w.clock.now();
    await rated(w, 1, "10s");
    const { id } = await rated(w, 1, "10s");
    await w.dispatch();
    const blocked = need((await w.getTask(await taskOf(w, id))).blocked, "reason");
    assert.equal(blocked.reason, "rate_limit");
    assert.match(
      blocked.message,
      /^Key `t`: 1 of 1 began within 10s, the last task_[^;]*; the next may begin at .*Z\.$/,
    );
    const at = (blocked.details.nextPermitAt as string).replace("Z", "");
    assert.equal(Date.parse(`${at.slice(0, 23)}Z`) * 1_000, Math.floor((begun + 10 * SECOND) / 1_000) * 1_000);
  });

  on("what nobody can do says that, and not that its key has room", async (w) => {
    const { id } = await limited(w, "t");
    await w.dispatch();
    assert.equal((await w.getTask(await taskOf(w, id))).blocked?.reason, "no_capable_agent");
    await w.agent("worker", { capabilities: ["work"] });
    w.clock.advance(1);
    await w.task();
    await w.dispatch();
    assert.equal(await why(w, id), "sending");
    const behind = await limited(w, "u");
    await w.dispatch();
    assert.equal((await w.getTask(await taskOf(w, behind.id))).blocked?.reason, "agent_busy");
  });
}

function lists(on: Declare): void {
  on("limits are listed by kind and key while somebody holds them, used them or waits for them", async (w) => {
    await many(w);
    assert.deepEqual((await w.store.limits.list({ limit: 9 }, {})).items, []);
    for (const tenant of ["a", "a", "b"]) await limited(w, tenant);
    for (let i = 0; i < 3; i += 1) await rated(w, 2, "10s");
    const { items, nextCursor } = await w.store.limits.list({ limit: 2 }, {});
    const nothing = { draining: 0, nextPermitAt: null };
    assert.deepEqual(items, [
      { kind: "concurrency", key: "a", limit: 1, per: null, held: 1, waiting: 1, ...nothing },
      { kind: "concurrency", key: "b", limit: 1, per: null, held: 1, waiting: 0, ...nothing },
    ]);
    const rest = await w.store.limits.list({ limit: 2, cursor: need(nextCursor, "cursor") }, {});
    const rate = { kind: "rateLimit", key: "t", limit: 2, per: 10 * SECOND, held: 2, waiting: 1, draining: 0 };
    assert.deepEqual(rest, { items: [{ ...rate, nextPermitAt: w.clock.now() + 10 * SECOND }], nextCursor: null });
    assert.deepEqual((await w.store.limits.list({ limit: 9 }, { key: "b" })).items.length, 1);
    await workOff(w);
    w.clock.advance(10 * SECOND);
    await workOff(w);
    w.clock.advance(10 * SECOND);
    assert.deepEqual((await w.store.limits.list({ limit: 9 }, {})).items, []);
  });
}
