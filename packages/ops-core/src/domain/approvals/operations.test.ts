import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";
import { APPROVALS, ask, keyFor, SESSIONS } from "../../http/test-approvals.ts";

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

const decide = (id: string, decision: string, key?: string, body: JsonObject = {}) =>
  app.call("POST", `${APPROVALS}/${id}/${decision}`, { body, ...(key === undefined ? {} : { key }) });

test("what waits is listed with what is asked, who may decide, and why it waits", async () => {
  const { session, approval } = await ask(app, {
    ...{ details: { price: 3 }, timeout: "1h", remindEvery: "10m", approvers: ["ann", "bob"] },
  });
  const { items, nextCursor } = await app.ok("GET", `${APPROVALS}?status=pending&workflow=publish`);
  const [shown] = items as JsonObject[];
  assert.equal(nextCursor, null);
  const at = "2023-11-14T22:13:20.000000Z";
  const expiresAt = "2023-11-14T23:13:20.000000Z";
  assert.deepEqual(shown, {
    approvalId: approval,
    sessionId: session,
    workflowId: "publish",
    stepId: "ok",
    status: "pending",
    message: "Publish?",
    details: { price: 3 },
    subjectHash: shown?.subjectHash,
    approvers: ["ann", "bob"],
    requestedAt: at,
    expiresAt,
    reminders: 0,
    nextReminderAt: "2023-11-14T22:23:20.000000Z",
    endedAt: null,
    decidedBy: null,
    comment: null,
    blocked: {
      reason: "waiting_for_decision",
      message: `A key named \`ann\`, \`bob\` has to approve or reject it, before ${expiresAt}.`,
      since: at,
      details: { stepId: "ok", approvalId: approval as string, approvers: ["ann", "bob"] },
    },
  });
  assert.match(shown?.subjectHash as string, /^[0-9a-f]{64}$/);
  assert.deepEqual(await app.ok("GET", `${APPROVALS}/${approval}`), shown);
  assert.deepEqual((await app.ok("GET", `${APPROVALS}?status=approved`)).items, []);
  assert.equal((await app.call("GET", `${APPROVALS}/apr_none`)).body.code, "approval_not_found");
  assert.equal((await app.call("GET", `${APPROVALS}?status=open`)).status, 422);
  const own = await app.ok("GET", `${APPROVALS}/${approval}/why`);
  assert.deepEqual([own.status, own.blocked], ["pending", shown?.blocked]);
  assert.deepEqual(own.explanation, [
    `Session ${session} waits for it. ${(own.blocked as JsonObject).message}`,
    "It is asked again at 2023-11-14T22:23:20.000000Z.",
    `When nobody has decided by ${expiresAt}, it expires.`,
  ]);
  const why = await app.ok("GET", `${SESSIONS}/${session}/why`);
  const blocked = why.blocked as JsonObject;
  assert.equal(blocked.reason, "waiting_for_approval");
  assert.equal(
    blocked.message,
    `Step \`ok\` waits for a decision on approval ${approval}, until ${expiresAt} at most.`,
  );
  assert.deepEqual(blocked.details, { stepId: "ok", until: expiresAt, approvalId: approval });
});

test("a decision names the key that made it, and is final; the same one again is answered the same", async () => {
  const { session, approval } = await ask(app);
  const ann = await keyFor(app, "ann", ["approvals:write"]);
  const first = await decide(approval, "approve", ann, { comment: "fine" });
  assert.equal(first.status, 200);
  assert.deepEqual([first.body.status, first.body.comment, first.body.blocked], ["approved", "fine", null]);
  assert.match(first.body.decidedBy as string, /^ann \(key_[^)]+\)$/);
  app.time.advance(1_000);
  assert.deepEqual((await decide(approval, "approve", ann, { comment: "again" })).body, first.body);
  for (const [decision, key] of [["reject", ann] as const, ["approve", undefined] as const]) {
    const other = await decide(approval, decision, key);
    assert.deepEqual([other.status, other.body.code], [409, "approval_decided"]);
  }
  const { result, status } = await app.ok("GET", `${SESSIONS}/${session}`);
  const by = first.body.decidedBy;
  assert.deepEqual([status, (result as JsonObject).by, (result as JsonObject).comment], ["completed", by, "fine"]);
});

test("the body may be left out", async () => {
  const { approval } = await ask(app);
  const answer = await app.call("POST", `${APPROVALS}/${approval}/reject`);
  assert.deepEqual([answer.status, answer.body.status, answer.body.decidedBy], [200, "rejected", "operator"]);
});

test("a decision about something else than is asked is refused as stale, and one that is no decision too", async () => {
  const { approval } = await ask(app);
  const stale = await decide(approval, "approve", undefined, { subjectHash: "0".repeat(64) });
  assert.deepEqual([stale.status, stale.body.code], [409, "approval_stale"]);
  assert.equal((await decide(approval, "approve", undefined, { coment: "x" })).status, 422);
  assert.equal((await decide(approval, "approve", undefined, { comment: "x".repeat(10_001) })).status, 422);
  const { status, subjectHash } = await app.ok("GET", `${APPROVALS}/${approval}`);
  assert.equal(status, "pending");
  assert.equal((await decide(approval, "approve", undefined, { subjectHash: subjectHash ?? null })).status, 200);
});

test("a decision after the session was cancelled, or on what was never asked, changes nothing", async () => {
  const { session, approval } = await ask(app);
  await app.ok("POST", `${SESSIONS}/${session}/cancel`, { body: {} });
  const late = await decide(approval, "approve");
  assert.deepEqual([late.status, late.body.code], [409, "approval_decided"]);
  assert.match(late.body.detail as string, /is cancelled already/);
  assert.equal((await app.ok("GET", `${SESSIONS}/${session}`)).status, "cancelled");
  assert.equal((await decide("apr_none", "approve")).body.code, "approval_not_found");
});

test("who has not the scope may not decide, nor make a link; nor may agents, whatever their keys say", async () => {
  const { approval } = await ask(app);
  const agent = await app.pullAgent("worker");
  const reader = await keyFor(app, "reader", ["approvals:read", "sessions:write", "keys:write"]);
  const writer = await keyFor(app, "writer", ["approvals:write"]);
  for (const path of ["approve", "reject", "links"]) {
    for (const [key, status] of [[null, 401] as const, [reader, 403] as const, [agent.key, 403] as const]) {
      const answer = await app.call("POST", `${APPROVALS}/${approval}/${path}`, { body: {}, key });
      assert.equal(answer.status, status, path);
    }
  }
  for (const [key, status] of [[null, 401] as const, [agent.key, 403] as const, [writer, 403] as const]) {
    assert.equal((await app.call("GET", APPROVALS, { key })).status, status);
    assert.equal((await app.call("GET", `${APPROVALS}/${approval}`, { key })).status, status);
  }
  const body = { name: "worker", scopes: ["approvals:write"], agentId: agent.id };
  assert.equal((await app.call("POST", "/v1/opscore/keys", { body })).status, 422);
  assert.equal((await app.ok("GET", `${APPROVALS}/${approval}`, { key: reader })).status, "pending");
});

test("where the step names approvers, keys of those names may decide, and admins", async () => {
  const [one, two] = [await ask(app, { approvers: ["ann"] }), await ask(app, { approvers: ["ann"] })];
  const ann = await keyFor(app, "ann", ["approvals:write"]);
  const bob = await keyFor(app, "bob", ["approvals:write", "keys:write"]);
  for (const path of ["approve", "reject", "links"]) {
    const refused = await app.call("POST", `${APPROVALS}/${one.approval}/${path}`, { body: {}, key: bob });
    assert.deepEqual([refused.status, refused.body.detail], [403, "Only `ann` may decide this."]);
  }
  assert.equal((await decide(one.approval, "approve", ann)).status, 200);
  assert.equal((await decide(two.approval, "reject")).status, 200);
});

test("a key cannot make itself an approver by another name", async () => {
  const bob = await keyFor(app, "bob", ["approvals:write", "keys:write"]);
  const create = (name: string, scopes: string[]) =>
    app.call("POST", "/v1/opscore/keys", { body: { name, scopes }, key: bob });
  assert.deepEqual((await create("ann", ["approvals:write"])).body.code, "forbidden");
  assert.equal((await create("bob", ["approvals:write"])).status, 201);
  assert.equal((await create("ann", ["keys:write"])).status, 201);
});

test("a link is for whom it was made, as long as was said, but not beyond the approval", async () => {
  const { approval } = await ask(app, { timeout: "10h" });
  const links = `${APPROVALS}/${approval}/links`;
  const made = await app.call("POST", links, { body: {} });
  assert.equal(made.status, 201);
  const { linkId, url, ...rest } = made.body;
  assert.deepEqual(rest, {
    approvalId: approval,
    decision: "any",
    for: "operator",
    expiresAt: "2023-11-15T08:13:20.000000Z",
  });
  const address = new URL(url as string);
  assert.equal(address.pathname, `/v1/opscore/approval-links/${linkId}`);
  assert.ok((address.searchParams.get("token") ?? "").length >= 43, "256 bits");
  const other = await app.ok("POST", links, { body: { decision: "reject", expiresIn: "2h", for: "carol" } });
  assert.deepEqual([other.decision, other.for, other.expiresAt], ["reject", "carol", "2023-11-15T00:13:20.000000Z"]);
  assert.notEqual(new URL(other.url as string).searchParams.get("token"), address.searchParams.get("token"));
  for (const expiresIn of ["31d", "soon", "59s"]) {
    assert.equal((await app.call("POST", links, { body: { expiresIn } })).status, 422, expiresIn);
  }
  assert.equal((await app.call("POST", links, { body: { for: "" } })).status, 422);
  await decide(approval, "approve");
  assert.equal((await app.call("POST", links, { body: {} })).body.code, "approval_decided");
});
