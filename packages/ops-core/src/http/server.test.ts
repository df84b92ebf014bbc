import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OpspawnError } from "@opspawn/contract";
import { OriginalError } from "./errors.ts";
import { rawBody } from "./raw-body.ts";
import { expectError, expectHeaders, testServer } from "./testing.ts";

const issue = { loc: ["body", "a", 0], msg: "Wrong.", type: "wrong" };
const THROWN: Record<string, Error> = {
  plain: new OpspawnError("agent_not_found", "Agent not found: x"),
  late: new OpspawnError("rate_limited", "Too many requests.", { retryAfter: 1.2 }),
  issues: new OpspawnError("workflow_invalid", "Bad.", { issues: [issue] }),
  noIssues: new OpspawnError("no_target", "No target."),
  internal: new OpspawnError("internal", "A defect.", { cause: new Error("secret of ours") }),
  theirs: new OriginalError("agent_not_found", 404, "No state found for agent x"),
  theirList: new OriginalError("invalid_request", 422, [{ type: "t", loc: ["body"], msg: "m", input: null }]),
};

const { app, errors } = testServer();
const original = { config: { original: true } };
app.get("/", original, () => ({ message: "Welcome" }));
app.post("/v1/agents/register", original, () => ({}));
app.post("/v1/opscore/agent/:agentId/state", original, () => ({}));
app.get("/v1/opscore/agent/:agentId/state", original, (request) => request.params);
app.post("/v1/opscore/sessions", () => ({}));
app.get("/v1/opscore/sessions", () => ({ items: [] }));
app.get("/v1/opscore/files/*", (request) => request.params);
for (const [url, options] of [
  ["/fail/new", {}],
  ["/fail/original", original],
] as const) {
  app.post(url, options, (request) => {
    throw THROWN[rawBody(request).toString()] ?? new Error("secret of ours");
  });
}

describe("every answer", () => {
  it("carries the request id, the time taken in seconds, and JSON without charset", async () => {
    const answer = await app.inject({ url: "/" });
    assert.equal(answer.body, '{"message":"Welcome"}');
    expectHeaders(answer);
    assert.equal(answer.headers["x-process-time"], "0.001500");
    assert.equal(answer.headers["x-error-code"], undefined);
  });
});

describe("paths", () => {
  it("unknown: 404, with any method and body", async () => {
    for (const method of ["GET", "POST", "DELETE", "OPTIONS", "PROPFIND"] as const) {
      const payload = method === "POST" ? { headers: { "content-type": "application/json" }, payload: "{" } : {};
      const answer = await app.inject({ method: method as "GET", url: "/v1/agents/unknown", ...payload });
      expectError(answer, 404, "not_found", { detail: "Not Found" });
    }
  });

  it("known, method unknown: 405 naming what is allowed, HEAD and OPTIONS too", async () => {
    const cases = [
      ["PUT", "/v1/agents/register", "POST"],
      ["GET", "/v1/agents/register/", "POST"],
      ["OPTIONS", "/v1/agents/register?x=1", "POST"],
      ["DELETE", "/", "GET"],
      ["PUT", "/v1/opscore/agent/a/state", "POST"],
      ["DELETE", "/v1/opscore/sessions", "POST, GET"],
      ["POST", "/v1/opscore/files/a/b", "GET"],
    ] as const;
    for (const [method, url, allow] of cases) {
      const answer = await app.inject({ method, url });
      expectError(answer, 405, "method_not_allowed", { detail: "Method Not Allowed" });
      assert.equal(answer.headers.allow, allow, `${method} ${url}`);
    }
    const head = await app.inject({ method: "HEAD", url: "/" });
    assert.deepEqual([head.statusCode, head.headers.allow, head.body], [405, "GET", ""]);
  });

  it("with and without a slash at the end: served alike, no redirect", async () => {
    for (const url of ["/v1/opscore/agent/a%20b/state", "/v1/opscore/agent/a%20b/state/"]) {
      const answer = await app.inject({ url });
      assert.deepEqual([answer.statusCode, JSON.parse(answer.body)], [200, { agentId: "a b" }]);
    }
  });

  it("with broken percent-encoding: 404 in JSON", async () => {
    for (const url of [
      "/v1/opscore/agent/%zz/state",
      "/v1/opscore/agent/%/state",
      "/%ff",
      "/v1/opscore/agent/%c3%28/state",
    ]) {
      expectError(await app.inject({ url }), 404, "not_found", { detail: "Not Found" });
    }
  });

  it("with NUL in path or query: 422, since no store could hold it", async () => {
    for (const [url, part] of [
      ["/v1/opscore/agent/a%00/state?x", "path"],
      ["/v1/opscore/agent/a/state?x=%00", "query"],
    ] as const) {
      const detail = [{ type: "invalid_text", loc: [part], msg: "NUL characters are not allowed.", input: {} }];
      expectError(await app.inject({ url }), 422, "invalid_text", { detail });
    }
  });

  it("with an id as long as the headers allow: served", async () => {
    const agentId = "a".repeat(8_000);
    assert.deepEqual((await app.inject({ url: `/v1/opscore/agent/${agentId}/state` })).json(), { agentId });
  });
});

describe("an error a route throws", () => {
  const fail = (path: string, payload: string) => app.inject({ method: "POST", url: `/fail/${path}`, payload });

  it("on new routes: detail, code and request id; a list for 422", async () => {
    const cases = [
      ["plain", 404, "agent_not_found", "Agent not found: x"],
      ["issues", 422, "workflow_invalid", [issue]],
      ["noIssues", 422, "no_target", [{ loc: ["body"], msg: "No target.", type: "no_target" }]],
    ] as const;
    for (const [payload, status, code, detail] of cases) {
      expectError(await fail("new", payload), status, code, { detail, code, requestId: "req-1" });
    }
  });

  it("on the originals' routes: detail alone; theirs is passed on as it is", async () => {
    const cases = [
      ["plain", 404, "agent_not_found", "Agent not found: x"],
      ["issues", 422, "workflow_invalid", [{ ...issue, input: {} }]],
      ["noIssues", 422, "no_target", [{ type: "no_target", loc: ["body"], msg: "No target.", input: {} }]],
      ["theirs", 404, "agent_not_found", "No state found for agent x"],
      ["theirList", 422, "invalid_request", [{ type: "t", loc: ["body"], msg: "m", input: null }]],
    ] as const;
    for (const [payload, status, code, detail] of cases) {
      expectError(await fail("original", payload), status, code, { detail });
    }
  });

  it("says when to try again, in whole seconds", async () => {
    assert.equal((await fail("new", "late")).headers["retry-after"], "2");
  });

  it("that is a defect: told to the log with its request id, and to the caller without its text", async () => {
    errors.length = 0;
    const defect = { detail: "Internal Server Error", code: "internal", requestId: "req-1" };
    expectError(await fail("new", "?"), 500, "internal", defect);
    expectError(await fail("original", "?"), 500, "internal", { detail: "Internal Server Error" });
    expectError(await fail("original", "internal"), 500, "internal", { detail: "A defect." });
    assert.deepEqual(
      errors.map(({ requestId }) => requestId),
      ["req-1", "req-1", "req-1"],
    );
  });
});
