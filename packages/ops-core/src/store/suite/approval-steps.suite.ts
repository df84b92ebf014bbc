import assert from "node:assert/strict";
import { formatTime, type JsonObject } from "@opspawn/contract";
import { HOUR } from "../../domain/clock.ts";
import { step, workflow } from "./test-definitions.ts";
import { approvalOf, decide, end, errorOf, ONCE, pass, restart, statuses, workers, workOff } from "./test-language.ts";
import type { Suite } from "./test-rig.ts";
import { type World, withCode } from "./test-world.ts";

const ASK = { taskId: "ok", approval: { message: "Publish?", timeout: "1h" } };

function asking(approval: JsonObject, ...behind: JsonObject[]): JsonObject {
  return workflow([{ taskId: "ok", approval: { message: "Publish?", ...approval } }, ...behind]);
}

async function start(w: World, definition: JsonObject): Promise<string> {
  return (await w.start(definition)).id;
}

/** Steps that wait for a decision. */
export const approvalStepsSuite: Suite = (on) => {
  on("an approval asks with what is to be decided on, fixed when it is asked", async (w) => {
    const approval = {
      message: "Publish ${{ input.name }}?",
      details: { text: "${{ session.labels.text }}" },
      timeout: "1h",
    };
    const definition = workflow([{ taskId: "ok", approval }]);
    const { id } = await w.start(definition, { data: { name: "it" }, labels: { text: "as shown" } });
    await w.store.sessions.label(id, { text: "changed" });
    const asked = await approvalOf(w, id);
    assert.deepEqual(
      [asked.message, asked.details, asked.status, asked.stepId, asked.workflowId, asked.expiresAt],
      ["Publish it?", '{"text":"as shown"}', "pending", "ok", "flow", w.clock.now() + HOUR],
    );
    const [waiting] = await w.store.sessions.steps(id);
    assert.deepEqual([waiting?.status, waiting?.approvalId, waiting?.taskId], ["waiting", asked.id, null]);
    assert.equal(waiting?.wakeAt, asked.expiresAt);
    assert.equal((await w.getSession(id)).status, "waiting");
  });

  on("who approved, when, and what was said is the step's result", async (w) => {
    await workers(w);
    const id = await start(w, workflow([ASK, step("next", { parameters: { by: "${{ steps.ok.result.by }}" } })]));
    const decided = await decide(w, id, true, "looks good");
    assert.deepEqual([decided.status, decided.decidedBy, decided.comment], ["approved", "ann", "looks good"]);
    assert.equal((await w.store.sessions.steps(id))[0]?.wakeAt, null);
    assert.deepEqual(await workOff(w), [{ by: "ann" }]);
    const alone = await start(w, workflow([ASK], { version: "2" }));
    await decide(w, alone, true);
    const at = formatTime(w.clock.now());
    assert.deepEqual(await end(w, alone), ["completed", { approved: true, by: "ann", comment: null, at }]);
  });

  on(
    "hole 17: a decision is final when it is answered: its timer is disarmed, and the session goes on once",
    async (w) => {
      await workers(w);
      const id = await start(w, workflow([ASK, step("next")]));
      const { id: approval } = await approvalOf(w, id);
      await decide(w, id, true);
      await w.crash();
      await w.store.approvals.decide(approval, { approved: true, by: "ann", comment: null });
      const other = { approved: false, by: "ann", comment: null };
      await assert.rejects(w.store.approvals.decide(approval, other), withCode("approval_decided"));
      await assert.rejects(
        w.store.approvals.decide(approval, { ...other, approved: true, by: "bob" }),
        withCode("approval_decided"),
      );
      w.clock.advance(2 * HOUR);
      await w.expire();
      assert.deepEqual(await statuses(w, id), ["completed", "running"]);
      assert.equal((await w.types(id)).filter((type) => type === "approval.approved").length, 1);
    },
  );

  on("hole 17: a decision on something else than what is asked is refused as stale", async (w) => {
    const id = await start(w, workflow([ASK]));
    const { id: approval, subjectHash } = await approvalOf(w, id);
    const decision = { approved: true, by: "ann", comment: null };
    const stale = w.store.approvals.decide(approval, { ...decision, subjectHash: "another" });
    await assert.rejects(stale, withCode("approval_stale"));
    assert.equal((await approvalOf(w, id)).status, "pending");
    await w.store.approvals.decide(approval, { ...decision, subjectHash });
    assert.equal((await end(w, id))[0], "completed");
    await assert.rejects(w.store.approvals.decide("apr_none", decision), withCode("approval_not_found"));
  });

  on("a rejection fails the step with who and why, and is not tried again", async (w) => {
    await workers(w);
    const id = await start(w, asking({}, step("next")));
    await decide(w, id, false, "too long");
    assert.deepEqual(await errorOf(w, id, 0), ["rejected", "ann rejected it: too long"]);
    assert.deepEqual([await end(w, id), w.sent.length], [["failed", "rejected"], 0]);
  });

  on("a rejection is ignored where failures are", async (w) => {
    await workers(w);
    const ok = { taskId: "ok", approval: { message: "Publish?" }, onFailure: "continue" };
    const id = await start(w, workflow([ok, step("next", { parameters: { error: "${{ steps.ok.error.code }}" } })]));
    await decide(w, id, false);
    assert.deepEqual(await workOff(w), [{ error: "rejected" }]);
    assert.deepEqual((await w.getSession(id)).failedSteps, ["ok"]);
  });

  on("what nobody decides in time expires, never early", async (w) => {
    const id = await start(w, workflow([ASK]));
    await pass(w, HOUR - 1);
    assert.equal((await approvalOf(w, id)).status, "pending");
    await restart(w);
    await pass(w, 1);
    assert.equal((await approvalOf(w, id)).status, "expired");
    assert.deepEqual(await errorOf(w, id, 0), ["expired", "Nobody decided in time."]);
    assert.deepEqual(await end(w, id), ["failed", "expired"]);
    await assert.rejects(decide(w, id, true), withCode("approval_decided"));
  });

  on("an approval without a timeout waits for as long as the session lasts", async (w) => {
    const id = await start(w, asking({}));
    await pass(w, 300 * 24 * HOUR);
    await decide(w, id, true);
    assert.equal((await end(w, id))[0], "completed");
  });

  on("a decision and the expiry in one batch have one winner", async (w) => {
    const id = await start(w, workflow([ASK]));
    const { id: approval } = await approvalOf(w, id);
    w.clock.advance(HOUR);
    const decision = w.store.approvals.decide(approval, { approved: true, by: "ann", comment: null });
    await Promise.all([w.expire(), decision]);
    assert.deepEqual([(await approvalOf(w, id)).status, (await end(w, id))[0]], ["approved", "completed"]);
    assert.equal((await w.types(id)).filter((type) => type.startsWith("approval.")).length, 2);
  });

  on("two decisions in one batch have one winner", async (w) => {
    const id = await start(w, workflow([ASK]));
    const { id: approval } = await approvalOf(w, id);
    const decision = (approved: boolean, by: string) =>
      w.store.approvals.decide(approval, { approved, by, comment: null });
    const [first, second] = await Promise.allSettled([decision(false, "ann"), decision(true, "bob")]);
    assert.deepEqual([first.status, second.status], ["fulfilled", "rejected"]);
    assert.deepEqual(await end(w, id), ["failed", "rejected"]);
  });

  on("a rejection takes its branch, which may say why, instead of what stands behind the step", async (w) => {
    await workers(w);
    const sorry = step("sorry", {
      parameters: { why: "${{ steps.ok.error.message }}", how: "${{ steps.ok.status }}" },
    });
    const id = await start(w, asking({ onReject: { taskId: "sorry" } }, step("publish"), step("tell"), sorry));
    await decide(w, id, false, "no");
    assert.deepEqual(await workOff(w, () => "sorry"), [{ why: "ann rejected it: no", how: "failed" }]);
    assert.deepEqual(await statuses(w, id), ["failed", "skipped", "skipped", "completed"]);
    assert.deepEqual([await end(w, id), (await w.getSession(id)).failedSteps], [["completed", "sorry"], []]);
  });

  on("an approval leaves its branches alone", async (w) => {
    await workers(w);
    const branches = { onReject: { taskId: "sorry" }, onTimeout: { taskId: "late" }, timeout: "1h" };
    const id = await start(w, asking(branches, step("publish"), step("sorry"), step("late")));
    await decide(w, id, true);
    await workOff(w, () => "published");
    assert.deepEqual(await statuses(w, id), ["completed", "completed", "skipped", "skipped"]);
    assert.deepEqual(await end(w, id), ["completed", "published"]);
  });

  on("of two branches one is taken and the other left", async (w) => {
    await workers(w);
    const branches = { onReject: { taskId: "sorry" }, onTimeout: { taskId: "late" }, timeout: "1h" };
    const id = await start(w, asking(branches, step("publish"), step("sorry"), step("late")));
    await pass(w, HOUR);
    await workOff(w, () => "late");
    assert.deepEqual(await statuses(w, id), ["failed", "skipped", "skipped", "completed"]);
    assert.deepEqual(await end(w, id), ["completed", "late"]);
  });

  on("an approval that counts as rejected when it expires takes the branch for that", async (w) => {
    await workers(w);
    const id = await start(
      w,
      asking({ onTimeout: "reject", onReject: "sorry", timeout: "1h" }, step("publish"), step("sorry")),
    );
    await pass(w, HOUR);
    await workOff(w);
    assert.deepEqual(await statuses(w, id), ["failed", "skipped", "completed"]);
    assert.deepEqual(await errorOf(w, id, 0), ["rejected", "Nobody decided in time."]);
    const plain = await start(
      w,
      workflow([{ taskId: "ok", approval: { message: "?", onTimeout: "reject", timeout: "1h" } }], { id: "b" }),
    );
    await pass(w, HOUR);
    assert.deepEqual(await end(w, plain), ["failed", "rejected"]);
  });

  on("what depends on a branch runs with it, and what depends on both ways does not", async (w) => {
    await workers(w);
    const ok = { taskId: "ok", approval: { message: "Publish?", onReject: "sorry" }, dependsOn: [] };
    const id = await start(
      w,
      workflow([
        ok,
        step("publish", { dependsOn: ["ok"] }),
        step("sorry"),
        step("after-sorry", { dependsOn: ["sorry"] }),
        step("both", { dependsOn: ["publish", "sorry"] }),
        step("beside", { dependsOn: [] }),
      ]),
    );
    await decide(w, id, false);
    await workOff(w);
    assert.deepEqual(await statuses(w, id), ["failed", "skipped", "completed", "completed", "skipped", "completed"]);
    assert.equal((await end(w, id))[0], "completed");
  });

  on("a branch that fails, fails the session as any step does", async (w) => {
    await workers(w);
    const id = await start(w, asking({ onReject: "sorry" }, step("publish"), step("sorry", ONCE)));
    await decide(w, id, false);
    await w.fail(w.take());
    assert.deepEqual([await end(w, id), (await w.getSession(id)).failedSteps], [["failed", "agent_error"], ["sorry"]]);
  });

  for (const [how, stop] of [
    ["a cancel", (w: World, id: string) => w.store.sessions.cancel(id, "enough")],
    ["a deadline", (w: World) => pass(w, 2 * HOUR)],
    ["a failure elsewhere", (w: World) => w.fail(w.take())],
  ] as const) {
    on(`approvals end with their session: ${how}`, async (w) => {
      await workers(w);
      const ok = { taskId: "ok", approval: { message: "Publish?", timeout: "5h" }, dependsOn: [] };
      const id = await start(w, workflow([step("bad", { dependsOn: [], ...ONCE }), ok], { deadline: "2h" }));
      await stop(w, id);
      const { id: approval, status, endedAt } = await approvalOf(w, id);
      assert.deepEqual([status, endedAt, (await statuses(w, id))[1]], ["cancelled", w.clock.now(), "cancelled"]);
      await assert.rejects(
        w.store.approvals.decide(approval, { approved: true, by: "ann", comment: null }),
        /is cancelled already/,
      );
      w.clock.advance(10 * HOUR);
      assert.equal((await w.store.approvals.list({ limit: 9 }, { status: "pending" })).items.length, 0);
    });
  }

  on("a message that comes out empty asks nobody", async (w) => {
    const { id } = await w.start(workflow([{ taskId: "ok", approval: { message: "${{ input.text }}" } }]), {
      data: { text: " " },
    });
    assert.deepEqual(await errorOf(w, id, 0), ["expression_failed", "approval.message: the message comes out empty"]);
    const missing = await w.start(workflow([{ taskId: "ok", approval: { message: "${{ input.a.b }}" } }]), {
      data: {},
    });
    assert.match((await errorOf(w, missing.id, 0))[1], /^approval\.message: /);
    assert.deepEqual((await w.store.approvals.list({ limit: 9 }, {})).items, []);
  });

  on("the approval of one session is no other's", async (w) => {
    const [one, two] = [await start(w, workflow([ASK])), await start(w, workflow([ASK]))];
    await decide(w, one, true);
    assert.deepEqual([(await approvalOf(w, two)).status, await statuses(w, two)], ["pending", ["waiting"]]);
    await w.store.sessions.cancel(two, "enough");
    assert.equal((await approvalOf(w, one)).status, "approved");
  });
};
