import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import { SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { workflow } from "./test-definitions.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { failed, need, senderOf, succeeded, type World } from "./test-world.ts";

const POST = { kind: "tool", tool: "post" } as const;

/** Tools: called for tasks with the guarantees of agents. */
export const toolsSuite: Suite = (on) => {
  calls(on);
  capacity(on);
  endpoints(on);
};

function call(taskId: string, rest: JsonObject = {}): JsonObject {
  return { taskId, tool: "post", ...rest };
}

function answer(w: World, attempt: ClaimedAttempt, result: JsonObject | string = "done") {
  return w.observe(attempt, succeeded(result, "answer"));
}

async function why(w: World, taskId: string): Promise<string | undefined> {
  return (await w.store.tasks.why(taskId))?.reason;
}

function calls(on: Declare): void {
  on("a step's tool is called with its parameters, and its answer is the step's result", async (w) => {
    await w.tool("post", { endpoint: "http://post.test/hook" });
    const { id } = await w.start(workflow([call("a", { parameters: { text: "hi" } }), call("b")]));
    const sent = w.takeCall();
    assert.partialDeepStrictEqual(sent, {
      ...{ tool: "post", agentId: null, agentName: null, endpoint: "http://post.test/hook", announced: false },
      ...{ attempt: 1, send: 1, parameters: '{"text":"hi"}', capability: null },
    });
    assert.equal(await why(w, sent.taskId), "tool_called");
    assert.equal((await w.getTask(sent.taskId)).agentId, null);
    assert.deepEqual(await answer(w, sent, { ts: 7 }), { type: "accepted", taskStatus: "completed" });
    assert.deepEqual(JSON.parse((await w.getTask(sent.taskId)).result ?? ""), { ts: 7 });
    await answer(w, w.takeCall());
    assert.deepEqual([(await w.getSession(id)).status, (await w.getSession(id)).result], ["completed", '"done"']);
  });

  on("attempts and events name the tool, and no agent", async (w) => {
    await w.tool("post");
    const { id } = await w.task({ requirement: POST });
    await answer(w, w.takeCall());
    const { agentId, tool, status, evidence } = await w.attempt(id, 1);
    assert.deepEqual([agentId, tool, status, evidence], [null, "post", "succeeded", "answer"]);
    const facts = (await w.store.events.list(0, 100, id)).filter(({ type }) => type.startsWith("attempt."));
    assert.deepEqual(
      facts.map(({ type, data }) => [type, data]),
      [
        ["attempt.created", { taskId: id, number: 1, agentId: null, tool: "post" }],
        ["attempt.succeeded", { taskId: id, number: 1, agentId: null, tool: "post", evidence: "answer" }],
      ],
    );
  });

  on("a call lasts 15 s, unless its step says otherwise", async (w) => {
    await w.tool("post");
    await w.start(workflow([call("a")]));
    await w.start(workflow([call("a", { timeout: "90s" })], { version: "2" }));
    assert.deepEqual(
      w.sent.map(({ createdAt, timeoutAt }) => timeoutAt - createdAt),
      [15 * SECOND, 90 * SECOND],
    );
    w.sent.length = 0;
  });

  on("a failed call is made again by the step's policy, under a fresh token", async (w) => {
    await w.tool("post");
    const retry = { maxAttempts: 2, initialDelay: "1s", jitter: "none" };
    const { id } = await w.start(workflow([call("a", { retry })]));
    const first = w.takeCall();
    await w.observe(first, failed("unavailable"));
    await w.wait(SECOND);
    const second = w.takeCall();
    assert.deepEqual([second.taskId, second.attempt], [first.taskId, 2]);
    assert.notEqual(second.token, first.token);
    await w.observe(second, failed("agent_error", "answer"));
    assert.deepEqual([(await w.getSession(id)).status, (await w.getTask(first.taskId)).deadLetter], ["failed", true]);
    assert.equal((await w.attempt(first.taskId, 1)).tool, "post");
  });

  on("a step's schema judges what its tool answers", async (w) => {
    await w.tool("post");
    const output = { schema: { type: "object", required: ["id"] } };
    const { id } = await w.start(workflow([call("a", { output, retry: { maxAttempts: 1 } })]));
    await answer(w, w.takeCall(), { no: "id" });
    assert.equal((await w.getSession(id)).error?.code, "output_invalid");
  });

  on("what a tool did is undone by a tool", async (w) => {
    await w.tool("post");
    await w.tool("delete");
    const compensate = { tool: "delete", parameters: { id: "${{ steps.a.result.id }}" } };
    const tasks = [call("a", { compensate }), call("b", { retry: { maxAttempts: 1 } })];
    const { id } = await w.start(workflow(tasks, { onFailure: "compensate" }));
    await answer(w, w.takeCall(), { id: 5 });
    await w.observe(w.takeCall(), failed("rejected"));
    const undo = w.takeCall();
    assert.deepEqual([undo.tool, undo.parameters], ["delete", '{"id":5}']);
    await answer(w, undo);
    const session = await w.getSession(id);
    assert.deepEqual([session.status, session.compensation], ["failed", "complete"]);
  });

  on("hole 8: after a crash the same call is made again, by the next process alone", async (w) => {
    await w.tool("post");
    const { id } = await w.task({ requirement: POST });
    const before = w.takeCall();
    await w.crash();
    const [again] = await w.store.attempts.adopt(10);
    assert.partialDeepStrictEqual(again, { taskId: id, attempt: 1, token: before.token, send: 2, tool: "post" });
    assert.equal((await answer(w, before)).type, "stale");
    assert.equal((await answer(w, need(again, "call"))).type, "accepted");
    assert.deepEqual(await w.store.attempts.adopt(10), []);
  });

  on("a call that broke is made again under the same token, until its end", async (w) => {
    await w.tool("post");
    const { id } = await w.task({ requirement: POST });
    const first = w.takeCall();
    await w.store.attempts.broken(senderOf(first), "reset");
    assert.match((await w.store.tasks.why(id))?.message ?? "", /Tool `post` is being called, .* The last send got no/);
    await w.wait(SECOND);
    const second = w.takeCall();
    assert.deepEqual([second.token, second.attempt, second.send], [first.token, 1, 2]);
    await w.wait(14 * SECOND);
    assert.deepEqual((await w.attempt(id, 1)).error?.message, "The tool gave no outcome within the attempt's timeout.");
  });
}

function capacity(on: Declare): void {
  on("no more calls of a tool run at once than it takes; the others follow in their order", async (w) => {
    await w.tool("post", { maxConcurrency: 2 });
    const parameters = { n: "${{ item }}" };
    await w.start(workflow([call("a", { forEach: "input", parameters })]), { data: [0, 1, 2, 3] });
    const order: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      assert.ok(w.sent.length <= 2);
      const sent = w.takeCall();
      order.push(sent.parameters);
      await answer(w, sent);
      await w.dispatch();
    }
    assert.deepEqual(order, ['{"n":0}', '{"n":1}', '{"n":2}', '{"n":3}']);
  });

  on("what waits for a busy tool says so, with the oldest of its calls", async (w) => {
    await w.tool("post", { maxConcurrency: 2 });
    const first = await w.task({ requirement: POST });
    w.clock.advance(SECOND);
    await w.task({ requirement: POST });
    const { id } = await w.task({ requirement: POST });
    await w.dispatch();
    const { blocked } = await w.getTask(id);
    assert.equal(blocked?.reason, "tool_busy");
    assert.match(blocked.message, new RegExp(`^Tool \`post\` takes 2 calls at once, .* for ${first.id} since 2`));
    assert.equal(await why(w, id), "tool_busy");
    const { items } = await w.store.tasks.list({ limit: 5 }, { blockedReason: "tool_busy" });
    assert.deepEqual(
      items.map((task) => task.id),
      [id],
    );
    w.sent.length = 0;
  });

  on("a call that ran out of time keeps its slot as long again: the tool may still be at it", async (w) => {
    await w.tool("post", { maxConcurrency: 1 });
    await w.tool("other", { maxConcurrency: 1 });
    const once = {
      maxAttempts: 1,
      backoff: "exponential",
      initialDelay: 0,
      maxDelay: 0,
      jitter: "none",
      on: [],
    } as const;
    await w.task({ requirement: POST, retry: once });
    await w.wait(15 * SECOND);
    w.sent.length = 0;
    const { id } = await w.task({ requirement: POST });
    assert.equal(await why(w, id), "tool_draining");
    await w.task({ requirement: { kind: "tool", tool: "other" } });
    assert.equal(w.takeCall().tool, "other");
    await w.wait(15 * SECOND);
    assert.equal(w.takeCall().taskId, id);
  });

  on("a cancelled call is given up at once, and its slot when it would have ended", async (w) => {
    await w.tool("post", { maxConcurrency: 1 });
    const { id } = await w.task({ requirement: POST });
    w.takeCall();
    await w.store.tasks.cancel(id, "no more");
    const next = await w.task({ requirement: POST });
    assert.equal(await why(w, next.id), "tool_draining");
    await w.crash();
    await w.wait(15 * SECOND);
    assert.equal(w.takeCall().taskId, next.id);
  });

  on("what this process cannot send, it does not call", async (w) => {
    await w.tool("post");
    w.capacity = 0;
    const { id } = await w.task({ requirement: POST });
    assert.equal(await w.dispatch(), 0);
    assert.equal((await w.getTask(id)).status, "pending");
    w.capacity = 1;
    assert.equal(await w.dispatch(), 1);
    assert.equal(w.takeCall().taskId, id);
  });
}

function endpoints(on: Declare): void {
  on("hole 24: after five failures of its endpoint a tool is tried by one call at a time", async (w) => {
    await w.tool("post", { endpoint: "http://shared.test/" });
    const agentId = await w.agent("agent", { endpoint: "http://shared.test/" });
    const patient = { requirement: POST, retry: { ...STEP_RETRY, maxAttempts: 1 } };
    for (let i = 0; i < 5; i += 1) {
      await w.task(patient);
      await w.observe(w.takeCall(), failed("unavailable"));
    }
    const waiting = [await w.task({ requirement: POST }), await w.task({ requirement: POST })];
    assert.equal(await why(w, need(waiting[0], "task").id), "circuit_open");
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "circuit_open");
    await w.crash();
    assert.equal(await w.dispatch(), 0);
    await w.wait(5 * SECOND);
    assert.equal(w.sent.length, 1, "a single probe");
    await answer(w, w.takeCall());
    assert.equal(await w.store.agents.blocked(agentId), null);
    await w.dispatch();
    await answer(w, w.takeCall());
  });

  on("a tool that is still at an earlier send is asked again, and its endpoint is not held to fail", async (w) => {
    await w.tool("post", { maxConcurrency: 20 });
    for (let i = 0; i < 6; i += 1) await w.task({ requirement: POST });
    for (const sent of w.sent.splice(0)) await w.store.attempts.broken(senderOf(sent), "409", true);
    const { id } = await w.task({ requirement: POST });
    assert.equal(w.takeCall().taskId, id);
    await w.wait(SECOND);
    assert.deepEqual(
      w.sent.map(({ send }) => send),
      [2, 2, 2, 2, 2, 2],
    );
    for (const sent of w.sent.splice(0, 5)) await w.store.attempts.broken(senderOf(sent), "reset");
    assert.equal(await why(w, (await w.task({ requirement: POST })).id), "circuit_open");
    w.sent.length = 0;
  });

  on("a call of which nothing left uses no attempt", async (w) => {
    await w.tool("post");
    const { id } = await w.task({ requirement: POST });
    await w.store.attempts.undelivered(senderOf(w.takeCall()), "refused");
    assert.deepEqual([(await w.getTask(id)).used, (await w.attempt(id, 1)).counted], [0, false]);
    await w.wait(SECOND);
    await answer(w, w.takeCall());
  });
}
