import assert from "node:assert/strict";
import { SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import { step, workflow } from "./test-definitions.ts";
import { ONCE } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { type World, withCode } from "./test-world.ts";

const ONE = { ...STEP_RETRY, maxAttempts: 1 };

/** A task that stands alone and has used up its attempts. */
async function deadLetter(w: World, rest: Parameters<World["task"]>[0] = {}): Promise<string> {
  const { id } = await w.task({ retry: ONE, ...rest });
  await w.dispatch();
  await w.fail(w.take());
  assert.ok((await w.getTask(id)).deadLetter);
  return id;
}

async function listed(w: World, rest: { redriven?: false; capability?: string }): Promise<string[]> {
  return (await w.store.tasks.list({ limit: 9 }, { deadLetter: true, ...rest })).items.map(({ id }) => id);
}

export const redriveSuite: Suite = (on) => {
  on("a dead letter is done again as a new task, as it was when it was made", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const parameters = '{"x":1}';
    const dead = await deadLetter(w, { name: "one", parameters, priority: 3, timeout: SECOND, deadline: 9 * SECOND });
    const before = await w.getTask(dead);
    w.clock.advance(SECOND);
    const { task } = await w.store.tasks.redrive(dead, "task_again");
    const { id, redriveOf, name, status, deadLetter: isDead, deadline } = task;
    assert.deepEqual([id, redriveOf, name, status, isDead], ["task_again", dead, "one", "running", false]);
    assert.equal(deadline, w.clock.now() + 9 * SECOND);
    const sent = w.take();
    assert.deepEqual([sent.taskId, sent.parameters, sent.timeoutAt], [id, parameters, w.clock.now() + SECOND]);
    await w.complete(sent, 2);
    assert.equal((await w.getTask(id)).result, "2");
    assert.deepEqual(await w.getTask(dead), before, "what has ended stays as it is");
    assert.equal((await w.types(dead)).at(-1), "task.redriven");
  });

  on("it comes before others as the dead letter did", async (w) => {
    const agent = await w.agent("worker", { capabilities: ["work"] });
    const dead = await deadLetter(w, { priority: 3 });
    await w.store.agents.remove(agent);
    const other = await w.task();
    await w.store.tasks.redrive(dead, "task_again");
    await w.agent("later", { capabilities: ["work"] });
    await w.dispatch();
    assert.equal(w.take().taskId, "task_again");
    await w.store.tasks.cancel(other.id, "enough");
  });

  on("only dead letters that stand alone are redriven by themselves", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const done = await w.task();
    await w.complete(w.take());
    const redrive = (id: string) => w.store.tasks.redrive(id, "task_again");
    await assert.rejects(redrive(done.id), withCode("task_not_dead_letter"));
    await w.start(workflow([step("a", ONCE)]));
    const sent = w.take();
    await w.fail(sent);
    assert.ok((await w.getTask(sent.taskId)).deadLetter);
    await assert.rejects(redrive(sent.taskId), withCode("task_not_dead_letter"));
    await assert.rejects(redrive("unknown"), withCode("task_not_found"));
  });

  on("under one key a dead letter is redriven once", async (w) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    const dead = await deadLetter(w);
    const idempotency = { actor: "ann", operation: "tasks.redrive", key: "k", bodyHash: "h" };
    await w.store.tasks.redrive(dead, "task_one", idempotency);
    const again = await w.store.tasks.redrive(dead, "task_two", idempotency);
    assert.deepEqual([again.task.id, again.replayed], ["task_one", true]);
    assert.equal(await w.store.tasks.get("task_two"), null);
  });

  on("dead letters are listed by capability, and those that were not redriven", async (w) => {
    await w.agent("worker", { capabilities: ["work", "other"], maxConcurrency: 9 });
    const first = await deadLetter(w);
    const second = await deadLetter(w, { requirement: { kind: "capability", capability: "other", preferred: null } });
    const session = await w.start(workflow([step("a", ONCE)]));
    const sent = w.take();
    await w.fail(sent);
    assert.deepEqual(await listed(w, { redriven: false }), [sent.taskId, second, first]);
    assert.deepEqual(await listed(w, { capability: "other" }), [second]);
    await w.store.tasks.redrive(first, "task_again");
    await w.store.sessions.fork({ sessionId: w.ids.uuid(), sourceId: session.id, from: null });
    assert.deepEqual(await listed(w, { redriven: false }), [second]);
  });
};
