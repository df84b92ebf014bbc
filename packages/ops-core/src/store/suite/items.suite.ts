import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import { SECOND } from "../../domain/clock.ts";
import { ITEMS_MAX } from "../../domain/workflows/limits.ts";
import { step, workflow } from "./test-definitions.ts";
import { apply, end, errorOf, FAILS, ONCE, restart, statuses, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import type { World } from "./test-world.ts";

const EACH: JsonObject = { forEach: "input.list", parameters: { n: "${{ item }}", i: "${{ index }}" } };
const OUTPUT: JsonObject = {
  output: {
    results: "${{ steps.each.results }}",
    errors: "${{ steps.each.errors }}",
    result: "${{ steps.each.result }}",
  },
};

async function startEach(w: World, list: unknown[], rest: JsonObject = {}, session: JsonObject = {}) {
  const definition = workflow([step("each", { ...EACH, ...rest })], { ...OUTPUT, ...session });
  return (await w.start(definition, { data: { list: list as number[] } })).id;
}

/** The numbers of the items that have a task, in the order in which they began. */
async function parts(w: World, sessionId: string): Promise<number[]> {
  const { items } = await w.store.tasks.list({ limit: 200 }, { session: sessionId });
  return items.map(({ parameters }) => (JSON.parse(parameters) as { i: number }).i).sort((a, b) => a - b);
}

/** One run per item of a list. */
export const itemsSuite: Suite = (on) => {
  on(
    "each item is a task of its own, no more of them open than allowed, and results keep the list's order",
    async (w) => {
      await workers(w);
      const id = await startEach(w, [5, 6, 7], { concurrency: 2 });
      assert.equal(w.sent.length, 2);
      const [first, second] = [w.take(), w.take()];
      await w.complete(second, "second");
      const third = w.take();
      assert.deepEqual(JSON.parse(third.parameters), { n: 7, i: 2 });
      const [each] = await w.store.sessions.steps(id);
      assert.deepEqual([each?.status, each?.items], ["running", { total: 3, begun: 3, open: 2, failed: 0 }]);
      await w.complete(third, "third");
      await w.complete(first, "first");
      const list = ["first", "second", "third"];
      assert.deepEqual(await end(w, id), ["completed", { results: list, errors: [null, null, null], result: list }]);
      const types = await w.types(id);
      assert.deepEqual(
        ["step.started", "step.completed"].map((type) => types.filter((each) => each === type).length),
        [1, 1],
      );
    },
  );

  on("ten items are under way at once unless the step says otherwise", async (w) => {
    await workers(w);
    const id = await startEach(w, [...Array(25).keys()]);
    assert.equal(w.sent.length, 10);
    await workOff(w);
    assert.deepEqual(await parts(w, id), [...Array(25).keys()]);
  });

  on("an empty list completes its step with an empty list", async (w) => {
    await workers(w);
    const id = await startEach(w, []);
    assert.deepEqual(await end(w, id), ["completed", { results: [], errors: [], result: [] }]);
    assert.equal(w.sent.length, 0);
  });

  on("a list may be written as one, with expressions in its items", async (w) => {
    await workers(w);
    const each = step("each", {
      forEach: [1, "${{ input.two }}", { three: "${{ 1 + 2 }}" }],
      parameters: { n: "${{ item }}" },
    });
    await w.start(workflow([each]), { data: { two: 2 } });
    assert.deepEqual(await workOff(w), [{ n: 1 }, { n: 2 }, { n: { three: 3 } }]);
  });

  on("hole 6: the list is evaluated once: what it was made of may change, and processes may go and come", async (w) => {
    await workers(w);
    const each = step("each", {
      forEach: "['first', session.labels.who]",
      concurrency: 1,
      parameters: { n: "${{ item }}" },
    });
    const { id } = await w.start(workflow([each]), { labels: { who: "me" } });
    const first = w.take();
    await w.store.sessions.label(id, { who: "you" });
    await restart(w);
    await w.complete(first);
    assert.deepEqual(await workOff(w), [{ n: "me" }]);
  });

  on("hole 6: a list too long is refused with its length", async (w) => {
    const id = await startEach(w, Array(ITEMS_MAX + 1).fill(0));
    assert.deepEqual(await errorOf(w, id, 0), [
      "too_many_items",
      `forEach: yields ${ITEMS_MAX + 1} items, at most ${ITEMS_MAX} are allowed`,
    ]);
  });

  on("hole 5: an item is one task, whatever happens around it", async (w) => {
    await workers(w);
    const id = await startEach(w, [...Array(12).keys()], {
      concurrency: 3,
      retry: { initialDelay: "0s", maxDelay: "0s" },
    });
    let turn = 0;
    while ((await end(w, id))[0] !== "completed") {
      turn += 1;
      if (turn % 3 === 0) {
        await w.crash();
        await w.store.attempts.adopt(100);
      }
      await w.dispatch();
      const sent = w.sent.splice(0, 2);
      for (const each of sent) await (turn % 4 === 1 ? w.fail(each) : w.complete(each, each.attempt));
      // What was said is said again.
      for (const each of sent) await w.complete(each, "again").catch(() => undefined);
    }
    assert.deepEqual(await parts(w, id), [...Array(12).keys()]);
  });

  on("an item that fails for good stops new ones; those under way end, and then the step fails of it", async (w) => {
    await workers(w);
    const id = await startEach(w, [0, 1, 2, 3], { concurrency: 2, onFailure: "continue", ...ONCE });
    const [zero, one] = [w.take(), w.take()];
    await w.fail(one);
    assert.equal(w.sent.length, 0);
    assert.deepEqual(await statuses(w, id), ["running"]);
    await w.complete(zero, "kept");
    assert.deepEqual(await statuses(w, id), ["failed"]);
    assert.deepEqual(await errorOf(w, id, 0), ["agent_error", "item 1: It failed: agent_error."]);
    const error = { code: "agent_error", message: "It failed: agent_error." };
    const results = ["kept", null, null, null];
    assert.deepEqual(await end(w, id), ["completed", { results, errors: [null, error, null, null], result: null }]);
    assert.deepEqual(await parts(w, id), [0, 1]);
  });

  on("collect: failures leave null in the results and their errors beside, and all items run", async (w) => {
    await workers(w);
    const id = await startEach(w, [0, 1, 2], { onItemError: "collect", ...ONCE });
    await workOff(w, ({ i }) => (i === 1 ? FAILS : `did ${String(i)}`));
    const error = { code: "rejected", message: "It failed: rejected.", retryable: false };
    const results = ["did 0", null, "did 2"];
    assert.deepEqual(await end(w, id), ["completed", { results, errors: [null, error, null], result: results }]);
    assert.deepEqual((await w.getSession(id)).failedSteps, []);
  });

  on("a failure belongs to its item, its list and its session, and to no other", async (w) => {
    await workers(w);
    const list = (taskId: string) =>
      step(taskId, {
        forEach: "input.list",
        onItemError: "collect",
        dependsOn: [],
        parameters: { n: taskId },
        ...ONCE,
      });
    const definition = workflow([list("one"), list("two")], {
      output: ["${{ steps.one.errors }}", "${{ steps.two.errors }}"],
    });
    const sessions = [
      await w.start(definition, { data: { list: [0] } }),
      await w.start(definition, { data: { list: [0] } }),
    ];
    await w.fail(w.take(), "rejected");
    await workOff(w);
    const [failed, fine] = await Promise.all(sessions.map(async ({ id }) => (await end(w, id))[1]));
    const error = { code: "rejected", message: "It failed: rejected.", retryable: false };
    assert.deepEqual(
      [failed, fine],
      [
        [[error], [null]],
        [[null], [null]],
      ],
    );
  });

  on("an item that cannot even begin is an item that failed", async (w) => {
    await workers(w);
    const rest = { parameters: { n: "${{ item.n }}", i: "${{ index }}" }, onItemError: "collect", concurrency: 1 };
    const id = await startEach(w, [{ n: 1 }, {}, { n: 3 }], rest);
    await workOff(w, ({ n }) => n ?? null);
    const [status, value] = await end(w, id);
    const { results, errors } = value as { results: unknown[]; errors: { code: string; message: string }[] };
    assert.deepEqual([status, results], ["completed", [1, null, 3]]);
    assert.deepEqual([errors[0], errors[1]?.code, errors[2]], [null, "expression_failed", null]);
    assert.match(errors[1]?.message ?? "", /^parameters\.n: /);
  });

  on("each item has attempts, a deadline and a fallback of its own", async (w) => {
    await workers(w);
    await w.agent("cheap", { capabilities: ["cheap"], maxConcurrency: 9 });
    const retry = { maxAttempts: 2, initialDelay: "0s", maxDelay: "0s" };
    const id = await startEach(w, [0, 1], { retry, fallback: { agentCapability: "cheap" } });
    const tries: string[] = [];
    for (let sent = w.sent.shift(); sent !== undefined; sent = w.sent.shift()) {
      tries.push(sent.agentName ?? "");
      await (sent.agentName === "cheap" ? w.complete(sent, 1) : w.fail(sent));
      await w.dispatch();
    }
    assert.deepEqual(tries.toSorted(), ["cheap", "cheap", "worker", "worker", "worker", "worker"]);
    assert.equal((await end(w, id))[0], "completed");
  });

  on("a result that breaks the step's schema fails its item's attempt, not the list", async (w) => {
    await workers(w);
    const id = await startEach(w, [0, 1], { output: { schema: { type: "number" } }, onItemError: "collect", ...ONCE });
    await workOff(w, ({ i }) => (i === 0 ? "no number" : 1));
    const [, value] = await end(w, id);
    const { results, errors } = value as { results: unknown[]; errors: ({ code: string } | null)[] };
    assert.deepEqual(
      [results, errors.map((error) => error?.code)],
      [
        [null, 1],
        ["output_invalid", undefined],
      ],
    );
  });

  on(
    "when the session fails elsewhere a list begins no new items, and ends cancelled with its open ones",
    async (w) => {
      await workers(w);
      const each = step("each", { forEach: [0, 1, 2], concurrency: 1, dependsOn: [] });
      const { id } = await w.start(workflow([step("bad", { dependsOn: [], ...ONCE }), each]));
      const [bad, zero] = [w.take(), w.take()];
      await w.fail(bad);
      assert.deepEqual(await statuses(w, id), ["failed", "running"]);
      await w.complete(zero);
      assert.deepEqual([await statuses(w, id), w.sent.length], [["failed", "cancelled"], 0]);
      assert.equal((await end(w, id))[0], "failed");
    },
  );

  on("a list whose last item ends after the session has failed is complete", async (w) => {
    await workers(w);
    const each = step("each", { forEach: [0], dependsOn: [] });
    const { id } = await w.start(workflow([step("bad", { dependsOn: [], ...ONCE }), each]));
    await w.fail(w.take());
    await w.complete(w.take());
    assert.deepEqual(await statuses(w, id), ["failed", "completed"]);
  });

  on("a cancel ends all items that are under way, and no other begins", async (w) => {
    await workers(w);
    const id = await startEach(w, [0, 1, 2], { concurrency: 2 });
    await w.store.sessions.cancel(id, "enough");
    const { items } = await w.store.tasks.list({ limit: 9 }, { session: id });
    assert.deepEqual(
      items.map(({ status }) => status),
      ["cancelled", "cancelled"],
    );
    assert.deepEqual(await statuses(w, id), ["cancelled"]);
  });

  on("items that wait for an agent are claimed in order", async (w) => {
    const id = await startEach(w, [0, 1, 2], { concurrency: 3 });
    await w.agent("worker", { capabilities: ["work"] });
    assert.deepEqual(
      (await workOff(w)).map(({ i }) => i),
      [0, 1, 2],
    );
    assert.equal((await end(w, id))[0], "completed");
  });

  on("each item may be a session of its own", async (w) => {
    await workers(w);
    await apply(w, workflow([step("inner", { parameters: { n: "${{ input.n }}" } })], { id: "child", input: {} }));
    const call = {
      taskId: "each",
      forEach: [1, 2, 3],
      concurrency: 2,
      workflow: { id: "child", input: { n: "${{ item }}" } },
    };
    const { id } = await w.start(workflow([{ ...call, onItemError: "collect" }], OUTPUT));
    assert.equal(w.sent.length, 2);
    await workOff(w, ({ n }) => (n === 2 ? FAILS : { n: n ?? null }));
    const [status, value] = await end(w, id);
    const { results, errors } = value as { results: unknown[]; errors: ({ code: string } | null)[] };
    assert.deepEqual([status, results], ["completed", [{ n: 1 }, null, { n: 3 }]]);
    assert.deepEqual(
      errors.map((error) => error?.code),
      [undefined, "child_failed", undefined],
    );
    assert.equal((await w.store.sessions.list({ limit: 9 }, { parent: id })).items.length, 3);
  });

  on("an item whose session answers what the step refuses is an item that failed", async (w) => {
    await workers(w);
    await apply(w, workflow([step("inner", { parameters: { n: "${{ input }}" } })], { id: "child", input: {} }));
    const call = { workflow: { id: "child", input: "${{ item }}" }, output: { schema: { type: "number" } } };
    const each = { taskId: "each", forEach: [1, 2], onItemError: "collect", ...call };
    const { id } = await w.start(workflow([each], OUTPUT));
    await workOff(w, ({ n }) => (n === 1 ? "one" : 2));
    const [, value] = await end(w, id);
    const { results, errors } = value as { results: unknown[]; errors: ({ code: string } | null)[] };
    assert.deepEqual(
      [results, errors.map((error) => error?.code)],
      [
        [null, 2],
        ["output_invalid", undefined],
      ],
    );
  });

  on("a delay of one item holds up no other", async (w) => {
    await workers(w);
    const retry = { initialDelay: "10s", backoff: "fixed", jitter: "none" };
    const id = await startEach(w, [0, 1, 2], { concurrency: 1, retry });
    await w.fail(w.take());
    assert.equal(w.sent.length, 0, "it is still open");
    await w.wait(10 * SECOND);
    await workOff(w);
    assert.equal((await end(w, id))[0], "completed");
  });
};
