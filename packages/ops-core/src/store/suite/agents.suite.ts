import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import { listOf, step, workflow } from "./test-definitions.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, withCode } from "./test-world.ts";

const ALONE = { ...STEP_RETRY, maxAttempts: 1 };

/** Registration, notification and removal of agents. */
export const agentsSuite: Suite = (on) => {
  registration(on);
  announcement(on);
  removal(on);
};

function registration(on: Declare): void {
  on("an agent is registered with everything it said, and is unknown until it reports", async (w) => {
    const key = w.key("key_1", null);
    const given = w.registration("reader", {
      capabilities: ["a", "b"],
      metadata: { config: { maxConcurrency: 3 } },
      maxConcurrency: 3,
      heartbeat: true,
      timeout: 30 * SECOND,
      key,
    });
    assert.deepEqual(await w.store.agents.register(given), { agentId: given.id, created: true, replayed: false });
    const agent = need(await w.store.agents.get(given.id), "agent");
    const { replace: _replace, key: _key, ...said } = given;
    assert.deepEqual(
      { ...agent },
      {
        ...said,
        state: "UNKNOWN",
        details: '{"reason":"Initial registration"}',
        timestamp: agent.timestamp,
        receivedAt: w.clock.now(),
        evidence: "none",
        slots: { total: 3, held: 0, draining: 0 },
        leaseUntil: null,
        announcedAt: null,
        health: { health: "ready", cause: null, since: null, evidence: {}, changedAt: null },
      },
    );
    assert.deepEqual(await w.store.agents.getByName("reader"), agent);
    assert.deepEqual(await w.store.keys.get("key_1"), key);
    assert.deepEqual(await w.types(given.id), ["agent.registered"]);
  });

  on("a known name is refused, and nothing of the refused agent remains", async (w) => {
    await w.agent("reader");
    const second = w.registration("reader", { key: w.key("key_2") });
    await assert.rejects(w.store.agents.register(second), withCode("agent_name_taken"));
    assert.equal(await w.store.agents.get(second.id), null);
    assert.equal(await w.store.keys.get("key_2"), null);
    assert.deepEqual(await w.types(second.id), []);
  });

  on("an agent that may replace itself keeps its id and state, and is updated", async (w) => {
    const id = await w.agent("reader", { capabilities: ["old"] });
    await w.report(id, "idle");
    const { agentId, created } = await w.store.agents.register(
      w.registration("reader", { capabilities: ["new"], endpoint: "http://elsewhere.test/", replace: "allowed" }),
    );
    assert.deepEqual([agentId, created], [id, false]);
    const agent = need(await w.store.agents.get(id), "agent");
    assert.deepEqual([agent.state, agent.capabilities, agent.endpoint], ["idle", ["new"], "http://elsewhere.test/"]);
    const { id: task } = await w.task({ requirement: { kind: "capability", capability: "new", preferred: null } });
    assert.equal(w.take().taskId, task);
    await w.task({ requirement: { kind: "capability", capability: "old", preferred: null } });
    assert.equal(await w.dispatch(), 0);
  });

  on("an agent without a key may return to its own endpoint only", async (w) => {
    const id = await w.agent("reader", { endpoint: "http://here.test/" });
    const back = { endpoint: "http://here.test/", replace: "same-endpoint" } as const;
    assert.equal((await w.store.agents.register(w.registration("reader", back))).agentId, id);
    const other = w.registration("reader", { ...back, endpoint: "http://there.test/" });
    await assert.rejects(w.store.agents.register(other), withCode("agent_name_taken"));
  });

  on("an agent that shrinks holds no more than it said, once it has let go of the rest", async (w) => {
    const id = await w.agent("puller", { capabilities: ["work"], channel: "pull", maxConcurrency: 3 });
    for (let i = 0; i < 6; i += 1) await w.task();
    const held = await w.store.agents.claim(id, 3);
    assert.equal(held.length, 3);
    for (const attempt of held) await w.store.attempts.extendLease(attempt.taskId, attempt.token);
    await w.store.agents.announce(
      w.registration("puller", { id, capabilities: ["work"], channel: "pull", maxConcurrency: 1, version: "1.1" }),
    );
    await w.complete(need(held[0], "attempt"));
    await w.complete(need(held[1], "attempt"));
    assert.deepEqual(await w.store.agents.claim(id, 3), [], "one is still held");
    await w.complete(need(held[2], "attempt"));
    assert.equal((await w.store.agents.claim(id, 3)).length, 1);
    await w.store.agents.announce(
      w.registration("puller", { id, capabilities: ["work"], channel: "pull", maxConcurrency: 4, version: "2" }),
    );
    assert.deepEqual((await w.store.agents.get(id))?.slots, { total: 4, held: 1, draining: 0 });
    assert.equal((await w.store.agents.claim(id, 4)).length, 3);
  });

  on("agents are listed by name, by capability and by state, page by page", async (w) => {
    for (const name of ["c", "a", "d", "b"]) await w.agent(name, { capabilities: name < "c" ? ["x", "y"] : ["y"] });
    await w.report(need(await w.store.agents.getByName("d"), "d").id, "idle");
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await w.store.agents.list({ limit: 3, cursor }, {});
      names.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(names, ["a", "b", "c", "d"]);
    const listed = async (filter: { capability?: string; state?: string }) =>
      (await w.store.agents.list({ limit: 10 }, filter)).items.map(({ name }) => name);
    assert.deepEqual(await listed({ capability: "x" }), ["a", "b"]);
    assert.deepEqual(await listed({ state: "idle" }), ["d"]);
    await assert.rejects(w.store.agents.list({ limit: 3, cursor: "nonsense" }, {}), withCode("invalid_cursor"));
  });

  on("state history is newest first, page by page", async (w) => {
    const id = await w.agent("reader");
    for (const state of ["initializing", "idle", "active", "idle"]) {
      w.clock.advance(1);
      await w.report(id, state, { details: { n: 1 } });
    }
    const first = await w.store.agents.states(id, { limit: 3 });
    const second = await w.store.agents.states(id, { limit: 3, cursor: need(first.nextCursor, "cursor") });
    const states = [...first.items, ...second.items].map(({ state }) => state);
    assert.deepEqual([states, second.nextCursor], [["idle", "active", "idle", "initializing"], null]);
    assert.equal(first.items[0]?.details, '{"n":1}');
  });

  on(
    "hole 19: what keeps an agent from work is told with the time at which it began, however often it is asked",
    async (w) => {
      const since = async (id: string) => {
        const { reason, since: from } = (await w.store.agents.blocked(id)) ?? assert.fail("it is not blocked");
        return [reason, from];
      };
      const agent = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
      for (let n = 0; n < 2; n += 1) {
        await w.task();
        w.clock.advance(SECOND);
      }
      const full = w.clock.now() - SECOND;
      await w.wait(5 * SECOND);
      assert.deepEqual(await since(agent), ["agent_busy", full], "since it has no slot left");
      const failing = await w.agent("failing");
      const failed = w.clock.now();
      await w.report(failing, "error");
      w.clock.advance(SECOND);
      await w.report(failing, "error");
      w.clock.advance(SECOND);
      assert.deepEqual(await since(failing), ["agent_error", failed], "since it said so first");
      await w.report(failing, "idle");
      w.clock.advance(SECOND);
      await w.report(failing, "error");
      w.clock.advance(SECOND);
      assert.deepEqual(await since(failing), ["agent_error", w.clock.now() - SECOND]);
      const pull = await w.agent("pull", { channel: "pull" });
      await w.store.agents.claim(pull, 1);
      await w.wait(MINUTE);
      const ended = (await w.store.agents.get(pull))?.leaseUntil ?? Number.POSITIVE_INFINITY;
      assert.ok(ended < w.clock.now());
      assert.deepEqual(await since(pull), ["agent_offline", ended], "since its lease ended");
    },
  );

  on("what an unknown agent says or asks is refused", async (w) => {
    await assert.rejects(w.report("nobody", "idle"), withCode("agent_not_found"));
    await assert.rejects(w.store.agents.claim("nobody", 1), withCode("agent_not_found"));
    await assert.rejects(w.store.agents.remove("nobody"), withCode("agent_not_found"));
    assert.equal(await w.store.agents.get("nobody"), null);
    assert.equal(await w.store.agents.blocked("nobody"), null);
  });
}

function announcement(on: Declare): void {
  on("a REGISTER notification brings its id; repeated unchanged it changes nothing, not even the state", async (w) => {
    const agent = w.registration("reader", { capabilities: ["work"], registrationTime: "t1" });
    assert.deepEqual(await w.store.agents.announce(agent), { created: true, changed: true });
    await w.report(agent.id, "idle");
    const before = await w.types(agent.id);
    assert.deepEqual(await w.store.agents.announce(agent), { created: false, changed: false });
    assert.deepEqual(await w.store.agents.announce({ ...agent, registrationTime: null }), {
      created: false,
      changed: false,
    });
    assert.equal((await w.store.agents.get(agent.id))?.state, "idle");
    assert.deepEqual(await w.types(agent.id), before);
  });

  const changes = [
    { name: "writer" },
    { version: "2" },
    { capabilities: [] },
    { endpoint: "http://x.test/" },
    { metadata: { config: { cancel: true } } },
  ];
  for (const change of changes) {
    on(
      `a REGISTER notification with another ${Object.keys(change)} updates the agent and resets its state`,
      async (w) => {
        const agent = w.registration("reader", { capabilities: ["work"] });
        await w.store.agents.announce(agent);
        await w.report(agent.id, "idle");
        assert.deepEqual(await w.store.agents.announce({ ...agent, ...change }), { created: false, changed: true });
        const known = need(await w.store.agents.get(agent.id), "agent");
        assert.equal(known.state, "UNKNOWN");
        assert.deepEqual({ ...known, ...change }, known);
      },
    );
  }

  on(
    "an agent that was announced is known as such, with the time of the last notification, until it registers here",
    async (w) => {
      const agent = w.registration("reader", { capabilities: ["work"] });
      const announcedAt = async () => (await w.store.agents.get(agent.id))?.announcedAt;
      await w.store.agents.announce(agent);
      const first = w.clock.now();
      const bystander = w.registration("bystander");
      await w.store.agents.announce(bystander);
      w.clock.advance(SECOND);
      await w.store.agents.announce(agent);
      assert.equal(await announcedAt(), w.clock.now());
      assert.equal((await w.store.agents.get(bystander.id))?.announcedAt, first);
      w.clock.advance(SECOND);
      await w.store.agents.announce({ ...agent, version: "2" });
      assert.equal(await announcedAt(), w.clock.now());
      await w.task();
      assert.equal(w.take().announced, true);
      await w.store.agents.register({ ...agent, replace: "allowed" });
      assert.equal(await announcedAt(), null);
      await w.store.agents.announce({ ...agent, registrationTime: null });
      assert.equal(await announcedAt(), null);
      await w.agent("other", { capabilities: ["more"] });
      await w.task({ requirement: { kind: "capability", capability: "more", preferred: null } });
      assert.equal(w.take().announced, false);
    },
  );

  on("hole 27: an agent is removed only if AgentKit has not told of it since", async (w) => {
    const agent = w.registration("reader");
    await w.store.agents.announce(agent);
    const announcedAt = w.clock.now();
    w.clock.advance(SECOND);
    await w.store.agents.announce(agent);
    assert.deepEqual(await w.store.agents.remove(agent.id, announcedAt), { reassigned: 0 });
    const own = await w.agent("own");
    await w.store.agents.remove(own, announcedAt);
    assert.notEqual(await w.store.agents.get(own), null, "it registered here");
    assert.notEqual(await w.store.agents.get(agent.id), null);
    await w.store.agents.remove(agent.id, w.clock.now());
    assert.equal(await w.store.agents.get(agent.id), null);
    await assert.rejects(w.store.agents.remove(agent.id, announcedAt), withCode("agent_not_found"));
  });

  on("two agents may bring the same name by notification; a step by name may go to either", async (w) => {
    await w.store.agents.announce(w.registration("twin"));
    await w.store.agents.announce(w.registration("twin"));
    const named = workflow([step("a", { agentName: "twin" }), step("b", { agentName: "twin", dependsOn: [] })]);
    await w.start(named);
    assert.notEqual(w.take().agentId, w.take().agentId);
  });

  on("an agent that was removed may come back under its id, and its history goes on", async (w) => {
    const agent = w.registration("reader", { capabilities: ["work"] });
    await w.store.agents.announce(agent);
    await w.report(agent.id, "idle");
    await w.store.agents.remove(agent.id);
    assert.deepEqual(await w.store.agents.announce(agent), { created: true, changed: true });
    w.clock.advance(1);
    await w.report(agent.id, "active");
    assert.deepEqual(await w.types(agent.id), [
      "agent.registered",
      "agent.state_changed",
      "agent.removed",
      "agent.registered",
      "agent.state_changed",
    ]);
    assert.deepEqual(
      (await w.store.agents.states(agent.id, { limit: 9 })).items.map(({ state }) => state),
      ["active", "idle"],
    );
  });
}

function removal(on: Declare): void {
  on("open work of a removed agent goes to another capable one", async (w) => {
    const first = await w.agent("first", { capabilities: ["work"] });
    const { id } = await w.task();
    const attempt = w.take();
    const second = await w.agent("second", { capabilities: ["work"] });
    w.hints.length = 0;
    assert.deepEqual(await w.store.agents.remove(first), { reassigned: 1 });
    assert.deepEqual(w.hints[0]?.endedAttempts, [{ id: `${id}/1`, stop: true }]);
    await w.dispatch();
    const again = w.take();
    assert.deepEqual([again.agentId, again.attempt], [second, 2]);
    assert.equal((await w.complete(attempt, "from the grave")).type, "stale");
    await w.complete(again);
    assert.equal(await w.store.agents.get(first), null);
  });

  on("work that only the removed agent could have done fails `agent_gone`, waiting and running", async (w) => {
    const agentId = await w.agent("only", { capabilities: ["work"] });
    const running = await w.start(listOf("a"));
    const waiting = await w.task();
    const delayed = await w.task({ requirement: { kind: "agent", agentId }, readyAt: w.clock.now() + MINUTE });
    await w.store.agents.remove(agentId);
    assert.deepEqual(
      [(await w.getSession(running.id)).status, (await w.getSession(running.id)).error?.code],
      ["failed", "agent_gone"],
    );
    for (const { id } of [waiting, delayed]) {
      const task = await w.getTask(id);
      assert.deepEqual([task.status, task.error?.code, task.deadLetter], ["failed", "agent_gone", true]);
    }
  });

  on("a fallback is taken once: when its only agent goes, too, the step fails", async (w) => {
    await w.agent("first", { capabilities: ["work"] });
    const { id } = await w.start(workflow([step("a", { fallback: { agentCapability: "cheap" } })]));
    const other = await w.start(workflow([step("a", { agentCapability: "other" })]));
    await w.fail(w.take(), "rejected");
    const cheap = await w.agent("cheap", { capabilities: ["cheap"] });
    await w.dispatch();
    assert.equal(w.take().agentId, cheap);
    await w.store.agents.remove(cheap);
    const { status, error } = await w.getSession(id);
    assert.deepEqual([status, error?.code], ["failed", "agent_gone"]);
    assert.equal((await w.getSession(other.id)).status, "started");
  });

  on("what the loss of a removed agent's work sets free is not given to that agent", async (w) => {
    const leaving = await w.agent("leaving", { capabilities: ["work"] });
    const once = { retry: { maxAttempts: 1 }, onFailure: "continue" };
    await w.start(workflow([step("a", once), step("b", { dependsOn: ["a"] })]), { agentId: leaving });
    assert.deepEqual([w.take().agentId, w.sent.length], [leaving, 0]);
    const staying = await w.agent("staying", { capabilities: ["work"] });
    await w.store.agents.remove(leaving);
    await w.dispatch();
    const next = w.take();
    assert.deepEqual([next.taskName, next.agentId, w.sent.length], ["b", staying, 0]);
  });

  on("what an agent is sent in the transaction of its return counts as a message to it", async (w) => {
    const agentId = await w.agent("bare", { capabilities: ["work"] });
    const once = { retry: { maxAttempts: 1 }, onFailure: "continue" };
    const session = await w.start(workflow([step("a", once), step("b", { dependsOn: ["a"] })]), { agentId });
    w.take();
    await w.agent("bare", { capabilities: ["work"], replace: "allowed" });
    const next = w.take();
    await w.acknowledge(next);
    for (const state of ["active", "idle"]) {
      w.clock.advance(SECOND);
      await w.report(agentId, state);
    }
    await w.wait(3 * SECOND);
    assert.deepEqual([next.taskName, await w.steps(session.id)], ["b", { 0: "failed", 1: "completed" }]);
  });

  on("work of a removed agent that has a fallback takes it", async (w) => {
    const agentId = await w.agent("only", { capabilities: ["work"] });
    await w.agent("cheap", { capabilities: ["work.cheap"], maxConcurrency: 2 });
    const fallback = { fallback: { agentCapability: "work.cheap" } };
    await w.start(workflow([step("running", fallback), step("waiting", { ...fallback, dependsOn: [] })]));
    assert.equal(w.take().taskName, "running");
    await w.store.agents.remove(agentId);
    await w.dispatch();
    assert.deepEqual([w.take().taskName, w.take().taskName].sort(), ["running", "waiting"]);
  });

  on("a removed agent's slots, keys and draining work are gone with it", async (w) => {
    const agentId = await w.agent("only", { capabilities: ["work"], maxConcurrency: 2, key: w.key("key_1") });
    await w.store.keys.create(w.key("key_2", agentId));
    const { id } = await w.task({ retry: ALONE });
    await w.store.tasks.cancel(id, "no more");
    await w.store.agents.remove(agentId);
    assert.equal((await w.store.keys.get("key_2"))?.revokedAt, w.clock.now());
    await w.wait(5 * MINUTE);
    assert.deepEqual((await w.store.agents.list({ limit: 9 }, {})).items, []);
    await assert.rejects(w.report(agentId, "idle"), withCode("agent_not_found"));
  });
}
