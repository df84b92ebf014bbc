import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../app/test-app.ts";
import { APPROVALS, ask, keyFor, SESSIONS } from "./test-approvals.ts";

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

async function linkTo(approval: string, body: JsonObject = {}, key?: string): Promise<string> {
  const call = { body, ...(key === undefined ? {} : { key }) };
  const { pathname, search } = new URL((await app.ok("POST", `${APPROVALS}/${approval}/links`, call)).url as string);
  return pathname + search;
}

async function open(url: string) {
  return app.app.http.inject({ url });
}

/** Sends the form as a browser does: what the page holds, and what was chosen. */
async function send(url: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const { store } = app.app;
  const link = await store.approvals.link(/approval-links\/([\w-]+)/.exec(url)?.[1] ?? "");
  const approval = await store.approvals.get(link?.approvalId ?? "");
  return app.app.http.inject({
    method: "POST",
    url,
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    payload: new URLSearchParams({ subjectHash: approval?.subjectHash ?? "", ...fields }).toString(),
  });
}

const approve = { decision: "approve" };
const titleOf = (html: string) => /<h1>(.*)<\/h1>/.exec(html)?.[1];

test("opening a link shows the question and changes nothing, however often", async () => {
  const { session, approval } = await ask(app, { details: { price: 3 }, timeout: "1h" });
  const url = await linkTo(approval, { for: "carol" });
  const before = await app.ok("GET", `${APPROVALS}/${approval}`);
  const events = await app.ok("GET", `${SESSIONS}/${session}/events`);
  for (let n = 0; n < 3; n += 1) assert.equal((await open(url)).statusCode, 200);
  const { body } = await open(url);
  assert.equal(titleOf(body), "A decision is needed");
  for (const text of ["Publish?", "&quot;price&quot;: 3", session, "2023-11-14\u00a023:13:20\u00a0UTC", "for carol"]) {
    assert.ok(body.includes(text), text);
  }
  assert.deepEqual(await app.ok("GET", `${APPROVALS}/${approval}`), before);
  assert.deepEqual(await app.ok("GET", `${SESSIONS}/${session}/events`), events);
  for (const method of ["HEAD", "PUT", "DELETE"] as const) {
    assert.equal((await app.app.http.inject({ method, url })).statusCode, 405);
  }
});

test("the form decides once, in the name of the link, and tells what became of it", async () => {
  const { session, approval } = await ask(app);
  const url = await linkTo(approval, { for: "carol" });
  const done = await send(url, { ...approve, comment: "line one\r\nline two " });
  assert.equal(done.statusCode, 200);
  assert.equal(titleOf(done.body), "The request is approved");
  const { status, decidedBy, comment } = await app.ok("GET", `${APPROVALS}/${approval}`);
  assert.deepEqual([status, comment], ["approved", "line one\nline two"]);
  assert.match(decidedBy as string, /^link lnk_[\w-]+ of operator for carol$/);
  assert.equal((await app.ok("GET", `${SESSIONS}/${session}`)).status, "completed");
  for (const again of [await open(url), await send(url, { decision: "reject" })]) {
    assert.deepEqual([again.statusCode, again.headers["x-error-code"]], [410, "approval_link_ended"]);
    assert.equal(titleOf(again.body), "This link has been used");
    assert.match(again.body, /The request is approved\./);
    assert.ok(!again.body.includes("<form"));
  }
});

test("two people who press the button in the same moment decide once", async () => {
  const { approval } = await ask(app);
  const url = await linkTo(approval);
  const answers = await Promise.all([send(url, approve), send(url, { decision: "reject" })]);
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).toSorted(), [200, 410]);
});

test("what was decided elsewhere, has expired or was cancelled has a page that says so", async () => {
  const asked = await ask(app, { timeout: "2h" });
  const url = await linkTo(asked.approval, { expiresIn: "1h" });
  app.time.advance(3_600_000);
  const expired = await open(url);
  assert.deepEqual([expired.statusCode, titleOf(expired.body)], [410, "This link has expired"]);
  assert.equal((await send(url, approve)).statusCode, 410);
  const late = await linkTo(asked.approval);
  await app.ok("POST", `${APPROVALS}/${asked.approval}/reject`);
  for (const answer of [await open(late), await send(late, approve)]) {
    assert.deepEqual([answer.statusCode, answer.headers["x-error-code"]], [409, "approval_decided"]);
    assert.match(answer.body, /The request is rejected\./);
  }
  const other = await ask(app);
  const cancelled = await linkTo(other.approval);
  await app.ok("POST", `${SESSIONS}/${other.session}/cancel`, { body: {} });
  const answer = await open(cancelled);
  assert.equal(answer.statusCode, 409);
  assert.match(answer.body, /The request is cancelled\./);
});

test("a link ends with the key that made it", async () => {
  const { approval } = await ask(app);
  const secret = await keyFor(app, "ann", ["approvals:write"]);
  const url = await linkTo(approval, {}, secret);
  assert.equal((await open(url)).statusCode, 200);
  const [key] = (await app.ok("GET", "/v1/opscore/keys")).items as JsonObject[];
  await app.ok("DELETE", `/v1/opscore/keys/${key?.keyId}`);
  for (const answer of [await open(url), await send(url, approve)]) {
    assert.deepEqual([answer.statusCode, titleOf(answer.body)], [410, "This link was withdrawn"]);
  }
  assert.equal((await app.ok("GET", `${APPROVALS}/${approval}`)).status, "pending");
});

test("a wrong token, none, two, or another link's is answered as if there were no such link", async () => {
  const { approval } = await ask(app);
  const [url, other] = [await linkTo(approval), await linkTo(approval)];
  const [path, token] = url.split("?token=");
  const foreign = other.split("?token=")[1];
  const wrong = [`${path}?token=${foreign}`, `${path}?token=`, `${path}`, `${path}?token=${token}&token=${token}`];
  for (const each of [...wrong, `${path}?token=${token}x`, `/v1/opscore/approval-links/lnk_none?token=${token}`]) {
    for (const answer of [await open(each), await send(each, approve)]) {
      assert.deepEqual([answer.statusCode, answer.headers["x-error-code"]], [404, "approval_link_not_found"], each);
    }
  }
  assert.equal((await app.ok("GET", `${APPROVALS}/${approval}`)).status, "pending");
});

test("a link for one decision shows that button alone, and takes nothing else", async () => {
  const { approval } = await ask(app);
  const url = await linkTo(approval, { decision: "reject" });
  const { body } = await open(url);
  assert.match(body, /value="reject"/);
  assert.ok(!body.includes('value="approve"'));
  const refused = await send(url, approve);
  assert.equal(refused.statusCode, 422);
  assert.match(refused.body, /This link can only reject\./);
  assert.equal((await send(url, { decision: "reject" })).statusCode, 200);
});

test("a form that is not the page's decides nothing, and leaves the link as it was", async () => {
  const { approval } = await ask(app);
  const url = await linkTo(approval);
  const bad: [fields: Record<string, string>, status: number][] = [
    [{}, 422],
    [{ decision: "maybe" }, 422],
    [{ ...approve, comment: "x".repeat(10_001) }, 422],
    [{ ...approve, comment: "a\u0000b" }, 422],
    [{ ...approve, subjectHash: "0".repeat(64) }, 409],
    [{ ...approve, subjectHash: "" }, 409],
  ];
  for (const [fields, status] of bad)
    assert.equal((await send(url, fields)).statusCode, status, JSON.stringify(fields));
  assert.equal((await send(url, approve, { "content-type": "application/json" })).statusCode, 415);
  assert.equal((await app.app.http.inject({ method: "POST", url })).statusCode, 415);
  assert.equal((await send(url, { ...approve, comment: "é".repeat(10_000) })).statusCode, 200);
});

test("texts of workflows and people are shown as text", async () => {
  const evil = `"><script>alert('1')</script>&amp;\u202e`;
  const { approval } = await ask(app, { message: evil, details: { [evil]: evil } });
  const url = await linkTo(approval, { for: evil.slice(0, 90) });
  const { body } = await open(url);
  assert.ok(!body.includes("<script") && !body.includes("\u202e"));
  assert.ok(body.includes("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"));
  const done = await send(url, { ...approve, comment: evil });
  assert.equal(done.statusCode, 200);
  assert.ok(!done.body.includes("<script"));
});

test("the page loads, runs and frames nothing, is kept nowhere, and tells no other page its address", async () => {
  const { approval } = await ask(app);
  const url = await linkTo(approval);
  const shown = await open(url);
  const style = /<style>(.*)<\/style>/s.exec(shown.body)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  const notFound = await open("/v1/opscore/approval-links/lnk_none?token=x");
  for (const { headers } of [shown, await send(url, approve), await open(url), notFound]) {
    assert.equal(headers["content-type"], "text/html; charset=utf-8");
    assert.equal(
      headers["content-security-policy"],
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["set-cookie"], undefined);
  }
  assert.ok(!/<script|<link|<img|https?:/.test(shown.body));
});

test("a token is in its link and nowhere else: not on the page, in the log, in events, in answers or in the store", async () => {
  const { session, approval } = await ask(app);
  const url = await linkTo(approval);
  const token = new URLSearchParams(url.split("?")[1]).get("token") ?? "";
  const pages = [await open(url), await send(url, { decision: "no" }), await send(url, approve), await open(url)];
  const told = [
    await app.ok("GET", "/v1/opscore/events?limit=200"),
    await app.ok("GET", `${SESSIONS}/${session}`),
    await app.ok("GET", `${APPROVALS}/${approval}`),
    await app.app.store.approvals.link(/lnk_[\w-]+/.exec(url)?.[0] ?? ""),
  ];
  assert.ok(app.log.length > 0, "requests are logged");
  const texts = [...pages.map(({ body }) => body), JSON.stringify(pages.map(({ headers }) => headers))];
  for (const text of [...texts, JSON.stringify(told), JSON.stringify(app.log)]) {
    assert.ok(text.length > 0 && !text.includes(token));
  }
});

test("a process without the API has no links to follow", async () => {
  const gateway = new TestApp({ OPSPAWN_ROLE: "agentkit" });
  assert.equal((await gateway.call("GET", "/v1/opscore/approval-links/lnk_1?token=x", { key: null })).status, 404);
  await gateway.close();
});
