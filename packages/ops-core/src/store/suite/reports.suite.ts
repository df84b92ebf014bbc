import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import { bareAgent, dispatched, say } from "./test-reports.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, senderOf, succeeded, type World } from "./test-world.ts";

/** What state reports prove about attempts. */
export const reportsSuite: Suite = (on) => {
  bare(on);
  bareCondition(on);
};

function bare(on: Declare): void {
  on("hole 12: reports settle nothing while the exchange is open; they are judged when it closes", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    assert.deepEqual(await say(w, agentId, "active", "idle"), [null, null]);
    assert.equal((await w.getTask(id)).status, "running");
    await w.acknowledge(attempt);
    assert.equal((await w.getTask(id)).status, "running", "a result call may still come");
    await w.wait(2 * SECOND - 1);
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(1);
    const task = await w.getTask(id);
    assert.deepEqual([task.status, task.result], ["completed", '"idle"']);
    assert.equal((await w.attempt(id, 1)).evidence, "inferred");
    assert.equal((await w.store.agents.get(agentId))?.evidence, "bare");
  });

  on("hole 12: idle reported before the answer (`finally`) does not overtake the answer", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await say(w, agentId, "active", "idle");
    await w.observe(attempt, succeeded("the answer", "answer"));
    const task = await w.getTask(id);
    assert.deepEqual([task.status, task.result], ["completed", '"the answer"']);
    assert.equal((await w.store.agents.get(agentId))?.evidence, "explicit");
  });

  on("hole 12: a result call within the grace is what counts", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    await say(w, agentId, "active", "idle");
    await w.wait(SECOND);
    assert.equal((await w.complete(attempt, "called")).type, "accepted");
    assert.deepEqual([(await w.getTask(id)).result, (await w.attempt(id, 1)).evidence], ['"called"', "result"]);
    await w.wait(5 * SECOND);
  });

  on("hole 12: an agent known by its bare states settles at once, attempt after attempt", async (w) => {
    const agentId = await bareAgent(w);
    for (let i = 0; i < 3; i += 1) {
      const { id } = await w.task();
      await w.acknowledge(w.take());
      assert.deepEqual(await say(w, agentId, "active", "idle"), [null, id]);
      assert.equal((await w.getTask(id)).status, "completed");
    }
  });

  on(
    "hole 12: a step that follows at once is the first message since the `idle` that ended the one before",
    async (w) => {
      const agentId = await w.agent("worker", { capabilities: ["work"] });
      const step = (taskId: string) => ({ taskId, agentCapability: "work" });
      const session = await w.start({ id: "w", name: "w", tasks: [step("a"), step("b"), step("c")] });
      for (let i = 0; i < 3; i += 1) {
        await w.acknowledge(w.take());
        await say(w, agentId, "active", "idle");
        await w.wait(2 * SECOND);
      }
      assert.equal((await w.getSession(session.id)).status, "completed");
    },
  );

  on("hole 12: an explicit agent's states settle nothing any more", async (w) => {
    const { agentId, attempt } = await dispatched(w);
    await w.complete(attempt);
    const { id } = await w.task();
    await w.acknowledge(w.take());
    await say(w, agentId, "active", "idle");
    await w.wait(MINUTE);
    assert.equal((await w.getTask(id)).status, "running");
  });

  on(
    "hole 12: a result that comes after an inferred outcome changes nothing, is kept, and makes the agent explicit",
    async (w) => {
      const { agentId, id, attempt } = await dispatched(w);
      await w.acknowledge(attempt);
      await say(w, agentId, "active", "idle");
      await w.wait(2 * SECOND);
      assert.equal((await w.complete(attempt, "too late")).taskStatus, "completed");
      assert.equal((await w.getTask(id)).result, '"idle"');
      assert.ok((await w.types(id)).includes("attempt.late_result"));
      assert.equal((await w.store.agents.get(agentId))?.evidence, "explicit");
    },
  );

  on(
    "bare `error` after `active` fails the attempt; the agent is asked again after the circuit's window",
    async (w) => {
      const agentId = await bareAgent(w);
      const { id } = await w.task();
      await w.acknowledge(w.take());
      w.clock.advance(1);
      await w.report(agentId, "active");
      w.clock.advance(1);
      assert.equal(await w.report(agentId, "error", { details: { message: "out of paper" } }), id);
      const task = await w.getTask(id);
      assert.deepEqual([task.status, task.error], ["pending", { code: "agent_error", message: "out of paper" }]);
      assert.equal((await w.store.agents.blocked(agentId))?.reason, "agent_error");
      await w.wait(5 * SECOND);
      assert.equal(await w.store.agents.blocked(agentId).then((block) => block?.reason ?? null), "agent_busy");
    },
  );

  on(
    "bare `error` of an agent that is not known to be state-only waits for the grace, and lapses as well",
    async (w) => {
      const { agentId, id, attempt } = await dispatched(w);
      await w.acknowledge(attempt);
      await say(w, agentId, "active", "error");
      await w.wait(2 * SECOND);
      assert.equal((await w.getTask(id)).status, "failed");
      await w.wait(5 * SECOND);
      assert.equal(await w.store.agents.blocked(agentId), null);
    },
  );

  on("an outcome's details are taken as they came, numbers included", async (w) => {
    const agentId = await bareAgent(w);
    const { id } = await w.task();
    await w.acknowledge(w.take());
    w.clock.advance(1);
    await w.report(agentId, "Active");
    w.clock.advance(1);
    await w.report(agentId, "IDLE", { details: { result: JSON.rawJSON("12345678901234567890.10") as never } });
    assert.equal((await w.getTask(id)).result, "12345678901234567890.10");
  });
}

function bareCondition(on: Declare): void {
  const notSettled = async (w: World, id: string) => {
    await w.wait(10 * SECOND);
    assert.equal((await w.getTask(id)).status, "running");
    assert.ok((await w.types(id)).includes("attempt.ambiguous_report"));
  };

  /** What its bare states say of the next task is not believed; when it has been idle once, they are again. */
  const doubtedUntilIdle = async (w: World, agentId: string) => {
    const second = await w.task();
    await w.acknowledge(w.take());
    await say(w, agentId, "active", "idle");
    await notSettled(w, second.id);
    await w.store.tasks.cancel(second.id, "give up");
    await say(w, agentId, "idle");
    const third = await w.task();
    await w.acknowledge(w.take());
    assert.deepEqual(await say(w, agentId, "active", "idle"), [null, third.id]);
  };

  on("an `idle` from before the dispatch, or without an `active` since, completes nothing", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 10 * MINUTE });
    await say(w, agentId, "active", "idle");
    const { id } = await w.task();
    await w.acknowledge(w.take());
    await say(w, agentId, "idle");
    await w.wait(10 * SECOND);
    assert.equal((await w.getTask(id)).status, "running");
    assert.ok(!(await w.types(id)).includes("attempt.ambiguous_report"));
  });

  for (const kind of ["message", "task"] as const) {
    on(`hole 12: bare states prove nothing when another ${kind} of ours went to the agent`, async (w) => {
      const agentId = await bareAgent(w);
      const { id } = await w.task();
      await w.acknowledge(w.take());
      await w.store.deliveries.enqueue(w.delivery({ kind, agentId }));
      await say(w, agentId, "active", "idle");
      await notSettled(w, id);
    });
  }

  on("hole 12: bare states of an agent that asks for its work prove nothing, whatever else it is sent", async (w) => {
    const agentId = await w.agent("puller", {
      capabilities: ["work"],
      channel: "pull",
      endpoint: "http://puller.test/",
    });
    const { id } = await w.task();
    const [claimed] = await w.store.agents.claim(agentId, 1);
    await w.store.attempts.extendLease(id, need(claimed, "attempt").token);
    await w.store.deliveries.enqueue(w.delivery({ kind: "message", agentId }));
    await say(w, agentId, "active", "idle");
    await w.wait(5 * SECOND);
    assert.equal((await w.getTask(id)).status, "running");
    assert.ok((await w.types(id)).includes("attempt.ambiguous_report"));
  });

  on("hole 12: bare states prove nothing after an `error`, until the agent was idle once", async (w) => {
    const agentId = await bareAgent(w);
    const first = await w.task({ retry: { ...STEP_RETRY, maxAttempts: 1 } });
    await w.acknowledge(w.take());
    assert.deepEqual(await say(w, agentId, "active", "error"), [null, first.id]);
    await w.wait(5 * SECOND);
    await doubtedUntilIdle(w, agentId);
  });

  on("hole 12: bare states prove nothing when a gateway sent the message again", async (w) => {
    const agentId = await bareAgent(w);
    const { id } = await w.task();
    const attempt = w.take();
    await w.acknowledge(attempt);
    await w.store.attempts.extendLease(id, attempt.token);
    await w.store.attempts.extendLease(id, attempt.token, true);
    await say(w, agentId, "active", "idle");
    await w.wait(5 * SECOND);
    assert.equal((await w.getTask(id)).status, "running");
  });

  on("hole 12: bare states prove nothing when the attempt was sent twice", async (w) => {
    const agentId = await bareAgent(w);
    const { id } = await w.task();
    await w.store.attempts.broken(senderOf(w.take()), "reset");
    await w.wait(SECOND);
    await w.acknowledge(w.take());
    await say(w, agentId, "active", "idle");
    await notSettled(w, id);
  });

  on("hole 12: bare states prove nothing when two attempts are open", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2, timeout: 10 * MINUTE });
    const ids = [(await w.task()).id, (await w.task()).id];
    for (const attempt of w.sent.splice(0)) await w.acknowledge(attempt);
    await say(w, agentId, "active", "idle");
    for (const id of ids) {
      await w.wait(5 * SECOND);
      assert.equal((await w.getTask(id)).status, "running");
    }
  });

  on(
    "hole 12: bare states prove nothing after a slot was freed by a timer, until the agent was idle once",
    async (w) => {
      const agentId = await bareAgent(w);
      const first = await w.task({ timeout: 10 * SECOND, retry: { ...STEP_RETRY, maxAttempts: 1 } });
      await w.acknowledge(w.take());
      await w.wait(25 * SECOND);
      assert.deepEqual([(await w.getTask(first.id)).status, await w.slots(agentId)], ["failed", "0/0"]);
      await doubtedUntilIdle(w, agentId);
    },
  );

  on("a draining slot is free once the agent reports idle", async (w) => {
    const { agentId, id } = await dispatched(w);
    await w.store.tasks.cancel(id, "no more");
    assert.equal(await w.slots(agentId), "1/1");
    await say(w, agentId, "active");
    assert.equal(await w.slots(agentId), "1/1");
    await say(w, agentId, "idle");
    assert.equal(await w.slots(agentId), "0/0");
  });

  for (const restart of ["initializing", "UNKNOWN", "REGISTER", "registration"] as const) {
    on(
      `hole 13: ${restart} while an attempt is open: it is lost at once, and start-up \`idle\` completes nothing`,
      async (w) => {
        const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 10 * MINUTE });
        const { id } = await w.task();
        await w.acknowledge(w.take());
        w.clock.advance(SECOND);
        const agent = w.registration("worker", { id: agentId, capabilities: ["work"], timeout: 10 * MINUTE });
        if (restart === "REGISTER") await w.store.agents.announce({ ...agent, registrationTime: "later" });
        else if (restart === "registration") await w.store.agents.register({ ...agent, replace: "allowed" });
        else await say(w, agentId, restart);
        const lost = await w.attempt(id, 1);
        assert.deepEqual([lost.status, lost.error?.code, await w.slots(agentId)], ["lost", "agent_restarted", "0/0"]);
        assert.equal((await w.getTask(id)).status, "pending");
        await say(w, agentId, "active", "idle");
        await w.wait(5 * SECOND);
        assert.equal((await w.getTask(id)).status, "running", "it was given out again");
      },
    );
  }
}
