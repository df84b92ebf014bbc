import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { step, workflow } from "./test-definitions.ts";
import { end } from "./test-language.ts";
import { say } from "./test-reports.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, type World } from "./test-world.ts";

const AT_ONCE = { ...STEP_RETRY, initialDelay: 0, maxDelay: 0 };
const ALONE = { ...STEP_RETRY, maxAttempts: 1 };

/** What happens after something was found to be due, and before it is judged: outcomes and signs of life go first. */
export const dueSuite: Suite = (on) => {
  attempts(on);
  agents(on);
  slots(on);
};

function attempts(on: Declare): void {
  on("a session that completes as its deadline passes has completed", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.start(workflow([step("a")], { deadline: "1m" }));
    const attempt = w.take();
    await w.wait(MINUTE - 1);
    w.clock.advance(1);
    await Promise.all([w.expire(), w.complete(attempt, "in time")]);
    assert.deepEqual(await end(w, id), ["completed", "in time"]);
  });

  on("hole 12: a bare outcome that comes as silence is judged has its grace, and counts after it", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 10 * MINUTE });
    const { id } = await w.task({ silenceTimeout: 20 * SECOND });
    await w.acknowledge(w.take());
    await w.wait(10 * SECOND - 1);
    await w.report(agentId, "active");
    w.clock.advance(1);
    await Promise.all([w.expire(), w.report(agentId, "idle", { details: { result: "done" } })]);
    await w.wait(2 * SECOND);
    assert.deepEqual([(await w.getTask(id)).status, (await w.getTask(id)).result], ["completed", '"done"']);
  });
}

function agents(on: Declare): void {
  /** An agent that gives signs of life and has work, found to be silent: the next moment it is lost. */
  const silent = async (w: World) => {
    const agentId = await w.agent("beating", { capabilities: ["work"], heartbeat: true, timeout: 10 * MINUTE });
    const { id } = await w.task({ retry: AT_ONCE });
    const attempt = w.take();
    await w.acknowledge(attempt);
    await w.wait(10 * SECOND - 1);
    w.clock.advance(1);
    return { agentId, id, attempt };
  };

  on("a sign of life that comes as an agent is found to be silent saves its work", async (w) => {
    const { agentId, id, attempt } = await silent(w);
    await Promise.all([w.expire(), w.report(agentId, "active")]);
    assert.equal((await w.attempt(id, 1)).status, "acknowledged");
    assert.equal((await w.complete(attempt)).type, "accepted");
  });

  on("an agent that is removed as it is found to be silent loses its work once", async (w) => {
    const { agentId, id } = await silent(w);
    await Promise.all([w.expire(), w.store.agents.remove(agentId)]);
    assert.deepEqual([(await w.attempt(id, 1)).error?.code, (await w.getTask(id)).used], ["agent_gone", 1]);
  });
}

function slots(on: Declare): void {
  const TEN = 10 * SECOND;
  const only = (agentId: string) => ({ kind: "agent", agentId }) as const;

  const worker = (w: World, name: string) => w.agent(name, { capabilities: ["work"], timeout: TEN });

  /** The agent tells of a task of its own by bare states; whether they count. */
  async function isBelieved(w: World, agentId: string): Promise<boolean> {
    const { id } = await w.task({ requirement: only(agentId), retry: ALONE });
    await w.acknowledge(w.take());
    await say(w, agentId, "active", "idle");
    await w.wait(2 * SECOND);
    return (await w.getTask(id)).status === "completed";
  }

  on("hole 12: an agent that is idle as its slot is given up has been told nothing since", async (w) => {
    const agentId = await worker(w, "worker");
    await w.task({ requirement: only(agentId), retry: ALONE });
    await w.acknowledge(w.take());
    await w.wait(2 * TEN - 1);
    assert.equal(await w.slots(agentId), "1/1");
    w.clock.advance(1);
    await Promise.all([w.expire(), w.report(agentId, "idle")]);
    assert.equal(await w.slots(agentId), "0/0");
    assert.ok(await isBelieved(w, agentId));
  });

  on(
    "hole 12: an agent that is idle as its slot and another task's are given up has been told nothing since",
    async (w) => {
      const [agentId, other] = [await worker(w, "worker"), await worker(w, "other")];
      await w.task({ requirement: only(agentId), retry: ALONE });
      w.clock.advance(SECOND);
      await w.task({ requirement: only(other), retry: ALONE });
      for (const sent of w.sent.splice(0)) await w.acknowledge(sent);
      await w.wait(TEN - SECOND);
      await w.wait(SECOND);
      await w.wait(TEN - SECOND - 1);
      await idleWhileBothEnd(w, agentId, other);
      assert.ok(await isBelieved(w, agentId));
    },
  );

  on(
    "hole 12: an agent that is idle as its slot and its task's next one are given up has been told nothing since",
    async (w) => {
      const [one, two] = [await worker(w, "one"), await worker(w, "two")];
      await w.task({ retry: AT_ONCE, deadline: 1.5 * TEN + SECOND / 2 });
      const first: ClaimedAttempt = w.take();
      await w.acknowledge(first);
      await w.wait(TEN);
      const next = w.take();
      assert.equal(next.attempt, 2);
      await w.acknowledge(next);
      await w.wait(TEN / 2 + SECOND / 2);
      await w.wait(TEN / 2 - SECOND / 2 - 1);
      const agentId = need(first.agentId, "agent");
      await idleWhileBothEnd(w, agentId, agentId === one ? two : one);
      assert.ok(await isBelieved(w, agentId));
    },
  );

  /** A moment before the first of two slots is given up. */
  async function idleWhileBothEnd(w: World, agentId: string, other: string): Promise<void> {
    assert.deepEqual([await w.slots(agentId), await w.slots(other)], ["1/1", "1/1"]);
    w.clock.advance(SECOND + 1);
    await Promise.all([w.expire(), w.report(agentId, "idle")]);
    assert.deepEqual([await w.slots(agentId), await w.slots(other)], ["0/0", "0/0"]);
  }
}
