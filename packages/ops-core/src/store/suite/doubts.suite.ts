import assert from "node:assert/strict";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { DAY, SECOND } from "../../domain/clock.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { step, workflow } from "./test-definitions.ts";
import { effectOf, intend, receipt, workersAndBystander } from "./test-effects.ts";
import { approvalOf, decide, end, pass, restart, workers } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { need, succeeded, type World, withCode } from "./test-world.ts";

const NO_DELAY = { maxAttempts: 2, backoff: "fixed", initialDelay: "0s", maxDelay: "0s" };

/** A session whose step has died with effect `pay` open; its first attempt. */
async function doubt(
  w: World,
  onUncertain: JsonValue,
  rest: JsonObject = {},
): Promise<[id: string, sent: ClaimedAttempt]> {
  if ((await w.store.tools.get("bank.find")) === null) {
    await workersAndBystander(w);
    await w.tool("bank.find");
  }
  const fields = { retry: NO_DELAY, onUncertain, ...rest };
  const { id } = await w.start(
    workflow([step("a", fields), step("b", { parameters: { was: "${{ steps.a.result }}" } })]),
  );
  const sent = w.take();
  await intend(w, sent, "pay", { payload: '{"amount":7}' });
  await w.fail(sent);
  return [id, sent];
}

async function why(w: World, sent: ClaimedAttempt) {
  return need(await w.store.tasks.why(sent.taskId), "reason");
}

/** What settles the doubts of steps: a person, a tool, a receipt, undoing. */
export const doubtsSuite: Suite = (on) => {
  on("`ask`: a person is asked, with what was announced, and the task says so", async (w) => {
    const [id, sent] = await doubt(w, "ask");
    const asked = await approvalOf(w, id);
    assert.deepEqual([asked.status, asked.taskId, asked.stepId], ["pending", sent.taskId, "a"]);
    assert.equal(asked.expiresAt, w.clock.now() + DAY);
    assert.match(asked.message, /^Nobody knows whether effect `pay` happened: .* Did it happen\?$/);
    const [effect] = (JSON.parse(asked.details ?? "{}") as { effects: JsonObject[] }).effects;
    assert.deepEqual([effect?.effectId, effect?.payload], ["pay", { amount: 7 }]);
    const { reason, message, since, details } = await why(w, sent);
    assert.deepEqual([reason, since, details.effects], ["effect_uncertain", w.clock.now(), ["pay"]]);
    assert.match(message, new RegExp(`effect \`pay\` happened; approval ${asked.id} asks somebody, until `));
    assert.deepEqual((await w.getTask(sent.taskId)).blocked, await why(w, sent));
    assert.equal((await w.getSession(id)).blocked?.reason, "effect_uncertain");
    for (const blockedReason of ["effect_uncertain", "session_paused"]) {
      const { items } = await w.store.tasks.list({ limit: 5 }, { blockedReason, session: id });
      assert.equal(items.length, blockedReason === "effect_uncertain" ? 1 : 0);
    }
    await decide(w, id, false);
  });

  on("it happened: the step is completed with what the person says came of it", async (w) => {
    const [id, sent] = await doubt(w, "ask");
    const { id: approval } = await approvalOf(w, id);
    await w.store.approvals.decide(approval, { approved: true, by: "ann", comment: null, result: '{"id":9}' });
    assert.equal((await w.getTask(sent.taskId)).result, '{"id":9}');
    assert.deepEqual(JSON.parse(w.take().parameters), { was: { id: 9 } });
    const { status, receipt: told } = await effectOf(w, sent, "pay");
    assert.deepEqual([status, told?.by], ["done", "person"]);
    await assert.rejects(decide(w, id, false), withCode("approval_decided"));
  });

  on("what the person says must be what the step takes from its agent", async (w) => {
    const [id] = await doubt(w, "ask", { output: { schema: { type: "object", required: ["id"] } } });
    const { id: approval } = await approvalOf(w, id);
    const say = (result: string | null) =>
      w.store.approvals.decide(approval, { approved: true, by: "ann", comment: null, result });
    await assert.rejects(say("7"), withCode("output_invalid"));
    await assert.rejects(say(null), withCode("output_invalid"));
    assert.equal((await approvalOf(w, id)).status, "pending");
    await say('{"id":1}');
    assert.deepEqual(await w.steps(id), { 0: "completed", 1: "running" });
  });

  on("it did not happen: the step is tried again, as after any failure", async (w) => {
    const [id, sent] = await doubt(w, "ask");
    assert.deepEqual([w.sent.length, (await w.getTask(sent.taskId)).used], [0, 1]);
    await decide(w, id, false);
    assert.equal((await effectOf(w, sent, "pay")).status, "not_done");
    await w.dispatch();
    const again = w.take();
    assert.deepEqual([again.taskId, again.attempt], [sent.taskId, 2]);
    assert.deepEqual(
      [(await w.getTask(sent.taskId)).used, (await intend(w, again, "pay", { payload: '{"amount":7}' })).type],
      [1, "intended"],
    );
    await w.fail(again);
    // Its attempts are used up once this one did not happen either.
    await decide(w, id, false);
    assert.deepEqual([await end(w, id), await w.steps(id)], [["failed", "agent_error"], { 0: "failed" }]);
  });

  on("nobody says: the step ends uncertain", async (w) => {
    const [id, sent] = await doubt(w, { ask: { timeout: "1h" } });
    await pass(w, 3_600 * SECOND - 1);
    assert.deepEqual(await w.steps(id), { 0: "running" });
    await pass(w, 1);
    assert.deepEqual([await end(w, id), await w.steps(id)], [["failed", "effect_uncertain"], { 0: "uncertain" }]);
    assert.deepEqual((await w.getSession(id)).uncertainSteps, ["a"]);
    assert.equal((await approvalOf(w, id)).status, "expired");
    assert.equal((await w.getTask(sent.taskId)).error?.uncertain, true);
  });

  on("the time in doubt is not taken from the task's deadline, and ends no task", async (w) => {
    const [id, sent] = await doubt(w, { ask: { timeout: "7d" } }, { deadline: "1h" });
    const before = (await w.getTask(sent.taskId)).deadline;
    await pass(w, 2 * DAY);
    assert.equal((await w.getTask(sent.taskId)).status, "pending");
    await decide(w, id, false);
    assert.equal((await w.getTask(sent.taskId)).deadline, before + 2 * DAY);
    await w.dispatch();
    assert.equal(w.take().attempt, 2);
  });

  on("a question is asked in the author's words, of whom they name, and again", async (w) => {
    const question = { message: "Was it paid?", remindEvery: "1h", approvers: ["ann"] };
    const [id] = await doubt(w, { ask: question });
    const asked = await approvalOf(w, id);
    assert.deepEqual([asked.message, asked.approvers], ["Was it paid?", ["ann"]]);
    await pass(w, 3_600 * SECOND);
    assert.equal((await approvalOf(w, id)).reminders, 1);
    await pass(w, 3_600 * SECOND);
    assert.equal((await approvalOf(w, id)).reminders, 2);
    await decide(w, id, false);
  });

  on(
    "a receipt settles the question: it is withdrawn, and the step is tried again and told that it is done",
    async (w) => {
      const [id, sent] = await doubt(w, "ask");
      await receipt(w, sent, "pay", "done", { result: "5" });
      assert.equal((await approvalOf(w, id)).status, "cancelled");
      await assert.rejects(decide(w, id, true), withCode("approval_decided"));
      await w.dispatch();
      const again = w.take();
      assert.equal((await intend(w, again, "pay", { payload: '{"amount":7}' })).type, "done");
      await w.complete(again, "ok");
      assert.deepEqual(await w.steps(id), { 0: "completed", 1: "running" });
    },
  );

  on("as long as one of several effects has no receipt it is asked about", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([step("a", { retry: NO_DELAY, onUncertain: "ask" })]));
    const sent = w.take();
    for (const name of ["pay", "mail"]) await intend(w, sent, name);
    await w.fail(sent);
    await receipt(w, sent, "mail", "done");
    assert.deepEqual((await why(w, sent)).details.effects, ["pay"]);
    await receipt(w, sent, "pay", "not_done");
    assert.equal((await approvalOf(w, id)).status, "cancelled");
    await w.dispatch();
    assert.equal(w.take().attempt, 2);
  });

  on("each item of a list has a question of its own", async (w) => {
    await workers(w);
    const { id } = await w.start(workflow([step("a", { forEach: [1, 2], retry: NO_DELAY, onUncertain: "ask" })]));
    for (const sent of [w.take(), w.take()]) {
      await intend(w, sent, "pay");
      await w.fail(sent);
    }
    const { items } = await w.store.approvals.list({ limit: 5 }, { session: id });
    assert.equal(items.length, 2);
    for (const { id: approval } of items) {
      await w.store.approvals.decide(approval, { approved: true, by: "ann", comment: null, result: "1" });
    }
    assert.deepEqual(await end(w, id), ["completed", [1, 1]]);
  });

  on("a cancelled session asks no more, and says what is uncertain", async (w) => {
    for (const policy of ["ask", { verify: { tool: "bank.find" } }]) {
      const [id, sent] = await doubt(w, policy);
      const call = w.sent.shift();
      await w.store.sessions.cancel(id, "no more");
      assert.deepEqual([(await w.getTask(sent.taskId)).status, await w.steps(id)], ["cancelled", { 0: "uncertain" }]);
      if (call === undefined) assert.equal((await approvalOf(w, id)).status, "cancelled");
      else assert.equal((await w.getTask(call.taskId)).status, "cancelled");
    }
  });

  on("a pause does not give out what is in doubt, nor does going on", async (w) => {
    const [id, sent] = await doubt(w, "ask");
    await w.store.sessions.pause(id, "ann", null);
    assert.equal((await why(w, sent)).reason, "effect_uncertain");
    await w.store.sessions.resume(id, "ann");
    await w.dispatch();
    assert.equal(w.sent.length, 0);
    await w.store.sessions.pause(id, "ann", null);
    await decide(w, id, false);
    assert.equal((await why(w, sent)).reason, "session_paused");
    await w.store.sessions.resume(id, "ann");
    await w.dispatch();
    assert.equal(w.take().attempt, 2);
  });

  on("a doubt survives a restart, and so does what settles it", async (w) => {
    const [id, sent] = await doubt(w, "ask");
    await restart(w);
    await w.dispatch();
    assert.equal(w.sent.length, 0);
    assert.equal((await why(w, sent)).reason, "effect_uncertain");
    await decide(w, id, true);
    assert.deepEqual(await w.steps(id), { 0: "completed", 1: "running" });
  });

  on("`verify`: a tool is given what was announced, and its word settles it", async (w) => {
    for (const [answer, steps] of [
      [
        { happened: true, result: { id: 3 } },
        { 0: "completed", 1: "running" },
      ],
      [{ happened: false }, { 0: "running" }],
    ] as const) {
      const [id, sent] = await doubt(w, { verify: { tool: "bank.find", parameters: { account: 1 } } });
      const call = w.takeCall();
      assert.deepEqual([call.tool, (await why(w, sent)).details.taskId], ["bank.find", call.taskId]);
      const { account, effects } = JSON.parse(call.parameters) as { account: number; effects: JsonObject[] };
      const key = (await effectOf(w, sent, "pay")).key;
      assert.deepEqual([account, effects[0]?.effectId, effects[0]?.idempotencyKey], [1, "pay", key]);
      await w.observe(call, succeeded({ ...answer }, "answer"));
      assert.deepEqual(await w.steps(id), steps);
      assert.equal((await effectOf(w, sent, "pay")).receipt?.by, "tool");
      await w.dispatch();
      const next = w.take();
      if (answer.happened) assert.deepEqual(JSON.parse(next.parameters), { was: { id: 3 } });
      else assert.deepEqual([next.taskId, next.attempt], [sent.taskId, 2]);
      await w.complete(next);
    }
  });

  on("a tool that cannot tell leaves the step uncertain, or a person is asked", async (w) => {
    for (const otherwise of ["fail", "ask"]) {
      const [id, sent] = await doubt(w, { verify: { tool: "bank.find", otherwise, retry: { maxAttempts: 1 } } });
      await w.observe(w.takeCall(), succeeded(otherwise === "fail" ? "perhaps" : { happened: "yes" }, "answer"));
      if (otherwise === "fail") assert.deepEqual(await w.steps(id), { 0: "uncertain" });
      else {
        assert.equal((await why(w, sent)).details.policy, "ask");
        await decide(w, id, true);
        assert.deepEqual(await w.steps(id), { 0: "completed", 1: "running" });
        await w.complete(w.take());
      }
    }
  });

  on("a receipt that comes while a tool finds out ends its call", async (w) => {
    const [id, sent] = await doubt(w, { verify: { tool: "bank.find" } });
    const call = w.takeCall();
    await receipt(w, sent, "pay", "not_done");
    assert.equal((await w.getTask(call.taskId)).status, "cancelled");
    await w.dispatch();
    assert.equal(w.take().attempt, 2);
    assert.deepEqual(await w.steps(id), { 0: "running" });
  });

  on("parameters for the tool that cannot be made leave the step uncertain", async (w) => {
    const [id] = await doubt(w, { verify: { tool: "bank.find", parameters: { x: "${{ input.no.such }}" } } });
    assert.deepEqual(await w.steps(id), { 0: "uncertain" });
    assert.match((await w.getSession(id)).error?.message ?? "", /onUncertain\.verify\.parameters\.x/);
  });

  on("`compensate`: the step is undone, and has failed", async (w) => {
    const compensate = { agentCapability: "undo", parameters: { undo: "a" } };
    const [id, sent] = await doubt(w, "compensate", { compensate });
    const undoing = w.take();
    assert.deepEqual(JSON.parse(undoing.parameters), { undo: "a" });
    assert.match((await why(w, sent)).message, /the step is being undone/);
    // Late: that it happened changes nothing now.
    await receipt(w, sent, "pay", "done");
    await w.complete(undoing);
    assert.deepEqual([await end(w, id), await w.steps(id)], [["failed", "agent_error"], { 0: "failed" }]);
  });

  on("what was undone in doubt is not undone again, and what could not be is uncertain", async (w) => {
    const compensate = { agentCapability: "undo", whenUnknown: "run", retry: { maxAttempts: 1 } };
    const [id, sent] = await doubt(w, "compensate", { compensate, onFailure: "compensate" });
    await w.complete(w.take());
    assert.deepEqual([w.sent.length, (await w.getSession(id)).compensation], [0, "complete"]);
    assert.equal((await effectOf(w, sent, "pay")).receipt?.by, "compensation");
    const [other] = await doubt(w, "compensate", { compensate });
    await w.fail(w.take(), "rejected");
    assert.deepEqual(await w.steps(other), { 0: "uncertain" });
  });

  on("what a stand-in of the agent cannot know it asks about, too", async (w) => {
    const [id] = await doubt(w, "ask", {
      fallback: { agentCapability: "undo" },
      retry: { ...NO_DELAY, maxAttempts: 1 },
    });
    assert.equal((await approvalOf(w, id)).status, "pending");
    await decide(w, id, false);
    await w.dispatch();
    assert.equal(w.take().capability, "undo");
  });
};
