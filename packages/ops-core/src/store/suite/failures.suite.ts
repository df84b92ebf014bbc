import assert from "node:assert/strict";
import { HOUR, MINUTE, SECOND } from "../../domain/clock.ts";
import { graphOf, listOf, step, workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { senderOf, succeeded } from "./test-world.ts";

const ONCE = { retry: { maxAttempts: 1 } };

/** What becomes of a session when something in it fails. */
export const failuresSuite: Suite = (on) => {
  on("onFailure fail: running siblings finish and are recorded, nothing new starts, the session fails", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 5 });
    const tasks = [
      step("bad", ONCE),
      step("good"),
      step("after-bad", { dependsOn: ["bad"] }),
      step("after-good", { dependsOn: ["good"] }),
    ];
    const session = await w.start(workflow(tasks));
    const [bad, good] = [w.take(), w.take()];
    await w.fail(bad);
    assert.equal((await w.getSession(session.id)).status, "running");
    await w.complete(good, "kept");
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.error?.code, ended.failedSteps], ["failed", "agent_error", ["bad"]]);
    assert.equal(w.sent.length, 0);
    assert.deepEqual(await w.steps(session.id), { 0: "failed", 1: "completed", 3: "pending" });
    assert.equal((await w.getTask(good.taskId)).result, '"kept"');
  });

  on("a step that is as its task is has no events but the task's", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const failed = await w.start(workflow([step("bad", ONCE)]));
    await w.fail(w.take());
    const cancelled = await w.start(listOf("a"));
    await w.store.sessions.cancel(cancelled.id, "enough");
    for (const { id } of [failed, cancelled]) {
      assert.deepEqual(
        (await w.types(id)).filter((type) => type.startsWith("step.")),
        [],
      );
    }
  });

  on("an attempt that times out is followed by another, and the step beside it goes on", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    const short = step("short", { timeout: "2s", retry: { initialDelay: "10s", jitter: "none" } });
    const { id } = await w.start(workflow([short, step("long")].map((each) => ({ ...each, dependsOn: [] }))));
    await w.wait(2 * SECOND);
    const { items } = await w.store.tasks.list({ limit: 9 }, { session: id });
    assert.deepEqual(items.map(({ stepId, status, used }) => [stepId, status, used]).toSorted(), [
      ["long", "running", 0],
      ["short", "pending", 1],
    ]);
  });

  on("onFailure continue: dependents see null and the session completes with its failed steps", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const tasks = [step("bad", ONCE), step("next")];
    const session = await w.start(workflow(tasks, { onFailure: "continue" }));
    await w.fail(w.take());
    const next = w.take();
    assert.equal(next.parameters, '{"previous":null}');
    await w.complete(next, 7);
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.result, ended.failedSteps], ["completed", "7", ["bad"]]);
  });

  on("a step's own onFailure wins over the workflow's", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const lenient = await w.start(workflow([step("bad", { ...ONCE, onFailure: "continue" }), step("next")]));
    await w.fail(w.take());
    await w.complete(w.take());
    assert.equal((await w.getSession(lenient.id)).status, "completed");
    const strict = await w.start(
      workflow([step("bad", { ...ONCE, onFailure: "fail" }), step("next")], { onFailure: "continue", version: "2" }),
    );
    await w.fail(w.take());
    assert.equal((await w.getSession(strict.id)).status, "failed");
  });

  on("the fallback takes over with attempts of its own, and only then the step fails", async (w) => {
    await w.agent("first", { capabilities: ["work"] });
    await w.agent("cheap", { capabilities: ["work.cheap"] });
    const retry = { maxAttempts: 2, initialDelay: "1s", maxDelay: "1s", jitter: "none" };
    const session = await w.start(workflow([step("a", { retry, fallback: { agentCapability: "work.cheap" } })]));
    const names: string[] = [];
    for (let tries = 0; tries < 4; tries += 1) {
      const attempt = w.take();
      names.push(attempt.agentName);
      await w.fail(attempt);
      await w.wait(SECOND);
    }
    assert.deepEqual(names, ["first", "first", "cheap", "cheap"]);
    const [task] = (await w.store.tasks.list({ limit: 1 }, { session: session.id })).items;
    assert.deepEqual([task?.status, task?.fellBack, task?.used, task?.max], ["failed", true, 4, 4]);
    assert.equal((await w.getSession(session.id)).status, "failed");
    assert.ok((await w.types(session.id)).includes("task.fell_back"));
  });

  on("work that fell back already fails with the last agent of its fallback", async (w) => {
    const first = await w.agent("first", { capabilities: ["work"] });
    const cheap = await w.agent("cheap", { capabilities: ["work.cheap"] });
    const { id } = await w.start(workflow([step("a", { fallback: { agentCapability: "work.cheap" } })]));
    await w.store.agents.remove(first);
    await w.dispatch();
    assert.equal(w.sent.length, 2, "each was sent it");
    await w.store.agents.remove(cheap);
    const [task] = (await w.store.tasks.list({ limit: 1 }, { session: id })).items;
    assert.deepEqual([task?.status, task?.error?.code, task?.deadLetter], ["failed", "agent_gone", true]);
    assert.equal((await w.getSession(id)).status, "failed");
  });

  on("an expression that fails, fails its step without a task and without a retry", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const broken = { parameters: { x: "${{ steps.a.result.missing.deeper }}" } };
    const session = await w.start(workflow([step("a"), step("b", broken), step("c")]));
    await w.complete(w.take(), {});
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.error?.code, ended.failedSteps], ["failed", "expression_failed", ["b"]]);
    const [, b] = await w.store.sessions.steps(session.id);
    assert.deepEqual([b?.status, b?.taskId, b?.error?.code, b?.attempts], ["failed", null, "expression_failed", 0]);
    assert.equal(w.sent.length, 0);
  });

  on(
    "hole 5: parameters are evaluated once and kept with the task, whatever happens to what they were made of",
    async (w) => {
      await w.agent("worker", { capabilities: ["work"] });
      const parameters = { who: "${{ session.labels.who }}" };
      const retry = { initialDelay: "0s", maxDelay: "0s" };
      const session = await w.start(workflow([step("a", { parameters, retry })]), { labels: { who: "me" } });
      await w.fail(w.take());
      await w.store.sessions.label(session.id, { who: "you" });
      await w.dispatch();
      assert.equal(w.take().parameters, '{"who":"me"}');
    },
  );

  on("an expression that fails in the first step ends the session as it starts", async (w) => {
    const session = await w.start(workflow([step("a", { parameters: { x: "${{ input.missing.deeper }}" } })]), {
      data: {},
    });
    assert.deepEqual([session.status, session.error?.code], ["failed", "expression_failed"]);
    assert.deepEqual(await w.types(session.id), ["session.started", "step.failed", "session.failed"]);
  });

  on("after an expression that failed, a session that continues goes on", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const a = step("a", { parameters: { x: "${{ input.missing.deeper }}" }, onFailure: "continue" });
    const b = step("b", { parameters: { saw: "${{ steps.a.status }}", error: "${{ steps.a.error.code }}" } });
    const session = await w.start(workflow([a, b]), { data: {} });
    const attempt = w.take();
    assert.deepEqual(JSON.parse(attempt.parameters), { saw: "failed", error: "expression_failed" });
    await w.complete(attempt, 1);
    assert.equal((await w.getSession(session.id)).status, "completed");
  });

  on("an output that fails, fails the session", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(workflow([step("a")], { output: "${{ steps.a.result.missing.deeper }}" }));
    await w.complete(w.take(), {});
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.error?.code, ended.result], ["failed", "expression_failed", null]);
  });

  on("an output with expressions is the session's result", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const output = { total: "${{ steps.a.result.n + 1 }}", who: "${{ session.labels.who }}" };
    const session = await w.start(workflow([step("a")], { output }), { labels: { who: "me" } });
    await w.complete(w.take(), { n: 41 });
    assert.deepEqual(JSON.parse((await w.getSession(session.id)).result ?? ""), { total: 42, who: "me" });
  });

  on("a step's deadline bounds its waiting too, and makes it a dead letter", async (w) => {
    const session = await w.start(workflow([step("a", { deadline: "10s" })]));
    await w.wait(9.9 * SECOND);
    assert.equal((await w.getSession(session.id)).status, "started");
    await w.wait(0.1 * SECOND);
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.error?.code], ["failed", "deadline_exceeded"]);
    const { items } = await w.store.tasks.list({ limit: 10 }, { deadLetter: true });
    assert.deepEqual(
      items.map((task) => [task.sessionId, task.status, task.deadLetter]),
      [[session.id, "failed", true]],
    );
  });

  on("a step's deadline ends a running attempt and leaves its slot draining", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(workflow([step("a", { deadline: "10s", timeout: "1h" })]));
    const attempt = w.take();
    assert.equal(attempt.timeoutAt, w.clock.now() + 10 * SECOND);
    await w.wait(10 * SECOND);
    assert.equal((await w.getSession(session.id)).status, "failed");
    assert.equal((await w.attempt(attempt.taskId, 1)).status, "timed_out");
    assert.equal(await w.slots(agentId), "1/1");
    const late = await w.complete(attempt, "too late");
    assert.deepEqual(late, { type: "stale", taskStatus: "failed" });
    assert.equal(await w.slots(agentId), "0/0");
  });

  on("a session's deadline cancels what is open, tells the senders, and keeps what was done", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 1 });
    const session = await w.start(graphOf({ done: [], running: [], waiting: [] }, { deadline: "1m" }));
    await w.complete(w.take(), 1);
    await w.dispatch();
    const running = w.take();
    await w.wait(MINUTE - 1);
    assert.equal((await w.getSession(session.id)).status, "running");
    w.hints.length = 0;
    await w.wait(1);
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.error?.code], ["failed", "deadline_exceeded"]);
    assert.deepEqual(Object.values(await w.steps(session.id)), ["completed", "cancelled", "cancelled"]);
    const stopped = w.hints.flatMap((hints) => hints.endedAttempts);
    assert.deepEqual(stopped, [{ id: `${running.taskId}/1`, stop: true }]);
    assert.equal(await w.slots(agentId), "1/1");
    assert.equal(await w.dispatch(), 0);
  });

  on("a session's deadline counts from its start", async (w) => {
    const startAt = w.clock.now() + HOUR;
    const session = await w.start(workflow([step("a")], { deadline: "1m" }), { startAt });
    w.clock.advance(HOUR + MINUTE - 1);
    await w.store.process.beat();
    await w.expire();
    assert.equal((await w.getSession(session.id)).status, "started");
    await w.wait(1);
    assert.equal((await w.getSession(session.id)).status, "failed");
  });

  on("the end of a session enqueues its one webhook, however large the result", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3 });
    const session = await w.start(graphOf({ a: [], b: [], c: [] }), { callbackUrl: "https://example.test/hook" });
    const text = "x".repeat(200_000);
    const large = { texts: [text, text, text] };
    await Promise.all(w.sent.splice(0).map((attempt) => w.complete(attempt, large)));
    const ended = await w.getSession(session.id);
    assert.equal(ended.status, "completed");
    const { items } = await w.store.deliveries.list({ limit: 10 }, { session: session.id });
    assert.equal(items.length, 1);
    const body = JSON.parse(items[0]?.body ?? "");
    assert.deepEqual(
      [body.type, body.data.sessionId, body.data.status],
      ["session.completed", session.id, "completed"],
    );
    assert.deepEqual(body.data.result, { a: large, b: large, c: large });
  });

  on("an answer observed by the sender counts as much as a call", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("a"));
    const attempt = w.take();
    assert.equal((await w.observe(attempt, succeeded(5, "answer"))).type, "accepted");
    assert.deepEqual(
      [(await w.getSession(session.id)).result, (await w.attempt(attempt.taskId, 1)).evidence],
      ["5", "answer"],
    );
  });

  on("hole 23: left alone, everything open comes to an end by its own timers", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 3, timeout: 5 * SECOND });
    const once = { retry: { maxAttempts: 1 } };
    const sessions = [
      await w.start(workflow([step("sent", once)])),
      await w.start(workflow([step("acknowledged", once)], { version: "2" })),
      await w.start(workflow([step("interrupted", once)], { version: "3" })),
      await w.start(workflow([step("waiting", { ...once, agentName: "nobody", deadline: "9s" })], { version: "4" })),
      await w.start(workflow([step("late", { ...once, agentName: "nobody" })], { version: "5", deadline: "9s" })),
    ];
    const [, acknowledged, interrupted] = w.sent.splice(0);
    assert.ok(acknowledged && interrupted);
    await w.acknowledge(acknowledged);
    await w.store.attempts.broken(senderOf(interrupted), "reset");
    await w.crash();
    await w.store.process.beat();
    await w.wait(30 * SECOND);
    for (const { id } of sessions) assert.equal((await w.getSession(id)).status, "failed");
    await w.wait(10 * SECOND);
    assert.equal(await w.expire(), 0);
  });
};
