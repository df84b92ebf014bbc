import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import type { Approval, ApprovalDecision } from "../../domain/approvals/approval.ts";
import { HOUR, MINUTE, SECOND } from "../../domain/clock.ts";
import { REMINDERS_MAX } from "../../domain/workflows/limits.ts";
import { graphOf, step, workflow } from "./test-definitions.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, type World, withCode } from "./test-world.ts";

const YES: ApprovalDecision = { approved: true, by: "ann", comment: null };
const NO: ApprovalDecision = { approved: false, by: "ann", comment: "too dear" };

/** A workflow that asks, then works. */
function asking(approval: JsonObject = {}, rest: JsonObject = {}): JsonObject {
  return workflow([{ taskId: "ok", approval: { message: "Publish?", ...approval } }, step("publish")], rest);
}

async function pendingOf(w: World, session: string): Promise<Approval> {
  const { items } = await w.store.approvals.list({ limit: 5 }, { session, status: "pending" });
  return need(items[0], "pending approval");
}

async function ask(w: World, approval: JsonObject = {}): Promise<{ session: string; approval: Approval }> {
  const { id } = await w.start(asking(approval));
  return { session: id, approval: await pendingOf(w, id) };
}

const get = async (w: World, { id }: Approval) => need(await w.store.approvals.get(id), "approval");
const decide = (w: World, { id }: Approval, decision: ApprovalDecision) => w.store.approvals.decide(id, decision);
const count = async (w: World, stream: string, type: string) =>
  (await w.types(stream)).filter((each) => each === type).length;

function decisions(on: Declare): void {
  on("hole 17: the first decision is final: its repetition changes nothing, any other is refused", async (w) => {
    const { session, approval } = await ask(w, { timeout: "1h" });
    const bystander = await ask(w, { timeout: "1h" });
    const decided = await decide(w, approval, YES);
    assert.deepEqual(
      [decided.status, decided.decidedBy, decided.endedAt, decided.remindAt],
      ["approved", "ann", w.clock.now(), null],
    );
    w.clock.advance(SECOND);
    assert.deepEqual(await decide(w, approval, { ...YES, comment: "again" }), decided);
    await assert.rejects(decide(w, approval, { ...YES, by: "bob" }), withCode("approval_decided"));
    await assert.rejects(decide(w, approval, NO), withCode("approval_decided"));
    assert.equal(await count(w, session, "approval.approved"), 1);
    assert.equal(await count(w, session, "task.created"), 1);
    assert.equal((await get(w, bystander.approval)).status, "pending");
  });

  on("hole 17: two people who decide in the same moment are not both right", async (w) => {
    const { session, approval } = await ask(w);
    const [first, second] = await Promise.allSettled([
      decide(w, approval, NO),
      decide(w, approval, { ...YES, by: "bob" }),
    ]);
    assert.deepEqual([first?.status, second?.status], ["fulfilled", "rejected"]);
    assert.equal((await get(w, approval)).comment, "too dear");
    assert.equal((await w.getSession(session)).error?.message, "ann rejected it: too dear");
  });

  on("hole 17: a decision that comes together with the expiry counts, and disarms it", async (w) => {
    const { session, approval } = await ask(w, { timeout: "1h" });
    w.clock.advance(HOUR);
    // So that the expiry does not first have to judge the time, and both are written in one batch.
    await w.store.process.beat();
    const expiry = w.store.attempts.expire(10);
    const decision = decide(w, approval, YES);
    await Promise.all([expiry, decision]);
    await w.expire();
    assert.equal((await get(w, approval)).status, "approved");
    assert.deepEqual(await w.steps(session), { 0: "completed", 1: "running" });
    assert.equal(await count(w, session, "approval.expired"), 0);
  });

  on("hole 17: after the expiry no decision is taken any more", async (w) => {
    const { session, approval } = await ask(w, { timeout: "1h" });
    const later = await ask(w, { timeout: "2h" });
    w.clock.advance(HOUR - 1);
    await w.expire();
    assert.equal((await get(w, approval)).status, "pending");
    w.clock.advance(1);
    await w.expire();
    await assert.rejects(decide(w, approval, YES), withCode("approval_decided"));
    const expired = await get(w, approval);
    assert.deepEqual([expired.status, expired.decidedBy, expired.endedAt], ["expired", null, w.clock.now()]);
    assert.equal((await w.getSession(session)).error?.code, "expired");
    assert.equal((await get(w, later.approval)).status, "pending");
  });

  on("hole 17: a decision after the session was cancelled is refused", async (w) => {
    const { session, approval } = await ask(w, { timeout: "1h", remindEvery: "10m" });
    const bystander = await ask(w);
    await w.store.sessions.cancel(session, "not needed");
    await assert.rejects(decide(w, approval, YES), withCode("approval_decided"));
    const cancelled = await get(w, approval);
    assert.deepEqual([cancelled.status, cancelled.remindAt], ["cancelled", null]);
    w.clock.advance(2 * HOUR);
    await w.expire();
    assert.equal((await w.getSession(session)).status, "cancelled");
    assert.equal((await get(w, bystander.approval)).status, "pending");
  });

  on("hole 17: a decision on something else than was looked at is refused, and changes nothing", async (w) => {
    const { approval } = await ask(w);
    await assert.rejects(decide(w, approval, { ...YES, subjectHash: "other" }), withCode("approval_stale"));
    assert.equal((await get(w, approval)).status, "pending");
    const decided = await decide(w, approval, { ...YES, subjectHash: approval.subjectHash });
    assert.equal(decided.status, "approved");
    await assert.rejects(w.store.approvals.decide("apr_none", YES), withCode("approval_not_found"));
  });
}

function crashes(on: Declare): void {
  on("hole 17: a decision under way when the process dies was made whole or not at all", async (w) => {
    const { session, approval } = await ask(w, { timeout: "1h" });
    void w.raw.approvals.decide(approval.id, YES).catch(() => undefined);
    await w.crash();
    // Where the data is a connection, what was queued may still be written.
    await w.store.process.beat();
    const found = await get(w, approval);
    const steps = await w.steps(session);
    if (found.status === "pending") assert.deepEqual([found, steps[0]], [approval, "waiting"]);
    else assert.deepEqual([found.status, found.decidedBy, steps[0]], ["approved", "ann", "completed"]);
    assert.equal((await decide(w, approval, YES)).status, "approved");
    const once = ["approval.requested", "approval.approved", "step.completed", "task.created"];
    const types = await w.types(session);
    assert.deepEqual(
      types.filter((type) => once.includes(type)),
      once,
    );
  });

  on(
    "hole 17: a decision that was answered outlives the process, and is neither asked again nor timed out",
    async (w) => {
      await w.agent("worker", { capabilities: ["work"] });
      const { session, approval } = await ask(w, { timeout: "1h", remindEvery: "10m" });
      const decided = await decide(w, approval, YES);
      await w.crash();
      assert.deepEqual(await get(w, approval), decided);
      assert.deepEqual(await decide(w, approval, YES), decided);
      w.clock.advance(2 * HOUR);
      await w.expire();
      await w.expire();
      const types = await w.types(session);
      assert.deepEqual(
        types.filter((type) => type.startsWith("approval.")),
        ["approval.requested", "approval.approved"],
      );
      assert.equal(types.filter((type) => type === "task.created").length, 1);
    },
  );

  on("a process that starts late makes up for the reminders and the expiry that fell due meanwhile", async (w) => {
    const { approval } = await ask(w, { timeout: "5h", remindEvery: "1h" });
    await w.crash();
    w.clock.advance(3 * HOUR + MINUTE);
    await w.expire();
    const reminded = await get(w, approval);
    assert.deepEqual([reminded.reminders, reminded.remindAt], [1, approval.requestedAt + 4 * HOUR]);
    await w.crash();
    w.clock.advance(4 * HOUR);
    await w.expire();
    const expired = await get(w, approval);
    assert.deepEqual([expired.status, expired.reminders], ["expired", 1]);
  });
}

function subjects(on: Declare): void {
  on("what is decided on has a hash of its definition, step, message and details, and of nothing else", async (w) => {
    const hashOf = async (document: JsonObject, data: JsonObject = { price: 3 }) => {
      const { id } = await w.start(document, { data });
      return (await pendingOf(w, id)).subjectHash;
    };
    const details = { details: { price: "${{ input.price }}" } };
    const first = await hashOf(asking(details));
    w.clock.advance(HOUR);
    assert.equal(await hashOf(asking(details)), first);
    const others = [
      await hashOf(asking(details), { price: 4 }),
      await hashOf(asking({ ...details, message: "Publish it?" })),
      await hashOf(asking(details, { version: "2" })),
      await hashOf(workflow([{ taskId: "other", approval: { message: "Publish?", ...details } }, step("publish")])),
    ];
    assert.equal(new Set([first, ...others]).size, 5);
  });

  on("an approval says who may decide, as its definition does, and what became of it", async (w) => {
    const { approval } = await ask(w, {
      approvers: ["ann", "bob"],
      details: { n: 1 },
      timeout: "1h",
      remindEvery: "10m",
    });
    const asked = w.clock.now();
    assert.deepEqual(approval, {
      id: approval.id,
      sessionId: approval.sessionId,
      workflowId: "flow",
      stepId: "ok",
      taskId: null,
      status: "pending",
      message: "Publish?",
      details: '{"n":1}',
      subjectHash: approval.subjectHash,
      approvers: ["ann", "bob"],
      requestedAt: asked,
      expiresAt: asked + HOUR,
      reminders: 0,
      remindAt: asked + 10 * MINUTE,
      endedAt: null,
      decidedBy: null,
      comment: null,
    });
    const session = await w.getSession(approval.sessionId);
    assert.equal(session.blocked?.reason, "waiting_for_approval");
    assert.match(session.blocked?.message ?? "", new RegExp(`${approval.id}, until .* at most`));
  });

  on("approvals are listed across sessions, newest first, by status, session and workflow", async (w) => {
    const one = await ask(w);
    const two = await ask(w);
    const other = await w.start(asking({}, { id: "other" }));
    await decide(w, one.approval, NO);
    const found = async (filter: { status?: string; session?: string; workflow?: string }) =>
      (await w.store.approvals.list({ limit: 10 }, filter)).items.map(({ sessionId }) => sessionId);
    assert.deepEqual(await found({}), [other.id, two.session, one.session]);
    assert.deepEqual(await found({ status: "pending" }), [other.id, two.session]);
    assert.deepEqual(await found({ status: "rejected" }), [one.session]);
    assert.deepEqual(await found({ session: two.session }), [two.session]);
    assert.deepEqual(await found({ workflow: "flow", status: "pending" }), [two.session]);
    const first = await w.store.approvals.list({ limit: 2 }, {});
    const rest = await w.store.approvals.list({ limit: 2, cursor: need(first.nextCursor, "cursor") }, {});
    assert.deepEqual(
      rest.items.map(({ sessionId }) => sessionId),
      [one.session],
    );
    assert.equal(rest.nextCursor, null);
  });
}

function reminders(on: Declare): void {
  on("an approval is asked again at its interval, until it expires or is decided", async (w) => {
    const { session, approval } = await ask(w, { timeout: "25m", remindEvery: "10m" });
    const bystander = await ask(w, { remindEvery: "1h" });
    w.clock.advance(10 * MINUTE - 1);
    await w.expire();
    assert.equal((await get(w, approval)).reminders, 0);
    w.clock.advance(1);
    await w.expire();
    await w.expire();
    assert.deepEqual([(await get(w, approval)).reminders, (await get(w, bystander.approval)).reminders], [1, 0]);
    w.clock.advance(10 * MINUTE);
    await w.expire();
    const last = await get(w, approval);
    assert.deepEqual([last.reminders, last.remindAt, last.status], [2, null, "pending"]);
    w.clock.advance(5 * MINUTE);
    await w.expire();
    assert.equal((await get(w, approval)).status, "expired");
    assert.equal(await count(w, session, "approval.reminded"), 2);
    await decide(w, bystander.approval, YES);
    w.clock.advance(HOUR);
    await w.expire();
    assert.equal((await get(w, bystander.approval)).reminders, 0);
  });

  on("an approval that nobody decides is asked again so often and no more", async (w) => {
    const { approval } = await ask(w, { remindEvery: "1m" });
    for (let n = 0; n < REMINDERS_MAX + 2; n++) {
      w.clock.advance(MINUTE);
      await w.expire();
    }
    const tired = await get(w, approval);
    assert.deepEqual([tired.status, tired.reminders, tired.remindAt], ["pending", REMINDERS_MAX, null]);
  });
}

/** What was sent to a session's callback about its approvals. */
async function news(w: World): Promise<{ type: string; status: string; data: JsonObject }[]> {
  const { items } = await w.store.deliveries.list({ limit: 50 }, {});
  return items
    .toReversed()
    .map(({ body, status }) => ({ status, ...(JSON.parse(body) as { type: string; data: JsonObject }) }));
}

function callbacks(on: Declare): void {
  const callbackUrl = "https://receiver.test/hook";

  on("whoever hears of a session's end is told that it asks, and asks again", async (w) => {
    const { id } = await w.start(asking({ details: [1], remindEvery: "10m", timeout: "1h" }), { callbackUrl });
    const approval = await pendingOf(w, id);
    w.clock.advance(10 * MINUTE);
    await w.expire();
    const told = await news(w);
    assert.deepEqual(
      told.map(({ type, data }) => [type, data.approvalId, data.reminders]),
      [
        ["approval.requested", approval.id, 0],
        ["approval.reminded", approval.id, 1],
      ],
    );
    const { stepId, message, details, subjectHash, sessionId } = told[0]?.data ?? {};
    assert.deepEqual(
      [stepId, message, details, subjectHash, sessionId],
      ["ok", "Publish?", [1], approval.subjectHash, id],
    );
  });

  on("what has not arrived when the decision falls is not sent any more; what has, stays as it is", async (w) => {
    const options = { remindEvery: "10m" };
    const { id } = await w.start(asking(options), { callbackUrl });
    const other = await w.start(asking(options), { callbackUrl: `${callbackUrl}/other` });
    const [first] = await w.store.deliveries.due(1, ["webhook"]);
    await w.store.deliveries.delivered(need(first, "delivery").id, 1);
    w.clock.advance(10 * MINUTE);
    await w.expire();
    await decide(w, await pendingOf(w, id), NO);
    assert.deepEqual(
      (await news(w)).map(({ type, status, data }) => [type, status, data.sessionId === id]),
      [
        ["approval.requested", "delivered", true],
        ["approval.requested", "pending", false],
        ["approval.reminded", "failed", true],
        ["approval.reminded", "pending", false],
        ["session.failed", "pending", true],
      ],
    );
    await w.store.sessions.cancel(other.id, "no");
    const types = (await news(w)).filter(({ status }) => status === "pending").map(({ type }) => type);
    assert.deepEqual(types, ["session.failed", "session.cancelled"]);
  });

  on("a session that is a step asks where the session of that step is told of", async (w) => {
    const child = w.session(asking({ timeout: "1h" }, { id: "child" }));
    const { planHash: hash, document } = child;
    const saved = {
      id: "child",
      version: "1",
      name: "A flow",
      description: null,
      steps: 2,
      hash,
      document,
      appliedAt: 0,
    };
    await w.store.workflows.apply(saved);
    await w.start(workflow([{ taskId: "call", workflow: { id: "child" } }]), { callbackUrl });
    const [told] = await news(w);
    assert.deepEqual([told?.type, told?.data.workflowId], ["approval.requested", "child"]);
    w.clock.advance(HOUR);
    await w.expire();
    assert.deepEqual(
      (await news(w)).map(({ type, status }) => [type, status]),
      [
        ["approval.requested", "failed"],
        ["session.failed", "pending"],
      ],
    );
  });
}

/** Decisions that sessions wait for. */
export const approvalsSuite: Suite = (on) => {
  decisions(on);
  crashes(on);
  subjects(on);
  reminders(on);
  callbacks(on);

  on("a decision lets go of the step's dependents in the same transaction, a rejection of none", async (w) => {
    const graph = graphOf({ publish: ["ok"], other: [] });
    const tasks = [{ taskId: "ok", approval: { message: "Publish?" } }, ...(graph.tasks as JsonObject[])];
    const { id } = await w.start({ ...graph, tasks });
    await decide(w, await pendingOf(w, id), NO);
    assert.equal((await w.steps(id))[1] ?? "pending", "pending");
    assert.equal((await w.getSession(id)).status, "started");
  });
};
