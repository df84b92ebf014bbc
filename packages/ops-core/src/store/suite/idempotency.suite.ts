import assert from "node:assert/strict";
import { DAY } from "../../domain/clock.ts";
import type { Idempotency } from "../../domain/store.ts";
import { listOf } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { withCode } from "./test-world.ts";

function key(rest: Partial<Idempotency> = {}): Idempotency {
  return { actor: "me", operation: "sessions.start", key: "k1", bodyHash: "h1", ...rest };
}

/** The same request twice is one effect. */
export const idempotencySuite: Suite = (on) => {
  on("hole 25: the same key and body get the same answer, and there is one effect", async (w) => {
    const first = await w.store.sessions.start(w.session(listOf("a"), { idempotency: key() }));
    assert.equal(first.replayed, false);
    await w.agent("worker", { capabilities: ["work"] });
    await w.dispatch();
    const second = await w.store.sessions.start(w.session(listOf("a"), { idempotency: key() }));
    assert.deepEqual(second, { session: first.session, replayed: true });
    assert.equal((await w.store.sessions.list({ limit: 9 }, {})).items.length, 1);
    await w.crash();
    assert.equal((await w.store.sessions.start(w.session(listOf("a"), { idempotency: key() }))).replayed, true);
  });

  on("hole 25: two such requests in one batch are one effect too", async (w) => {
    const start = () => w.store.sessions.start(w.session(listOf("a"), { idempotency: key() }));
    const [one, two] = await Promise.all([start(), start()]);
    assert.deepEqual([one.replayed, two.replayed, one.session.id], [false, true, two.session.id]);
  });

  on("the same key with another body is refused", async (w) => {
    await w.store.sessions.start(w.session(listOf("a"), { idempotency: key() }));
    const other = w.session(listOf("b"), { idempotency: key({ bodyHash: "h2" }) });
    await assert.rejects(w.store.sessions.start(other), withCode("idempotency_key_reused"));
    assert.equal(await w.store.sessions.get(other.sessionId), null);
  });

  on("keys belong to an actor and an operation", async (w) => {
    const keys = [key(), key({ actor: "you" }), key({ operation: "sessions.retry" }), key({ key: "k2" })];
    for (const idempotency of keys) {
      assert.equal((await w.store.sessions.start(w.session(listOf("a"), { idempotency }))).replayed, false);
    }
  });

  on("hole 25: what failed leaves no key behind", async (w) => {
    const idempotency = key();
    const orphan = w.session({ id: "x", name: "x", tasks: [{ taskId: "a" }] }, { idempotency });
    await assert.rejects(w.store.sessions.start(orphan), withCode("no_target"));
    assert.equal((await w.store.sessions.start(w.session(listOf("a"), { idempotency }))).replayed, false);
  });

  on("tasks, agents and tools are created once per key", async (w) => {
    const task = { idempotency: key({ operation: "tasks.create" }) };
    const [one, two] = [await w.store.tasks.create(w.newTask(task)), await w.store.tasks.create(w.newTask(task))];
    assert.deepEqual([two.task, two.replayed], [one.task, true]);
    const agent = { idempotency: key({ operation: "agents.register" }), key: w.key("key_1") };
    const registered = await w.store.agents.register(w.registration("a", agent));
    const again = await w.store.agents.register(w.registration("a", { ...agent, key: w.key("key_2") }));
    assert.deepEqual(again, { ...registered, replayed: true });
    assert.equal(await w.store.keys.get("key_2"), null);
    const tool = w.toolOf("t");
    const idempotency = key({ operation: "tools.register" });
    assert.equal((await w.store.tools.register(tool, idempotency)).replayed, false);
    assert.deepEqual(await w.store.tools.register(tool, idempotency), { tool, replayed: true });
    await assert.rejects(w.store.tools.register(tool), withCode("tool_name_taken"));
  });

  on("what a key was answered can be asked for, as the transition answered it", async (w) => {
    assert.equal(await w.store.answers.find(key()), null);
    const { session } = await w.store.sessions.start(w.session(listOf("a"), { idempotency: key() }));
    assert.deepEqual(await w.store.answers.find(key()), session);
    await assert.rejects(w.store.answers.find(key({ bodyHash: "h2" })), withCode("idempotency_key_reused"));
    const task = key({ operation: "tasks.create" });
    const created = await w.store.tasks.create(w.newTask({ idempotency: task }));
    assert.deepEqual(await w.store.answers.find(task), created.task);
  });

  on("the key of a registration may be made again once its answer was pruned, and is good from then on", async (w) => {
    const registration = { replace: "allowed" as const, idempotency: key({ operation: "agents.register" }) };
    const own = () => ({ ...w.key("derived"), registered: true });
    const { agentId } = await w.store.agents.register(w.registration("a", { ...registration, key: own() }));
    w.clock.advance(DAY + 1);
    await w.store.process.prune(10);
    const again = await w.store.agents.register(w.registration("a", { ...registration, key: own() }));
    assert.deepEqual(again, { agentId, created: false, replayed: false });
    assert.equal((await w.store.keys.get("derived"))?.createdAt, w.clock.now());
  });

  on("answers are kept for a day, and then pruned a few at a time", async (w) => {
    for (const name of ["k1", "k2", "k3"]) {
      await w.store.sessions.start(w.session(listOf("a"), { idempotency: key({ key: name }) }));
    }
    w.clock.advance(DAY);
    assert.equal(await w.store.process.prune(2), 0);
    w.clock.advance(1);
    assert.equal(await w.store.process.prune(2), 2);
    assert.equal(await w.store.process.prune(2), 1);
    assert.equal((await w.store.sessions.start(w.session(listOf("a"), { idempotency: key() }))).replayed, false);
  });
};
