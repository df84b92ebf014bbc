import assert from "node:assert/strict";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import type { ForkSession, SessionRecord } from "../../domain/sessions/session.ts";
import { graphOf, listOf, step, workflow } from "./test-definitions.ts";
import { apply, decide, end, FAILS, ONCE, statuses, undoable, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { need, type World, withCode } from "./test-world.ts";

function newFork(w: World, sourceId: string, rest: Partial<ForkSession> = {}): ForkSession {
  return { sessionId: w.ids.uuid(), sourceId, from: null, ...rest };
}

async function fork(w: World, sourceId: string, rest: Partial<ForkSession> = {}): Promise<SessionRecord> {
  return (await w.store.sessions.fork(newFork(w, sourceId, rest))).session;
}

/** A step that tells its name and what it was given, tried once. */
function named(taskId: string, rest: JsonObject = {}): JsonObject {
  return step(taskId, { parameters: { do: taskId }, ...ONCE, ...rest });
}

/** The names of the steps that were done, in order; those in `failing` fail. */
async function work(w: World, ...failing: string[]): Promise<unknown[]> {
  const done = await workOff(w, (parameters): JsonValue | typeof FAILS =>
    failing.includes(String(parameters.do)) ? FAILS : { did: parameters.do ?? null },
  );
  return done.map((parameters) => parameters.do);
}

export const forksSuite: Suite = (on) => {
  on("a failed session is retried from the step that failed, and reads what was done before", async (w) => {
    await workers(w);
    const last = named("c", { parameters: { do: "c", was: "${{ steps.a.result.did }}" } });
    const document = workflow([named("a"), named("b"), last], { output: "${{ steps.b.result.did }}" });
    const source = await w.start(document, { labels: { team: "docs" }, callbackUrl: "https://back.test/", data: 1 });
    await work(w, "b");
    assert.equal((await w.getSession(source.id)).status, "failed");
    const retried = await fork(w, source.id);
    assert.deepEqual([retried.forkedFrom, retried.planHash, retried.input], [source.id, source.planHash, "1"]);
    assert.deepEqual(retried.labels, { team: "docs" });
    assert.deepEqual(await work(w), ["b", "c"]);
    assert.deepEqual(await end(w, retried.id), ["completed", "b"]);
    assert.equal((await w.getSession(source.id)).status, "failed", "its source stays as it ended");
    const steps = await w.store.sessions.steps(retried.id);
    const first = need((await w.store.sessions.steps(source.id))[0], "step");
    assert.deepEqual(steps[0], { ...first, source: source.id });
    assert.deepEqual(
      steps.map((each) => each.source),
      [source.id, null, null],
    );
  });

  on("a retry of a retry reads each result where it is", async (w) => {
    await workers(w);
    const read = (id: string) => `\${{ steps.${id}.result.did }}`;
    const document = workflow([named("a"), named("b"), named("c")], { output: [read("a"), read("b"), read("c")] });
    const first = await w.start(document);
    await work(w, "b");
    const second = await fork(w, first.id);
    await work(w, "c");
    const third = await fork(w, second.id, { labels: { try: "3" } });
    await work(w);
    assert.deepEqual(await end(w, third.id), ["completed", ["a", "b", "c"]]);
    const steps = await w.store.sessions.steps(third.id);
    assert.deepEqual(
      steps.map(({ source }) => source),
      [first.id, second.id, null],
    );
    assert.deepEqual((await w.getSession(third.id)).labels, { try: "3" });
  });

  on("definitions in the originals' manner get `previous` from the session they go on from", async (w) => {
    await workers(w);
    const source = await w.start(listOf("a", "b"), { data: { x: 1 } });
    await w.complete(w.take(), "A");
    await w.fail(w.take(), "rejected");
    const retried = await fork(w, source.id);
    assert.deepEqual(JSON.parse(w.take().parameters), { previous: "A" });
    const again = await fork(w, source.id, { from: 0, input: '{"x":2}' });
    assert.deepEqual([w.take().parameters, again.input, retried.input], ['{"x":2}', '{"x":2}', '{"x":1}']);
  });

  on("a cancelled session is retried from what it had under way", async (w) => {
    await workers(w);
    const source = await w.start(graphOf({ a: [], b: [], c: ["a", "b"] }));
    await w.complete(w.take());
    w.take();
    await w.store.sessions.cancel(source.id, "no more");
    const retried = await fork(w, source.id);
    assert.deepEqual(await w.steps(retried.id), { 0: "completed", 1: "running", 2: "pending" });
    assert.equal((await workOff(w)).length, 2);
    assert.equal((await w.getSession(retried.id)).status, "completed");
  });

  on("a fork does a step and all behind it again, with another input or other parameters", async (w) => {
    await workers(w);
    const document = workflow([
      named("a"),
      named("b", { parameters: { do: "b", x: "${{ input.x }}" } }),
      named("c", { dependsOn: ["b"] }),
      named("d", { dependsOn: ["a"] }),
    ]);
    const source = await w.start(document, { data: { x: 1 } });
    await work(w);
    const other = await fork(w, source.id, { from: 1, input: '{"x":2}' });
    const done = await workOff(w);
    assert.deepEqual(done, [{ do: "b", x: 2 }, { do: "c" }]);
    assert.equal((await w.getSession(other.id)).status, "completed");
    await fork(w, source.id, { from: 1, parameters: '{"do":"else"}' });
    assert.deepEqual(await workOff(w), [{ do: "else" }, { do: "c" }]);
  });

  on("only what has ended is gone on from, and a step that never began is no place to begin", async (w) => {
    await workers(w);
    const source = await w.start(workflow([named("a"), named("b")]));
    await assert.rejects(fork(w, source.id), withCode("session_open"));
    await work(w, "a");
    await assert.rejects(fork(w, source.id, { from: 1 }), withCode("step_not_finished"));
    const retried = await fork(w, source.id);
    await work(w);
    await assert.rejects(fork(w, retried.id), withCode("session_completed"));
    await assert.rejects(fork(w, "unknown"), withCode("session_not_found"));
  });

  on("the same retry under the same key is one session", async (w) => {
    await workers(w);
    const source = await w.start(workflow([named("a")]));
    await work(w, "a");
    const idempotency = { actor: "ann", operation: "sessions.retry", key: "k", bodyHash: "h" };
    const first = await w.store.sessions.fork(newFork(w, source.id), idempotency);
    const second = await w.store.sessions.fork(newFork(w, source.id), idempotency);
    assert.deepEqual([first.replayed, second.replayed, second.session.id], [false, true, first.session.id]);
    assert.equal((await workOff(w)).length, 1);
  });

  on("items that were done are not done again when a list is retried, but when it is forked", async (w) => {
    await workers(w);
    const each = step("each", {
      ...ONCE,
      forEach: "input.list",
      concurrency: 1,
      parameters: { do: "${{ item }}" },
    });
    const document = workflow([named("a"), each], { output: "${{ steps.each.results }}" });
    const source = await w.start(document, { data: { list: ["p", "q", "r", "s"] } });
    assert.deepEqual(await work(w, "r"), ["a", "p", "q", "r"]);
    const second = await fork(w, source.id);
    assert.deepEqual(await work(w, "s"), ["r", "s"]);
    const third = await fork(w, second.id);
    assert.deepEqual(await work(w), ["s"]);
    const all = ["p", "q", "r", "s"].map((did) => ({ did }));
    assert.deepEqual(await end(w, third.id), ["completed", all]);
    const whole = await fork(w, third.id, { from: 0, input: '{"list":["z"]}' });
    assert.deepEqual(await work(w), ["a", "z"]);
    assert.deepEqual(await end(w, whole.id), ["completed", [{ did: "z" }]]);
    const after = await fork(w, third.id, { from: 1 });
    assert.deepEqual(await work(w), ["p", "q", "r", "s"]);
    assert.deepEqual(await end(w, after.id), ["completed", all]);
  });

  on("of two lists that were cut short each goes on with its own items", async (w) => {
    await workers(w);
    const list = (taskId: string) =>
      step(taskId, { ...ONCE, forEach: "input.list", dependsOn: [], parameters: { do: `${taskId}${"${{ item }}"}` } });
    const source = await w.start(workflow([list("a"), list("b")]), { data: { list: [0, 1] } });
    for (const attempt of w.sent.splice(0)) {
      const { do: name } = JSON.parse(attempt.parameters) as { do: string };
      if (["a0", "b1"].includes(name)) await w.complete(attempt);
    }
    await w.store.sessions.cancel(source.id, "for now");
    const { id } = await fork(w, source.id);
    assert.deepEqual((await work(w)).sort(), ["a1", "b0"]);
    assert.equal((await w.getSession(id)).status, "completed");
  });

  on("a list that was taken over whole is read from where its items are", async (w) => {
    await workers(w);
    const first = step("first", { forEach: ["o"], parameters: { do: "${{ item }}" } });
    const each = step("each", { ...ONCE, forEach: ["p", "q"], concurrency: 1, parameters: { do: "${{ item }}" } });
    const all = { one: "${{ steps.first.results }}", two: "${{ steps.each.results }}" };
    const last = named("last", { parameters: { do: "last", ...all } });
    const source = await w.start(workflow([first, each, last]));
    await work(w, "q");
    const second = await fork(w, source.id);
    assert.deepEqual(await work(w, "last"), ["q", "last"]);
    await fork(w, second.id);
    assert.deepEqual(await workOff(w), [{ do: "last", one: [{ did: "o" }], two: [{ did: "p" }, { did: "q" }] }]);
  });

  on("of a list of sessions those that completed are taken over, and the others start anew", async (w) => {
    await workers(w);
    await apply(w, workflow([named("inner", { parameters: { do: "${{ input }}" } })], { id: "child", input: {} }));
    const each = (taskId: string, forEach: JsonValue) => ({
      taskId,
      forEach,
      workflow: { id: "child", input: "${{ item }}" },
    });
    const lists = [each("first", ["o"]), each("each", "input.list")];
    const document = workflow(lists, { output: "${{ steps.each.results }}" });
    await w.start(document, { data: { list: ["r", "s", "t"] } });
    await work(w, "t");
    const source = await w.start(document, { data: { list: ["p", "q"] } });
    await work(w, "q");
    const retried = await fork(w, source.id);
    assert.deepEqual(await work(w), ["q"]);
    assert.deepEqual(await end(w, retried.id), ["completed", [{ did: "p" }, { did: "q" }]]);
    const { items } = await w.store.sessions.list({ limit: 5 }, { parent: retried.id });
    assert.equal(items.length, 1);
  });

  on("a session within another that failed is started anew, and what it gave before is read", async (w) => {
    await workers(w);
    await apply(w, workflow([named("one"), named("two")], { id: "child", input: {} }));
    const call = (taskId: string) => ({ taskId, workflow: { id: "child" } });
    const source = await w.start(workflow([call("x"), named("mid"), call("y")]));
    for (const failing of [[], []]) await work(w, ...failing);
    assert.equal((await w.getSession(source.id)).status, "completed");
    const again = await fork(w, source.id, { from: 2 });
    assert.deepEqual(await work(w, "two"), ["one", "two"]);
    assert.deepEqual((await end(w, again.id))[1], "child_failed");
    const retried = await fork(w, again.id);
    assert.deepEqual(await work(w), ["one", "two"]);
    assert.equal((await w.getSession(retried.id)).status, "completed");
    const [first] = await w.store.sessions.steps(retried.id);
    const [original] = await w.store.sessions.steps(source.id);
    assert.deepEqual([first?.childId, first?.source], [original?.childId, source.id]);
  });

  on("failures that were allowed, skips and decisions are taken over as they were", async (w) => {
    await workers(w);
    const document = workflow(
      [
        named("soft", { onFailure: "continue" }),
        named("not", { when: "false || input == 2" }),
        { taskId: "ok", approval: { message: "Go?", onReject: { taskId: "instead" } } },
        named("then"),
        named("instead"),
      ],
      { output: ["${{ steps.soft.error.code }}", "${{ steps.not.status }}", "${{ steps.ok.status }}"] },
    );
    const source = await w.start(document, { data: 1 });
    await work(w, "soft");
    await decide(w, source.id, false);
    await work(w, "instead");
    assert.equal((await w.getSession(source.id)).status, "failed");
    const retried = await fork(w, source.id);
    assert.deepEqual(await work(w), ["instead"]);
    assert.deepEqual(await statuses(w, retried.id), ["failed", "skipped", "failed", "skipped", "completed"]);
    assert.deepEqual(await end(w, retried.id), ["completed", ["rejected", "skipped", "failed"]]);
    assert.deepEqual((await w.getSession(retried.id)).failedSteps, ["soft"]);
  });

  on("a step that stood in for another still does; where both failed, both begin anew", async (w) => {
    await workers(w);
    const document = workflow(
      [named("a", { fallback: { taskId: "b" } }), named("b"), named("c", { fallback: { taskId: "d" } }), named("d")],
      { output: ["${{ steps.a.result.did }}", "${{ steps.c.result.did }}"] },
    );
    const source = await w.start(document);
    assert.deepEqual(await work(w, "a", "c", "d"), ["a", "b", "c", "d"]);
    const retried = await fork(w, source.id);
    assert.deepEqual(await work(w), ["c"]);
    assert.deepEqual(await end(w, retried.id), ["completed", ["b", "c"]]);
    assert.deepEqual(await statuses(w, retried.id), ["completed", "completed", "completed", "skipped"]);
  });

  on("what was undone is done again, and only what a session did itself is undone by it", async (w) => {
    await workers(w);
    const last = named("c");
    const document = workflow([undoable("a"), named("b"), undoable("u"), last], { onFailure: "compensate" });
    const source = await w.start(document);
    assert.deepEqual(await work(w, "c"), ["a", "b", "u", "c", undefined, undefined]);
    const retried = await fork(w, source.id);
    assert.deepEqual(await work(w), ["a", "b", "u", "c"]);
    const again = await fork(w, retried.id, { from: 2 });
    assert.deepEqual(await workOff(w, ({ do: name }) => (name === "c" ? FAILS : "new")), [
      { do: "u" },
      { do: "c" },
      { undo: "u", was: "new" },
    ]);
    assert.equal((await w.getSession(again.id)).compensation, "complete");
    assert.deepEqual(await statuses(w, again.id), ["completed", "completed", "compensated", "failed"]);
    const events = await w.store.events.list(0, 1_000, again.id);
    assert.deepEqual(events.find(({ type }) => type === "session.compensating")?.data, {
      steps: 1,
      uncertain: 0,
      taken: 1,
    });
  });

  on("a fork whose steps are all done has ended at once", async (w) => {
    await workers(w);
    const source = await w.start(workflow([named("a"), named("b", { when: "input == 1" })]), { data: 1 });
    await work(w);
    const forked = await fork(w, source.id, { from: 1, input: "2" });
    assert.deepEqual(await statuses(w, forked.id), ["completed", "skipped"]);
    assert.equal((await w.getSession(forked.id)).status, "completed");
  });
};
