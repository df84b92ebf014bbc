import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { Suite } from "./test-rig.ts";
import { failed, succeeded, type World } from "./test-world.ts";

const ONCE = { ...STEP_RETRY, maxAttempts: 1 };

/** How agents are, by the evidence there is. */
export const healthSuite: Suite = (on) => {
  on("a change of health is stored with its evidence, and is an event", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    assert.equal((await health(w, agentId)).changedAt, null);
    const tasks = await fails(w, 3);
    const { health: word, cause, changedAt, evidence } = await health(w, agentId);
    assert.deepEqual([word, cause, changedAt], ["suspect", "failures", w.clock.now()]);
    assert.deepEqual(evidence, { failed: 3, of: 3, taskIds: tasks });
    const told = (await w.store.events.list(0, 100, agentId)).at(-1);
    assert.deepEqual(
      [told?.type, told?.data.from, told?.data.to, told?.data.cause],
      ["agent.health_changed", "ready", "suspect", "failures"],
    );
    await w.crash();
    assert.deepEqual((await health(w, agentId)).evidence, evidence);
  });

  on("an agent that works again is ready again, and so is one whose failures are long ago", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    await fails(w, 3);
    for (let i = 0; i < 4; i += 1) {
      await w.task();
      await w.observe(w.take(), succeeded(1, "answer"));
    }
    assert.equal((await health(w, agentId)).health, "ready");
    await fails(w, 4);
    assert.equal((await health(w, agentId)).health, "suspect");
    await w.wait(10 * MINUTE);
    assert.equal((await health(w, agentId)).health, "ready");
    assert.deepEqual(
      (await w.types(agentId)).filter((type) => type === "agent.health_changed").length,
      4,
      "there and back, twice",
    );
  });

  on(
    "a heartbeat that is late makes an agent suspect, then unresponsive, then offline; a sign of life ready",
    async (w) => {
      const agentId = await w.agent("beating", { capabilities: ["work"], heartbeat: true });
      await w.report(agentId, "idle");
      const words: string[] = [];
      for (const wait of [7 * SECOND, 1, 3 * SECOND, 5 * MINUTE]) {
        await w.wait(wait);
        words.push((await health(w, agentId)).health);
      }
      assert.deepEqual(words, ["ready", "suspect", "unresponsive", "offline"]);
      await w.report(agentId, "idle");
      assert.equal((await health(w, agentId)).health, "ready");
    },
  );

  on("an agent that pulls is offline until it asks for work, and its waiting is no late heartbeat", async (w) => {
    const agentId = await w.agent("puller", { capabilities: ["work"], channel: "pull" });
    assert.equal((await health(w, agentId)).cause, "never_seen");
    for (let i = 0; i < 5; i += 1) {
      await w.store.agents.claim(agentId, 1);
      assert.equal((await health(w, agentId)).health, "ready");
      await w.wait(3 * SECOND);
    }
    assert.equal((await health(w, agentId)).health, "ready");
  });

  on("agents behind an endpoint that fails are unresponsive, then offline, until it is reached", async (w) => {
    const endpoint = "http://shared.test/";
    const one = await w.agent("one", { capabilities: ["work"], endpoint });
    const two = await w.agent("two", { endpoint });
    for (let i = 0; i < 5; i += 1) {
      await w.task({ retry: ONCE });
      await w.observe(w.take(), failed("unavailable"));
    }
    for (const id of [one, two]) assert.equal((await health(w, id)).cause, "circuit_open");
    await w.wait(5 * MINUTE);
    assert.equal((await health(w, two)).health, "offline");
    await w.task({ retry: ONCE });
    await w.dispatch();
    await w.observe(w.take(), succeeded(1, "answer"));
    for (const id of [one, two]) assert.equal((await health(w, id)).health, "ready");
  });

  on("hole 14: a state that was reported long ago makes an agent suspect, unless our own work is why", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 60 * MINUTE });
    const { id } = await w.task();
    const attempt = w.take();
    await w.report(agentId, "active");
    await w.wait(11 * MINUTE);
    assert.equal((await health(w, agentId)).health, "ready", id);
    await w.complete(attempt);
    await w.wait(1);
    assert.equal((await health(w, agentId)).cause, "stale_state");
    await w.report(agentId, "idle");
    assert.equal((await health(w, agentId)).health, "ready");
  });

  on("suspect agents get work after those that are ready, and only then", async (w) => {
    const doubted = await w.agent("a-doubted", { capabilities: ["work", "hard"] });
    await fails(w, 3, "hard");
    const good = await w.agent("b-good", { capabilities: ["work"] });
    for (let i = 0; i < 4; i += 1) {
      await w.task({ requirement: { kind: "capability", capability: "work", preferred: doubted } });
      const attempt = w.take();
      assert.equal(attempt.agentId, good, "although the other one is preferred");
      await w.complete(attempt);
    }
    await w.task();
    await w.task();
    assert.deepEqual([w.take().agentId, w.take().agentId], [good, doubted]);
  });

  on("agents are listed by their health", async (w) => {
    await w.agent("fine");
    const doubted = await w.agent("doubted", { capabilities: ["work"] });
    await fails(w, 3);
    const { items } = await w.store.agents.list({ limit: 10 }, { health: "suspect" });
    assert.deepEqual(
      items.map(({ id }) => id),
      [doubted],
    );
  });
};

async function health(w: World, agentId: string) {
  const agent = await w.store.agents.get(agentId);
  assert.ok(agent !== null);
  return agent.health;
}

/** The agent answers so many tasks with a failure of its own; their ids. */
async function fails(w: World, times: number, capability = "work"): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < times; i += 1) {
    const task = await w.task({ retry: ONCE, requirement: { kind: "capability", capability, preferred: null } });
    ids.push(task.id);
    await w.observe(w.take(), failed("agent_error", "answer"));
  }
  return ids;
}
