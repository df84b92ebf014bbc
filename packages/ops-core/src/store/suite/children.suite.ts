import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import { HOUR, MINUTE } from "../../domain/clock.ts";
import { CHILD_DEPTH_MAX } from "../../domain/workflows/limits.ts";
import { step, workflow } from "./test-definitions.ts";
import {
  apply,
  decide,
  end,
  errorOf,
  FAILS,
  ONCE,
  pass,
  signal,
  statuses,
  undoable,
  workers,
  workOff,
} from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { need, type World } from "./test-world.ts";

/** A workflow whose one step tells what it was given. */
const ECHO = workflow([step("inner", { parameters: { x: "${{ input.x }}" }, ...ONCE })], { id: "child", input: {} });

function call(rest: JsonObject = {}, child: JsonObject = {}): JsonObject {
  return { taskId: "call", workflow: { id: "child", input: { x: "${{ input.y }}" }, ...child }, ...rest };
}

/** The sessions below a session, oldest first. */
async function below(w: World, id: string) {
  return (await w.store.sessions.list({ limit: 50 }, { parent: id })).items.toReversed();
}

async function childOf(w: World, id: string) {
  return need((await below(w, id)).at(-1), "child");
}

/** A workflow in a workflow in a workflow, each with `inner` as its only step. */
async function applyNested(w: World, inner: JsonObject): Promise<JsonObject> {
  await apply(w, workflow([inner], { id: "inner" }));
  await apply(w, workflow([{ taskId: "call", workflow: { id: "inner" } }], { id: "middle" }));
  return workflow([{ taskId: "call", workflow: { id: "middle" } }]);
}

/** Steps that are sessions of their own. */
export const childrenSuite: Suite = (on) => {
  on("a session that is a step gets its input from the step and gives it its result", async (w) => {
    await workers(w);
    await apply(w, ECHO);
    const { id } = await w.start(workflow([call(), step("next")], { output: "${{ steps.call.result }}" }), {
      data: { y: 4 },
    });
    const child = await childOf(w, id);
    assert.deepEqual([child.parentId, child.workflowId, child.input], [id, "child", '{"x":4}']);
    const [running] = await w.store.sessions.steps(id);
    assert.deepEqual([running?.status, running?.childId, running?.taskId], ["running", child.id, null]);
    await workOff(w, (parameters) => parameters);
    assert.deepEqual(
      [await end(w, child.id), await end(w, id)],
      [
        ["completed", { x: 4 }],
        ["completed", { x: 4 }],
      ],
    );
    assert.deepEqual((await w.types(id)).slice(0, 3), ["session.started", "step.started", "session.child_started"]);
  });

  on("it knows the agent and the labels of the session above it", async (w) => {
    const agentId = await w.agent("path", { capabilities: [] });
    await apply(w, workflow([{ taskId: "inner" }], { id: "child" }));
    const { id } = await w.start(workflow([call({}, { input: null })]), { agentId, labels: { team: "red" } });
    const child = await childOf(w, id);
    assert.deepEqual([child.agentId, child.labels], [agentId, { team: "red" }]);
    assert.equal(w.take().agentId, agentId);
    const { items } = await w.store.sessions.list({ limit: 9 }, { label: { key: "team", value: "red" } });
    assert.equal(items.length, 2);
  });

  on("it runs the version named, else the one applied last when the step begins", async (w) => {
    await workers(w);
    const version = (n: string) =>
      workflow([step("inner", { parameters: { version: n } })], { id: "child", version: n });
    await apply(w, version("1"));
    const open = call({}, { input: null });
    const { id } = await w.start(
      workflow([
        step("first", { parameters: {} }),
        open,
        { ...call({}, { input: null, version: "1" }), taskId: "old" },
      ]),
    );
    w.clock.advance(1);
    await apply(w, version("2"));
    assert.deepEqual(await workOff(w), [{}, { version: "2" }, { version: "1" }]);
    assert.equal((await end(w, id))[0], "completed");
  });

  on("a failure below fails the step, and says of what", async (w) => {
    await workers(w);
    await apply(w, ECHO);
    const { id } = await w.start(workflow([call()]), { data: { y: 4 } });
    await w.fail(w.take());
    const child = await childOf(w, id);
    assert.deepEqual(await end(w, child.id), ["failed", "agent_error"]);
    const message = `Session ${child.id} of workflow \`child\` failed: It failed: agent_error.`;
    assert.deepEqual(
      [await end(w, id), await errorOf(w, id, 0)],
      [
        ["failed", "child_failed"],
        ["child_failed", message],
      ],
    );
  });

  on("a session below that is cancelled by itself fails its step, which may be ignored", async (w) => {
    await workers(w);
    await apply(w, ECHO);
    const next = step("next", { parameters: { how: "${{ steps.call.error.code }}" } });
    const { id } = await w.start(workflow([call({ onFailure: "continue" }), next]), { data: { y: 4 } });
    await w.store.sessions.cancel((await childOf(w, id)).id, "not this one");
    w.sent.shift();
    assert.deepEqual(await workOff(w), [{ how: "child_cancelled" }]);
    assert.deepEqual([(await end(w, id))[0], (await w.getSession(id)).failedSteps], ["completed", ["call"]]);
    assert.match((await errorOf(w, id, 0))[1], /was cancelled: not this one$/);
  });

  on("a failure below goes up through all levels", async (w) => {
    await workers(w);
    const { id } = await w.start(await applyNested(w, step("inner", ONCE)));
    await w.fail(w.take());
    const middle = await childOf(w, id);
    const inner = await childOf(w, middle.id);
    assert.deepEqual(await Promise.all([id, middle.id, inner.id].map((each) => end(w, each))), [
      ["failed", "child_failed"],
      ["failed", "child_failed"],
      ["failed", "agent_error"],
    ]);
  });

  for (const [how, stop, statusThere, statusAbove] of [
    ["a cancel", (w: World, id: string) => w.store.sessions.cancel(id, "enough"), "cancelled", "cancelled"],
    ["a deadline", (w: World) => pass(w, HOUR), "cancelled", "failed"],
  ] as const) {
    on(`${how} reaches every level below: sessions, tasks, decisions and times`, async (w) => {
      await workers(w);
      await apply(w, workflow([step("work")], { id: "works" }));
      await apply(w, workflow([{ taskId: "ask", approval: { message: "Go?" } }], { id: "asks" }));
      await apply(w, workflow([{ taskId: "pause", wait: { for: "9h" } }], { id: "pauses" }));
      const calls = ["works", "asks", "pauses"].map((id) => ({ taskId: id, workflow: { id }, dependsOn: [] }));
      await apply(w, workflow(calls, { id: "middle" }));
      const top = { ...workflow([{ taskId: "call", workflow: { id: "middle" } }]), deadline: "1h" };
      const { id } = await w.start(top);
      const sent = w.take();
      await stop(w, id);
      assert.equal((await w.getSession(id)).status, statusAbove);
      const middle = await childOf(w, id);
      const all = [middle, ...(await below(w, middle.id))];
      assert.deepEqual(
        await Promise.all(all.map(async (each) => (await end(w, each.id))[0])),
        Array(4).fill(statusThere),
      );
      assert.equal((await w.getTask(sent.taskId)).status, "cancelled");
      assert.equal((await w.store.approvals.list({ limit: 9 }, { status: "pending" })).items.length, 0);
      w.clock.advance(20 * HOUR);
      assert.equal((await w.complete(sent)).type, "stale");
      await w.expire();
      assert.equal((await w.getSession(middle.id)).status, statusThere);
    });
  }

  on("invariant 15: a cancel between levels ends what is below, and fails what is above", async (w) => {
    await workers(w);
    const { id } = await w.start(await applyNested(w, step("inner")));
    const middle = await childOf(w, id);
    await w.store.sessions.cancel(middle.id, "enough");
    assert.deepEqual(
      [await end(w, (await childOf(w, middle.id)).id), await end(w, id)],
      [
        ["cancelled", "cancelled"],
        ["failed", "child_cancelled"],
      ],
    );
  });

  on("a result that the step's schema refuses fails the step; the session below has completed", async (w) => {
    await workers(w);
    await apply(w, ECHO);
    const refused = call({ output: { schema: { type: "object", required: ["y"] } } });
    const { id } = await w.start(workflow([refused]), { data: { y: 4 } });
    await workOff(w, (parameters) => parameters);
    assert.deepEqual(
      [(await end(w, (await childOf(w, id)).id))[0], await end(w, id)],
      ["completed", ["failed", "output_invalid"]],
    );
    assert.match((await errorOf(w, id, 0))[1], /output schema: result/);
  });

  on("a session may end as it starts", async (w) => {
    await workers(w);
    await apply(w, workflow([step("never", { when: "false" })], { id: "child", output: "nothing to do" }));
    const { id } = await w.start(
      workflow([call({}, { input: null }), step("next")], { output: "${{ steps.call.result }}" }),
    );
    assert.equal((await childOf(w, id)).status, "completed");
    await workOff(w);
    assert.deepEqual(await end(w, id), ["completed", "nothing to do"]);
    await apply(
      w,
      workflow([step("broken", { parameters: { x: "${{ input.no.such }}" } })], { id: "child", version: "2" }),
    );
    const failing = await w.start(workflow([call({}, { input: null })], { id: "failing" }));
    assert.deepEqual(await end(w, failing.id), ["failed", "child_failed"]);
  });

  on("a workflow that is not known fails the step with what to do", async (w) => {
    const { id } = await w.start(workflow([call({}, { input: null })]));
    assert.deepEqual(await errorOf(w, id, 0), [
      "workflow_not_found",
      "Workflow `child` is not known. Apply it, then start the session again.",
    ]);
    await apply(w, ECHO);
    const other = await w.start(workflow([call({}, { input: null, version: "9" })], { version: "2" }));
    assert.match((await errorOf(w, other.id, 0))[1], /^Workflow `child` version "9" is not known\./);
    assert.deepEqual(await below(w, other.id), []);
  });

  on("input that the workflow refuses, or that cannot be made, fails the step with its place", async (w) => {
    await workers(w);
    const schema = { type: "object", properties: { x: { type: "number" } } };
    await apply(w, { ...ECHO, input: { schema } });
    const wrong = await w.start(workflow([call()]), { data: { y: "four" } });
    assert.deepEqual(await end(w, wrong.id), ["failed", "input_invalid"]);
    assert.match((await errorOf(w, wrong.id, 0))[1], /^workflow\.input\.x: .* \(workflow `child`\)$/);
    const missing = await w.start(workflow([call({}, { input: { x: "${{ input.no.such }}" } })], { version: "2" }), {
      data: {},
    });
    assert.match((await errorOf(w, missing.id, 0))[1], /^workflow\.input\.x: /);
    assert.deepEqual([await end(w, missing.id), w.sent], [["failed", "expression_failed"], []]);
  });

  on("a workflow that needs the agent of the trigger is not started where there is none", async (w) => {
    await apply(w, workflow([{ taskId: "inner" }], { id: "child" }));
    const { id } = await w.start(workflow([call({}, { input: null })]));
    assert.deepEqual(await end(w, id), ["failed", "no_target"]);
  });

  on(`a workflow that starts itself ends after ${CHILD_DEPTH_MAX} levels`, async (w) => {
    const own = workflow([{ taskId: "call", workflow: { id: "own" } }], { id: "own" });
    await apply(w, own);
    const { id } = await w.start(own);
    assert.deepEqual(await end(w, id), ["failed", "child_failed"]);
    const { items } = await w.store.sessions.list({ limit: 50 }, {});
    assert.equal(items.length, CHILD_DEPTH_MAX + 1);
    const deepest = need(
      items.find(({ error }) => error?.code === "nesting_too_deep"),
      "deepest",
    );
    assert.match(
      deepest.error?.message ?? "",
      /A workflow may start others 10 levels deep, and this would be level 11\./,
    );
  });

  on("the step's deadline bounds the session below, and its own does if it is sooner", async (w) => {
    await workers(w);
    await apply(w, { ...ECHO, deadline: "30m" });
    const tasks = [
      call({ deadline: "10m", dependsOn: [] }),
      { ...call({ deadline: "2h", dependsOn: [] }), taskId: "long" },
    ];
    const { id } = await w.start(workflow(tasks, { onFailure: "continue" }), { data: { y: 4 } });
    await pass(w, 10 * MINUTE - 1);
    assert.deepEqual(await statuses(w, id), ["running", "running"]);
    await pass(w, 1);
    assert.deepEqual(await statuses(w, id), ["failed", "running"]);
    assert.match((await errorOf(w, id, 0))[1], / failed: The session's deadline has passed\./);
    await pass(w, 20 * MINUTE);
    assert.deepEqual(await statuses(w, id), ["failed", "failed"]);
  });

  on("a session that fails lets those below run to their end, and begins no other", async (w) => {
    await workers(w);
    await apply(w, workflow([step("one"), step("two")], { id: "child" }));
    const bad = step("bad", { dependsOn: [], ...ONCE });
    const { id } = await w.start(
      workflow([
        bad,
        call({ dependsOn: [] }, { input: null }),
        { ...call({ dependsOn: ["call"] }, { input: null }), taskId: "more" },
      ]),
    );
    await w.fail(w.take());
    assert.equal((await end(w, id))[0], "running");
    await workOff(w);
    assert.deepEqual(
      [await end(w, id), await statuses(w, id)],
      [
        ["failed", "agent_error"],
        ["failed", "completed", "pending"],
      ],
    );
    assert.equal((await below(w, id)).length, 1);
  });

  on("what a session below waits for is decided there, and the one above goes on", async (w) => {
    await workers(w);
    const waits = [
      { taskId: "ask", approval: { message: "Go?" } },
      { taskId: "word", wait: { signal: "go" } },
      { taskId: "pause", wait: { for: "1h" } },
    ];
    await apply(w, workflow(waits, { id: "child", output: "${{ steps.word.result }}" }));
    const { id } = await w.start(workflow([call({}, { input: null })]));
    const child = await childOf(w, id);
    assert.deepEqual([child.status, (await w.getSession(id)).endedAt], ["waiting", null]);
    await decide(w, child.id, true);
    await signal(w, child.id, "go", "gone");
    await w.crash();
    await pass(w, HOUR);
    assert.deepEqual(await end(w, id), ["completed", "gone"]);
  });

  on("two sessions below that end in one batch are both heard of", async (w) => {
    await workers(w);
    await apply(w, ECHO);
    const calls = ["one", "two"].map((taskId) => ({ ...call({ dependsOn: [] }), taskId }));
    const { id } = await w.start(workflow(calls), { data: { y: 1 } });
    const [one, two] = [w.take(), w.take()];
    await Promise.all([w.complete(one, 1), w.complete(two, 2)]);
    assert.deepEqual(await end(w, id), ["completed", { one: 1, two: 2 }]);
  });

  on(
    "an end below, and a cancel above, in one batch: the cancel came first or last, and nothing is left",
    async (w) => {
      await workers(w);
      await apply(w, ECHO);
      for (const order of ["cancel first", "end first"]) {
        const { id } = await w.start(workflow([call(), step("next")], { id: order }), { data: { y: 1 } });
        const sent = w.take();
        const cancel = () => w.store.sessions.cancel(id, "enough");
        await Promise.all(order === "cancel first" ? [cancel(), w.complete(sent)] : [w.complete(sent), cancel()]);
        assert.equal((await end(w, id))[0], "cancelled", order);
        for (const child of await below(w, id)) assert.notEqual(child.endedAt, null);
        w.sent.length = 0;
      }
    },
  );

  on("a session below that undoes what it did is not interrupted by what happens above", async (w) => {
    await workers(w);
    const tasks = [undoable("a"), step("b", ONCE)];
    await apply(w, workflow(tasks, { id: "child", onFailure: "compensate" }));
    const { id } = await w.start(workflow([call({}, { input: null })]));
    await w.complete(w.take(), "A");
    await w.fail(w.take(), "rejected");
    const child = await childOf(w, id);
    assert.equal((await w.getSession(child.id)).compensation, "running");
    await w.store.sessions.cancel(id, "enough");
    assert.equal((await w.getSession(child.id)).compensation, "running");
    await workOff(w);
    assert.deepEqual(
      [(await w.getSession(child.id)).compensation, await end(w, child.id)],
      ["complete", ["failed", "rejected"]],
    );
    assert.deepEqual(await end(w, id), ["cancelled", "cancelled"]);
  });

  on("a failed session below may be stood in for", async (w) => {
    await workers(w);
    await apply(w, ECHO);
    const other = step("other", { parameters: { x: "${{ steps.call.error.code }}" } });
    const { id } = await w.start(
      workflow([call({ fallback: "other" }), other], { output: "${{ steps.call.result }}" }),
      { data: { y: 1 } },
    );
    await workOff(w, ({ x }) => (x === 1 ? FAILS : (x ?? null)));
    assert.deepEqual(await end(w, id), ["completed", "child_failed"]);
  });
};
