import assert from "node:assert/strict";
import { stringifyJson } from "@opspawn/contract";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { step, workflow } from "./test-definitions.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, senderOf, succeeded, type World, withCode } from "./test-world.ts";

const POST = { kind: "tool", tool: "post" } as const;

/** Tools come, change and go while work wants them, and nobody is taken for one. */
export const toolRegistrySuite: Suite = (on) => {
  registration(on);
  impostors(on);
};

function answer(w: World, attempt: ClaimedAttempt, result = "done") {
  return w.observe(attempt, succeeded(result, "answer"));
}

async function why(w: World, taskId: string): Promise<string | undefined> {
  return (await w.store.tasks.why(taskId))?.reason;
}

function registration(on: Declare): void {
  on("work for a tool that is not there waits for it, and says which there are", async (w) => {
    await w.tool("port");
    const { id } = await w.task({ requirement: POST });
    await w.dispatch();
    const { blocked } = await w.getTask(id);
    assert.equal(blocked?.reason, "no_such_tool");
    assert.equal(blocked.message, "No tool is registered as `post`. The nearest: `port`.");
    await w.tool("post");
    assert.ok(w.hints.at(-1)?.lanes.has("tool:post"));
    await w.dispatch();
    assert.equal(w.takeCall().taskId, id);
  });

  on("work for a tool that never comes ends with its deadline", async (w) => {
    const { id } = await w.task({ requirement: POST, deadline: 3 * SECOND });
    await w.wait(3 * SECOND);
    const task = await w.getTask(id);
    assert.deepEqual([task.status, task.error?.code, task.deadLetter], ["failed", "deadline_exceeded", true]);
  });

  on("a tool that is removed is called no more; what it is called for ends as it does", async (w) => {
    await w.tool("post", { maxConcurrency: 1 });
    const first = await w.task({ requirement: POST });
    const second = await w.task({ requirement: POST });
    const sent = w.takeCall();
    await w.store.tools.remove("post");
    await w.dispatch();
    assert.equal((await w.getTask(second.id)).blocked?.reason, "no_such_tool");
    // One of its name has the slots of the calls that are still under way.
    await w.tool("post", { maxConcurrency: 1 });
    assert.equal(await w.dispatch(), 0);
    assert.equal(await why(w, second.id), "tool_busy");
    await w.store.tools.remove("post");
    await answer(w, sent);
    assert.equal((await w.getTask(first.id)).status, "completed");
    await w.tool("post", { maxConcurrency: 1 });
    await w.dispatch();
    assert.equal(w.takeCall().taskId, second.id);
  });

  on("a call of a tool that is gone cannot be made again: it runs out of time, and its task waits", async (w) => {
    await w.tool("post");
    const { id } = await w.task({ requirement: POST });
    await w.store.attempts.broken(senderOf(w.takeCall()), "reset");
    await w.store.tools.remove("post");
    await w.crash();
    assert.deepEqual(await w.store.attempts.adopt(10), []);
    await w.wait(MINUTE);
    assert.equal((await w.attempt(id, 1)).status, "timed_out");
    assert.equal(await why(w, id), "no_such_tool");
  });

  on("a call that breaks, or never left, after its tool is gone is held against nobody", async (w) => {
    await w.tool("post");
    const tasks = [await w.task({ requirement: POST }), await w.task({ requirement: POST })];
    const [one, two] = [w.takeCall(), w.takeCall()];
    await w.store.tools.remove("post");
    await w.store.attempts.broken(senderOf(one), "reset");
    await w.store.attempts.undelivered(senderOf(two), "refused");
    const found = await Promise.all(tasks.map(({ id }) => w.getTask(id)));
    assert.deepEqual(
      found.map(({ status, used }) => [status, used]),
      [
        ["running", 0],
        ["pending", 0],
      ],
    );
  });

  on("the slots of calls that were given up go with their tool, and with no other", async (w) => {
    const other = { kind: "tool", tool: "other" } as const;
    for (const name of ["post", "other"]) await w.tool(name, { maxConcurrency: 1 });
    for (const requirement of [POST, other]) await w.store.tasks.cancel((await w.task({ requirement })).id, "no more");
    w.sent.length = 0;
    await w.store.tools.remove("post");
    await w.tool("post", { maxConcurrency: 1 });
    const free = await w.task({ requirement: POST });
    assert.equal(w.takeCall().taskId, free.id);
    assert.equal(await why(w, (await w.task({ requirement: other })).id), "tool_draining");
  });

  on("a tool that is replaced goes on at its new endpoint, with the calls under way", async (w) => {
    await w.tool("post", { maxConcurrency: 2 });
    const tasks = [await w.task({ requirement: POST }), await w.task({ requirement: POST })];
    const waiting = await w.task({ requirement: POST });
    const [first, second] = [w.takeCall(), w.takeCall()];
    const fresh = w.toolOf("post", { endpoint: "http://new.test/", maxConcurrency: 1, description: "New" });
    await w.store.tools.replace(fresh);
    assert.deepEqual(await w.store.tools.get("post"), fresh);
    await w.store.attempts.broken(senderOf(first), "reset");
    await w.wait(SECOND);
    assert.deepEqual([w.sent[0]?.endpoint, w.sent[0]?.send], ["http://new.test/", 2]);
    await answer(w, w.takeCall());
    assert.equal(await w.dispatch(), 0, "one call is the most it takes now");
    await answer(w, second);
    await w.dispatch();
    assert.equal(w.takeCall().taskId, waiting.id);
    assert.equal((await w.getTask(need(tasks[0], "task").id)).status, "completed");
  });

  on("a tool that is replaced before there is one is registered, and a refused name changes nothing", async (w) => {
    await w.store.tools.replace(w.toolOf("post"));
    await assert.rejects(w.store.tools.register(w.toolOf("post", { maxConcurrency: 1 })), withCode("tool_name_taken"));
    await w.task({ requirement: POST });
    await w.task({ requirement: POST });
    assert.equal(w.sent.splice(0).length, 2);
  });
}

function impostors(on: Declare): void {
  on("an agent under a tool's name, id or lane is no tool, and has nothing of its work", async (w) => {
    await w.tool("post", { maxConcurrency: 1 });
    const lane = "tool:post";
    const fake = w.registration(lane, { id: lane, capabilities: [lane, "post"], channel: "pull" });
    await w.store.agents.announce(fake);
    const push = w.registration("post", { id: "post", capabilities: [lane] });
    await w.store.agents.announce(push);
    const running = await w.task({ requirement: POST });
    const sent = w.takeCall();
    const waiting = await w.task({ requirement: POST });
    assert.deepEqual(await w.store.agents.claim(lane, 5), []);
    for (const id of [lane, "post"]) {
      assert.equal(await w.slots(id), "0/0");
      for (const state of ["active", "idle", "initializing"]) {
        assert.equal(await w.report(id, state, { taskId: running.id, details: { opscore_task_id: running.id } }), null);
      }
      await w.store.agents.remove(id);
    }
    assert.deepEqual(
      [(await w.getTask(running.id)).status, (await w.getTask(waiting.id)).status],
      ["running", "pending"],
    );
    assert.equal((await answer(w, sent)).type, "accepted");
    await w.dispatch();
    assert.equal(w.takeCall().tool, "post");
  });

  on("a tool is no agent: it is not listed, not found, and takes no messages", async (w) => {
    await w.tool("post");
    assert.deepEqual((await w.store.agents.list({ limit: 5 }, {})).items, []);
    for (const id of ["post", "tool:post"]) {
      assert.equal(await w.store.agents.get(id), null);
      assert.equal(await w.store.agents.getByName(id), null);
      assert.equal(await w.store.agents.blocked(id), null);
      await assert.rejects(w.store.agents.claim(id, 1), withCode("agent_not_found"));
      await assert.rejects(w.report(id, "idle"), withCode("agent_not_found"));
      await assert.rejects(w.store.agents.remove(id), withCode("agent_not_found"));
    }
    const { id } = await w.task({ requirement: { kind: "agentName", agentName: "post" } });
    assert.equal(await why(w, id), "no_such_agent");
  });

  on("only its answer ends a call: whoever has its token has nothing", async (w) => {
    await w.tool("post");
    const { id } = await w.task({ requirement: POST });
    const sent = w.takeCall();
    const { attempts } = w.store;
    await assert.rejects(attempts.settle(id, sent.token, succeeded({ not: "it" })), withCode("lease_lost"));
    await assert.rejects(attempts.extendLease(id, sent.token), withCode("lease_lost"));
    await answer(w, sent, "it");
    await assert.rejects(attempts.settle(id, sent.token, succeeded("it")), withCode("lease_lost"));
    assert.equal((await w.getTask(id)).result, stringifyJson("it"));
  });

  on("steps of agents and of tools go on side by side", async (w) => {
    await w.tool("post");
    await w.agent("worker", { capabilities: ["work"] });
    const { id } = await w.start(
      workflow([step("a"), { taskId: "b", tool: "post", parameters: { was: "${{ steps.a.result }}" } }]),
    );
    await w.complete(w.take(), "A");
    const sent = w.takeCall();
    assert.equal(sent.parameters, '{"was":"A"}');
    await answer(w, sent);
    assert.equal((await w.getSession(id)).status, "completed");
  });
}
