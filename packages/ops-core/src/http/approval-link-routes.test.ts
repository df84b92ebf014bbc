import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { TestApp } from "../app/test-app.ts";

const APPROVALS = "/v1/opscore/approvals";

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

async function ask(approval: JsonObject = {}): Promise<JsonObject> {
  const workflow = { id: "asks", tasks: [{ taskId: "ok", approval: { message: "Publish?", ...approval } }] };
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow } });
  const { items } = await app.ok("GET", `${APPROVALS}?session=${sessionId}`);
  return (items as JsonObject[])[0] ?? assert.fail("nothing is asked");
}

/** A link's path and query. */
async function link({ approvalId }: JsonObject, body: JsonObject = {}, key?: string): Promise<string> {
  const call = { body, ...(key === undefined ? {} : { key }) };
  const { url } = await app.ok("POST", `${APPROVALS}/${approvalId}/links`, call);
  const { pathname, search } = new URL(url as string);
  return pathname + search;
}

const statusOf = async ({ approvalId }: JsonObject) => (await app.ok("GET", `${APPROVALS}/${approvalId}`)).status;

/** What a browser is answered. */
async function open(url: string) {
  const { statusCode, body, headers } = await app.app.http.inject({ method: "GET", url });
  return { status: statusCode, html: body, headers };
}

async function submit(url: string, fields: Record<string, string>, type = "application/x-www-form-urlencoded") {
  const payload = new URLSearchParams(fields).toString();
  const answer = await app.app.http.inject({ method: "POST", url, headers: { "content-type": type }, payload });
  return { status: answer.statusCode, html: answer.body, headers: answer.headers };
}

const hashOf = (approval: JsonObject) => ({ subjectHash: approval.subjectHash as string });

test("a link's page shows what is asked, loads and runs nothing, and opening it decides nothing", async () => {
  const approval = await ask({ details: { price: 3 } });
  const url = await link(approval, { for: "carol" });
  const { status, html, headers } = await open(url);
  assert.equal(status, 200);
  assert.match(html, /Publish\?/);
  assert.match(html, /&quot;price&quot;: 3/);
  assert.match(html, /This link is for carol\. It can be used once, until 2023-11-15/);
  assert.match(html, /value="approve"/);
  assert.match(html, /value="reject"/);
  assert.doesNotMatch(html, /<script|src=|href=|token=/);
  const policy = String(headers["content-security-policy"]);
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; .*frame-ancestors 'none'$/);
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["cache-control"], "no-store");
  assert.match(String(headers["content-type"]), /^text\/html/);
  for (let n = 0; n < 3; n++) await open(url);
  assert.equal(await statusOf(approval), "pending");
});

test("the form decides, once, in the name of whom the link is for", async () => {
  const approval = await ask();
  const url = await link(approval, { for: "carol" });
  const { status, html } = await submit(url, { decision: "reject", comment: "  too\r\ndear ", ...hashOf(approval) });
  assert.equal(status, 200);
  assert.match(html, /The request is rejected/);
  const decided = await app.ok("GET", `${APPROVALS}/${approval.approvalId}`);
  const [, linkId] = /links\/(lnk_[^?]+)/.exec(url) ?? [];
  assert.deepEqual([decided.decidedBy, decided.comment], [`link ${linkId} for carol`, "too\ndear"]);
  for (const again of [await submit(url, { decision: "reject", ...hashOf(approval) }), await open(url)]) {
    assert.deepEqual([again.status, again.headers["x-error-code"]], [410, "approval_link_ended"]);
    assert.match(again.html, /has been used.*The request is rejected/s);
  }
});

test("a link that does not fit, is too late or was withdrawn says so, and decides nothing", async () => {
  const { key, secret } = await app.ok("POST", "/v1/opscore/keys", {
    body: { name: "ann", scopes: ["approvals:write"] },
  });
  const approval = await ask();
  const short = await link(approval, { expiresIn: "1m" });
  const withdrawn = await link(approval, {}, secret as string);
  const expect = async (url: string, status: number, text: RegExp) => {
    for (const answer of [await open(url), await submit(url, { decision: "approve", ...hashOf(approval) })]) {
      assert.equal(answer.status, status);
      assert.match(answer.html, text);
      assert.equal(answer.headers["referrer-policy"], "no-referrer");
    }
  };
  await expect(short.replace(/token=./, "token=!"), 404, /no such link/);
  await expect(short.replace(/\?.*/, ""), 404, /no such link/);
  await expect(`${short}&token=x`, 404, /no such link/);
  await expect(short.replace(/lnk_[^?]+/, "lnk_none"), 404, /no such link/);
  await app.ok("DELETE", `/v1/opscore/keys/${(key as JsonObject).keyId}`);
  await expect(withdrawn, 410, /was withdrawn/);
  app.time.advance(60_000);
  await expect(short, 410, /has expired/);
  assert.equal(await statusOf(approval), "pending");
  const late = await link(approval);
  await app.ok("POST", `${APPROVALS}/${approval.approvalId}/approve`);
  await expect(late, 409, /request is approved/);
});

test("a form that is not the page's is refused", async () => {
  const approval = await ask();
  const url = await link(approval, { decision: "approve" });
  assert.doesNotMatch((await open(url)).html, /value="reject"/);
  const hash = hashOf(approval);
  const refusals: [status: number, answer: { status: number }][] = [
    [422, await submit(url, { decision: "reject", ...hash })],
    [422, await submit(url, { decision: "maybe", ...hash })],
    [422, await submit(url, { decision: "approve", comment: "x".repeat(10_001), ...hash })],
    [422, await submit(url, { decision: "approve", comment: "a\u0000b", ...hash })],
    [409, await submit(url, { decision: "approve", subjectHash: "other" })],
    [415, await submit(url, { decision: "approve", ...hash }, "text/plain")],
    [413, await submit(url, { decision: "approve", comment: "x".repeat(70_000), ...hash })],
  ];
  for (const [status, answer] of refusals) assert.equal(answer.status, status);
  assert.equal(await statusOf(approval), "pending");
  assert.equal((await submit(url, { decision: "approve", ...hash })).status, 200);
});

test("text of a workflow is text on the page", async () => {
  const evil = `</div><script>alert(1)</script><img src=x onerror="a">'\u202e&amp;`;
  const details: JsonValue = { [evil]: evil };
  const approval = await ask({ message: evil, details });
  const url = await link(approval, { for: evil });
  const { html } = await open(url);
  assert.doesNotMatch(html, /<script|<img|\u202e/);
  assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt;.*&#39;&amp;amp;/);
  const { html: after } = await submit(url, { decision: "approve", comment: evil, ...hashOf(approval) });
  assert.doesNotMatch(after, /<script|<img/);
});

test("the token of a link is in no log line", async () => {
  const url = await link(await ask());
  await app.start();
  await fetch(app.app.url + url);
  await fetch(`${app.app.url}${url}x`);
  const [, token = ""] = /token=(.+)$/.exec(url) ?? [];
  assert.equal(token.length, 44);
  const lines = JSON.stringify(app.log);
  assert.match(lines, /approval-links\/lnk_/);
  assert.ok(!lines.includes(token));
});
