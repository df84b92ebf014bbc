import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";

const APPROVALS = "/v1/opscore/approvals";
const KEYS = "/v1/opscore/keys";

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

/** Starts a workflow that asks; the approval. */
async function ask(approval: JsonObject = {}, more: JsonObject = {}): Promise<JsonObject> {
  const workflow = { id: "asks", tasks: [{ taskId: "ok", approval: { message: "Publish?", ...approval } }] };
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow, ...more } });
  const { items } = await app.ok("GET", `${APPROVALS}?session=${sessionId}`);
  return (items as JsonObject[])[0] ?? assert.fail("nothing is asked");
}

async function keyOf(name: string, ...scopes: string[]): Promise<{ id: string; secret: string }> {
  const { key, secret } = await app.ok("POST", KEYS, { body: { name, scopes } });
  return { id: (key as JsonObject).keyId as string, secret: secret as string };
}

const post = (approval: JsonObject, verb: string, body?: JsonObject, key?: string) =>
  app.call("POST", `${APPROVALS}/${approval.approvalId}/${verb}`, {
    ...(body === undefined ? {} : { body }),
    ...(key === undefined ? {} : { key }),
  });

test("an approval says what is asked, since when it waits and for whom", async () => {
  const approval = await ask({ details: { price: 3 }, timeout: "1h", remindEvery: "20m", approvers: ["ann", "bob"] });
  assert.deepEqual(await app.ok("GET", `${APPROVALS}/${approval.approvalId}`), approval);
  const { approvalId, sessionId, subjectHash, ...rest } = approval;
  assert.match(approvalId as string, /^apr_/);
  assert.match(subjectHash as string, /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    workflowId: "asks",
    stepId: "ok",
    status: "pending",
    message: "Publish?",
    details: { price: 3 },
    approvers: ["ann", "bob"],
    requestedAt: "2023-11-14T22:13:20.000000Z",
    expiresAt: "2023-11-14T23:13:20.000000Z",
    reminders: 0,
    nextReminderAt: "2023-11-14T22:33:20.000000Z",
    endedAt: null,
    decidedBy: null,
    comment: null,
    blocked: {
      reason: "waiting_for_decision",
      message: "A key named `ann`, `bob` has to approve or reject it, before 2023-11-14T23:13:20.000000Z.",
      since: "2023-11-14T22:13:20.000000Z",
      details: { stepId: "ok", approvers: ["ann", "bob"] },
    },
  });
  const why = await app.ok("GET", `/v1/opscore/sessions/${sessionId}/why`);
  assert.match(JSON.stringify(why.explanation), new RegExp(`decision on approval ${approvalId}`));
  assert.equal((await app.call("GET", `${APPROVALS}/apr_none`)).body.code, "approval_not_found");
});

test("who decides is who the key says, whatever the body says, and the session's result has it", async () => {
  const ann = await keyOf("ann", "approvals:write");
  const approval = await ask();
  const claimed = await post(approval, "approve", { decidedBy: "bob" }, ann.secret);
  assert.equal(claimed.status, 422);
  const { status, body } = await post(approval, "approve", { comment: "Fine." }, ann.secret);
  assert.deepEqual([status, body.status, body.decidedBy], [200, "approved", `ann (${ann.id})`]);
  assert.equal(body.blocked, null);
  const session = await app.ok("GET", `/v1/opscore/sessions/${approval.sessionId}`);
  assert.deepEqual(session.result, {
    approved: true,
    by: `ann (${ann.id})`,
    comment: "Fine.",
    at: "2023-11-14T22:13:20.000000Z",
  });
});

test("the same decision by the same key again is answered the same, any other is refused", async () => {
  const [ann, bob] = [await keyOf("ann", "approvals:write"), await keyOf("bob", "approvals:write")];
  const approval = await ask();
  const first = await post(approval, "reject", { comment: "no" }, ann.secret);
  app.time.advance(1_000);
  const again = await post(approval, "reject", undefined, ann.secret);
  assert.deepEqual([again.status, again.body], [200, first.body]);
  for (const [verb, key] of [
    ["approve", ann],
    ["reject", bob],
  ] as const) {
    assert.equal((await post(approval, verb, undefined, key.secret)).body.code, "approval_decided");
  }
  const { error } = await app.ok("GET", `/v1/opscore/sessions/${approval.sessionId}`);
  assert.deepEqual(error, { code: "rejected", message: `ann (${ann.id}) rejected it: no`, retryable: false });
});

test("a decision on what has another hash is stale", async () => {
  const approval = await ask();
  assert.equal((await post(approval, "approve", { subjectHash: "other" })).body.code, "approval_stale");
  const { subjectHash } = approval;
  assert.equal((await post(approval, "approve", { subjectHash: subjectHash as string })).status, 200);
});

test("deciding takes the scope, and one of the names where the step has some; admin keys decide everything", async () => {
  const reader = await keyOf("ann", "approvals:read", "sessions:write");
  const bob = await keyOf("bob", "approvals:write");
  const ann = await keyOf("ann", "approvals:write");
  const open = await ask();
  const named = await ask({ approvers: ["ann"] });
  for (const verb of ["approve", "reject", "links"]) {
    assert.equal((await post(open, verb, {}, reader.secret)).body.code, "forbidden");
    const refused = await post(named, verb, {}, bob.secret);
    assert.deepEqual([refused.body.code, refused.body.detail], ["forbidden", "Only `ann` may decide this."]);
  }
  assert.equal((await app.call("GET", APPROVALS, { key: bob.secret })).body.code, "forbidden");
  assert.equal((await app.call("GET", APPROVALS, { key: null })).body.code, "unauthenticated");
  assert.equal((await post(open, "approve", {}, bob.secret)).status, 200);
  assert.equal((await post(named, "approve", {}, ann.secret)).status, 200);
  const byAdmin = await post(await ask({ approvers: ["ann"] }), "approve");
  assert.deepEqual([byAdmin.status, byAdmin.body.decidedBy], [200, "operator"]);
  const agent = await app.pullAgent("worker");
  assert.equal((await post(await ask(), "approve", {}, agent.key)).body.code, "forbidden");
});

test("nobody but an admin makes keys with which another name could decide", async () => {
  const maker = await keyOf("maker", "keys:write", "approvals:write");
  const make = (name: string, scopes: string[]) =>
    app.call("POST", KEYS, { body: { name, scopes }, key: maker.secret });
  assert.equal((await make("ann", ["approvals:write"])).body.code, "forbidden");
  assert.equal((await make("maker", ["approvals:write"])).status, 201);
  assert.equal((await make("ann", ["keys:write"])).status, 201);
});

test("approvals are listed by status and workflow, page by page", async () => {
  const first = await ask();
  const second = await ask();
  await post(first, "approve");
  const found = async (query: string) => {
    const { items, nextCursor } = await app.ok("GET", `${APPROVALS}?${query}`);
    return { ids: (items as JsonObject[]).map(({ approvalId }) => approvalId), nextCursor };
  };
  assert.deepEqual((await found("")).ids, [second.approvalId, first.approvalId]);
  assert.deepEqual((await found("status=approved")).ids, [first.approvalId]);
  assert.deepEqual((await found("workflow=other")).ids, []);
  const { ids, nextCursor } = await found("workflow=asks&limit=1");
  assert.deepEqual(ids, [second.approvalId]);
  assert.deepEqual((await found(`limit=1&cursor=${nextCursor}`)).ids, [first.approvalId]);
  assert.equal((await app.call("GET", `${APPROVALS}?status=maybe`)).status, 422);
});

test("a link is made with a lifetime, which the approval's own bounds", async () => {
  const approval = await ask({ timeout: "2h" });
  const { status, body } = await post(approval, "links", { decision: "approve", expiresIn: "1h", for: "carol" });
  assert.equal(status, 201);
  const { linkId, url, ...rest } = body;
  assert.deepEqual(rest, {
    approvalId: approval.approvalId,
    decision: "approve",
    for: "carol",
    expiresAt: "2023-11-14T23:13:20.000000Z",
  });
  assert.match(url as string, new RegExp(`^http://.*/v1/opscore/approval-links/${linkId}\\?token=[\\w-]{44}$`));
  const plain = await post(approval, "links");
  assert.deepEqual(
    [plain.body.decision, plain.body.for, plain.body.expiresAt],
    ["any", "operator", "2023-11-15T00:13:20.000000Z"],
  );
  assert.equal((await post(approval, "links", { expiresIn: "31d" })).status, 422);
  assert.equal((await post(approval, "links", { decision: "maybe" })).status, 422);
  const stored = await app.app.store.approvals.link(linkId as string);
  assert.ok(stored !== null && !(url as string).includes(stored.hash));
  assert.match(stored.hash, /^[0-9a-f]{64}$/);
});
