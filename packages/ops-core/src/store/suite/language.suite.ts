import assert from "node:assert/strict";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { readDefinition } from "../../domain/workflows/definition.ts";
import { step, workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { need, type World } from "./test-world.ts";

const HOUR = 3_600_000_000;

async function end(w: World, id: string) {
  return need(await w.store.sessions.get(id), "session");
}

async function statuses(w: World, id: string): Promise<string[]> {
  return (await w.store.sessions.steps(id)).map(({ status }) => status);
}

async function apply(w: World, document: JsonObject): Promise<void> {
  const { text, hash, plan } = readDefinition(document, []);
  const { id, version, name, description, steps } = plan;
  const workflow = { id, version, name, description, steps: steps.length, hash, document: text, appliedAt: 0 };
  await w.store.workflows.apply(workflow);
}

/** Does all work that there is, until none is left. */
async function workOff(w: World, result: (parameters: JsonValue) => JsonValue = () => null): Promise<void> {
  for (let rounds = 0; rounds < 1_000; rounds++) {
    await w.dispatch();
    const sent = w.sent.shift();
    if (sent === undefined) return;
    await w.complete(sent, result(JSON.parse(sent.parameters)));
  }
  throw new Error("the work does not end");
}

export const languageSuite: Suite = (on) => {
  on("a step whose condition does not hold is skipped, and those behind it go on", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.start(workflow([step("a", { when: "input.go" }), step("b")]), { data: { go: false } });
    await workOff(w);
    assert.deepEqual(await statuses(w, id), ["skipped", "completed"]);
    assert.equal((await end(w, id)).status, "completed");
  });

  on(
    "each item of a list is a task, no more of them open than allowed, and the results keep their order",
    async (w) => {
      await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
      const each = step("each", {
        forEach: "input.list",
        concurrency: 2,
        parameters: { n: "${{ item }}", i: "${{ index }}" },
      });
      const { id } = await w.start(workflow([each], { output: "${{ steps.each.results }}" }), {
        data: { list: [5, 6, 7] },
      });
      assert.equal(w.sent.length, 2);
      const [first, second] = [w.take(), w.take()];
      await w.complete(second, "second");
      const third = w.take();
      assert.deepEqual(JSON.parse(third.parameters), { n: 7, i: 2 });
      await w.complete(third, "third");
      await w.complete(first, "first");
      const session = await end(w, id);
      assert.deepEqual([session.status, session.result], ["completed", '["first","second","third"]']);
    },
  );

  on("a step repeats until its result is enough", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const loop = step("loop", {
      parameters: { before: "${{ steps.loop.result }}", run: "${{ iteration }}" },
      repeat: { until: "steps.loop.result.n >= 2", maxIterations: 5 },
    });
    const { id } = await w.start(workflow([loop]));
    const seen: JsonValue[] = [];
    await workOff(w, (parameters) => {
      seen.push(parameters);
      return { n: seen.length - 1 };
    });
    assert.deepEqual(seen, [
      { before: null, run: 0 },
      { before: { n: 0 }, run: 1 },
      { before: { n: 1 }, run: 2 },
    ]);
    assert.deepEqual([(await end(w, id)).status, (await end(w, id)).result], ["completed", '{"n":2}']);
  });

  on("a session waits for a time, and goes on when it has come", async (w) => {
    const { id } = await w.start(workflow([{ taskId: "pause", wait: { for: "1h" } }]));
    assert.equal((await end(w, id)).status, "waiting");
    assert.equal((await end(w, id)).blocked?.reason, "waiting_for_time");
    w.clock.advance(HOUR - 1);
    await w.expire();
    assert.equal((await end(w, id)).status, "waiting");
    w.clock.advance(1);
    await w.expire();
    assert.equal((await end(w, id)).status, "completed");
  });

  on("a signal is given to the step that waits for it, or kept for it", async (w) => {
    const definition = workflow(
      [
        { taskId: "one", wait: { signal: "go" } },
        { taskId: "two", wait: { signal: "go", timeout: "1h" } },
      ],
      { output: ["${{ steps.one.result }}", "${{ steps.two.result }}"] },
    );
    const { id } = await w.start(definition);
    const send = (payload: string) => w.store.sessions.signal({ sessionId: id, name: "go", payload });
    assert.deepEqual(await send("1"), { delivered: true, replayed: false });
    assert.deepEqual(await send("2"), { delivered: true, replayed: false });
    assert.equal((await end(w, id)).result, "[1,2]");
  });

  on("an approval is asked for, decided once, and the session goes on with what was said", async (w) => {
    const definition = workflow([{ taskId: "ok", approval: { message: "Publish ${{ input.name }}?", timeout: "1h" } }]);
    const { id } = await w.start(definition, { data: { name: "it" } });
    const { items } = await w.store.approvals.list({ limit: 5 }, { session: id });
    const approval = need(items[0], "approval");
    assert.equal(approval.message, "Publish it?");
    await w.store.approvals.decide(approval.id, { approved: true, by: "ann", comment: null });
    const session = await end(w, id);
    assert.equal(session.status, "completed");
    assert.equal((JSON.parse(session.result ?? "null") as { by: string }).by, "ann");
  });

  on("a rejected approval takes its branch, and nothing behind it begins", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const definition = workflow([
      { taskId: "ok", approval: { message: "Publish?", onReject: { taskId: "sorry" } } },
      step("publish"),
      step("sorry"),
    ]);
    const { id } = await w.start(definition);
    const { items } = await w.store.approvals.list({ limit: 5 }, { session: id });
    await w.store.approvals.decide(need(items[0], "approval").id, { approved: false, by: "ann", comment: "no" });
    await workOff(w);
    assert.deepEqual(await statuses(w, id), ["failed", "skipped", "completed"]);
    assert.equal((await end(w, id)).status, "completed");
  });

  on("a session that is a step of another gives it its result", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await apply(w, workflow([step("inner", { parameters: { x: "${{ input.x }}" } })], { id: "child", input: {} }));
    const call = { taskId: "call", workflow: { id: "child", input: { x: "${{ input.y }}" } } };
    const { id } = await w.start(workflow([call]), { data: { y: 4 } });
    await workOff(w, (parameters) => parameters);
    const session = await end(w, id);
    assert.deepEqual([session.status, session.result], ["completed", '{"x":4}']);
  });

  on("a step that stands in for another completes it", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const definition = workflow(
      [
        step("a", { fallback: { taskId: "b" }, retry: { maxAttempts: 1 } }),
        step("b", { parameters: { e: "${{ steps.a.error.code }}" } }),
        step("c"),
      ],
      { output: "${{ steps.a.result }}" },
    );
    const { id } = await w.start(definition);
    await w.dispatch();
    await w.fail(w.take(), "rejected");
    await workOff(w, (parameters) => parameters);
    const session = await end(w, id);
    assert.equal(session.status, "completed");
    assert.deepEqual(await statuses(w, id), ["completed", "completed", "completed"]);
    assert.notEqual(session.result, "null");
  });

  on("what was done is undone in the reverse order, once the session has failed", async (w) => {
    await w.agent("worker", { capabilities: ["work", "undo"] });
    const undo = (name: string) => ({
      agentCapability: "undo",
      parameters: { name, was: `\${{ steps.${name}.result }}` },
    });
    const definition = workflow(
      [
        step("a", { compensate: undo("a") }),
        step("b", { compensate: undo("b") }),
        step("c", { retry: { maxAttempts: 1 } }),
      ],
      { onFailure: "compensate" },
    );
    const { id } = await w.start(definition);
    await w.dispatch();
    await w.complete(w.take(), "A");
    await w.complete(w.take(), "B");
    await w.fail(w.take(), "rejected");
    const undone: unknown[] = [];
    await workOff(w, (parameters) => {
      undone.push(parameters);
      return null;
    });
    assert.deepEqual(undone, [
      { name: "b", was: "B" },
      { name: "a", was: "A" },
    ]);
    const session = await end(w, id);
    assert.deepEqual([session.status, session.compensation], ["failed", "complete"]);
    assert.deepEqual(await statuses(w, id), ["compensated", "compensated", "failed"]);
  });
};
