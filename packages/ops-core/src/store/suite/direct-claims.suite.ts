import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import { listOf } from "./test-definitions.ts";
import { limited, many } from "./test-limits.ts";
import type { Declare, Suite } from "./test-rig.ts";
import type { World } from "./test-world.ts";

/** What is given to an idle agent while it is created, past what waits already. */
export const directClaimsSuite: Suite = (on) => {
  pastOthers(on);
  preferred(on);
};

/** A task that is created last goes to the agent that is there, although an earlier one waits. */
async function goesPast(w: World): Promise<void> {
  w.clock.advance(1);
  const { id } = await w.task({ name: "new" });
  assert.deepEqual(
    w.sent.map(({ taskName }) => taskName),
    ["new"],
  );
  await w.complete(w.take());
  assert.equal((await w.getTask(id)).status, "completed");
}

function pastOthers(on: Declare): void {
  on("hole 21: a new task goes past one of a session that is paused", async (w) => {
    const { id } = await w.start(listOf("held"));
    await w.store.sessions.pause(id, "us", null);
    await w.task({ name: "later", priority: -1 });
    await w.agent("worker", { capabilities: ["work"] });
    await goesPast(w);
  });

  on("hole 21: a new task goes past one whose time has not come, however important it will be", async (w) => {
    await w.task({ name: "in a minute", readyAt: w.clock.now() + MINUTE, priority: 2 });
    await w.agent("worker", { capabilities: ["work"] });
    await goesPast(w);
  });

  on("hole 21: a new task goes past one that is less important", async (w) => {
    await w.task({ name: "unimportant", priority: -1 });
    await w.agent("worker", { capabilities: ["work"] });
    await goesPast(w);
  });

  on("hole 21: a new task goes past one that wants what its agent cannot do", async (w) => {
    await w.task({ name: "for others", requirement: { kind: "capability", capability: "other", preferred: null } });
    await w.task({ name: "unimportant", priority: -1 });
    await w.agent("worker", { capabilities: ["work"] });
    await goesPast(w);
  });

  on("hole 21: a new task goes past earlier ones that have ended", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await goesPast(w);
    w.capacity = 0;
    await w.task({ name: "unimportant", priority: -1 });
    w.capacity = 1_000;
    await goesPast(w);
  });

  on("hole 21: a new task goes past one that its limits keep back", async (w) => {
    await many(w);
    await limited(w, "t");
    await limited(w, "t");
    w.sent.length = 0;
    w.capacity = 0;
    await w.task({ name: "unimportant", priority: -1 });
    w.capacity = 1_000;
    await goesPast(w);
  });

  on("hole 21: a new task waits behind one that came before it", async (w) => {
    await w.task({ name: "first" });
    w.clock.advance(SECOND);
    await w.agent("worker", { capabilities: ["work"] });
    await w.task({ name: "second" });
    assert.equal(w.sent.length, 0);
  });
}

function preferred(on: Declare): void {
  on("a path agent that lost the task is not preferred for it any more", async (w) => {
    const path = await w.agent("path", { capabilities: ["work"], maxConcurrency: 2 });
    await w.agent("other", { capabilities: ["work"] });
    const requirement = { kind: "capability", capability: "work", preferred: path } as const;
    await w.task({ requirement, retry: { ...STEP_RETRY, maxAttempts: 3 } });
    const lost = w.take();
    assert.equal(lost.agentId, path);
    await w.store.attempts.settle(lost.taskId, lost.token, {
      type: "failed",
      reason: "lost",
      error: { code: "lost", message: "It is gone." },
      evidence: "result",
    });
    await w.wait(MINUTE);
    assert.equal(w.take().agentName, "other");
  });

  on("a path agent that failed the task is preferred for it still; a loss after that is the first one", async (w) => {
    const path = await w.agent("path", { capabilities: ["work"], maxConcurrency: 2 });
    await w.agent("other", { capabilities: ["work"] });
    const requirement = { kind: "capability", capability: "work", preferred: path } as const;
    const { id } = await w.task({ requirement, retry: { ...STEP_RETRY, jitter: "none" } });
    await w.fail(w.take());
    await w.wait(SECOND);
    const again = w.take();
    assert.equal(again.agentName, "path");
    await w.fail(again, "lost");
    assert.equal((await w.getTask(id)).readyAt, w.clock.now(), "it is offered again at once");
    await w.dispatch();
    assert.equal(w.take().agentName, "other");
  });
}
