import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readJson, readOriginalJson } from "./json-body.ts";
import { rawBody } from "./raw-body.ts";
import { exchange, expectError, originOf, testServer } from "./testing.ts";

const { app } = testServer();
const original = { config: { original: true } };
app.post("/v1/agents/register", original, (request) => ({ body: readOriginalJson(request) ?? "none" }));
app.post("/v1/opscore/agent/:agentId/state", { ...original, bodyLimit: 100_000 }, (request) => ({
  body: readOriginalJson(request) ?? null,
}));
app.post("/v1/opscore/sessions", (request) => ({ body: readJson(request) ?? "none" }));
app.put("/raw", (request) => ({ bytes: rawBody(request).toString("latin1") }));

before(() => app.listen({ port: 0, host: "127.0.0.1" }));
after(() => app.close());

describe("bodies of the originals' routes", () => {
  const send = (payload: string, type?: string) =>
    app.inject({
      method: "POST",
      url: "/v1/agents/register",
      payload,
      headers: type === undefined ? {} : { "content-type": type },
    });

  it("are JSON without a content type, as application/json and as application/*+json", async () => {
    for (const type of [undefined, "", "application/json", "application/json; charset=utf-8", "application/ld+json"]) {
      const answer = await send('{"n":1.0}', type);
      assert.deepEqual([answer.statusCode, answer.body], [200, '{"body":{"n":1.0}}'], type);
    }
  });

  it("are texts otherwise, malformed content types included", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "garbage",
      "a/b/c",
      "multipart/form-data",
      "ä/ö",
    ]) {
      const answer = await send('{"n":1.0}', type);
      assert.deepEqual([answer.statusCode, answer.json()], [200, { body: '{"n":1.0}' }], type);
    }
    assert.deepEqual(
      (
        await app.inject({
          method: "POST",
          url: "/v1/agents/register",
          payload: Buffer.from([0xff]),
          headers: { "content-type": "text/plain" },
        })
      ).json(),
      { body: "\ufffd" },
    );
  });

  it("may be empty, whatever the content type says", async () => {
    for (const type of [undefined, "application/json", "text/plain"]) {
      assert.deepEqual((await send("", type)).json(), { body: "none" });
    }
  });

  it("with a syntax error: the originals' 422 with the offset", async () => {
    const detail = [
      {
        type: "json_invalid",
        loc: ["body", 5],
        msg: "JSON decode error",
        input: {},
        ctx: { error: "expected a value" },
      },
    ];
    const answer = await send('{"a":}');
    expectError(answer, 422, "json_invalid", { detail });
    assert.equal(answer.body, JSON.stringify({ detail }));
  });

  it("beyond our limits: 422 with a list, 413 with a text", async () => {
    const msg = "The JSON is nested more than 64 levels deep.";
    const detail = [{ type: "too_deep", loc: ["body"], msg, input: {} }];
    expectError(await send("[".repeat(900)), 422, "too_deep", { detail });
    const text = [{ type: "invalid_text", loc: ["body", "a"], msg: "NUL characters are not allowed.", input: {} }];
    expectError(await send('{"a":"\\u0000"}'), 422, "invalid_text", { detail: text });
    const large = { detail: "The body has more than 1048576 bytes." };
    expectError(await send(`"${"x".repeat(1_048_576)}"`), 413, "body_too_large", large);
  });
});

describe("bodies of new routes", () => {
  const send = (payload: string, type?: string) =>
    app.inject({
      method: "POST",
      url: "/v1/opscore/sessions",
      payload,
      headers: type === undefined ? {} : { "content-type": type },
    });

  it("are application/json and nothing else", async () => {
    for (const type of ["application/json", "Application/JSON ; charset=utf-8"]) {
      assert.equal((await send('{"n":1.0}', type)).body, '{"body":{"n":1.0}}');
    }
    const detail = "Send the body as application/json.";
    for (const type of [undefined, "", "text/plain", "application/ld+json", "application/jsonx", "garbage"]) {
      const body = { detail, code: "unsupported_media_type", requestId: "req-1" };
      expectError(await send("{}", type), 415, "unsupported_media_type", body);
    }
  });

  it("may be absent", async () => {
    assert.deepEqual((await send("")).json(), { body: "none" });
  });

  it("with a syntax error: 422 with issues, code and request id", async () => {
    const detail = [{ loc: ["body", 1], msg: "expected a property name in double quotes", type: "json_invalid" }];
    const body = { detail, code: "json_invalid", requestId: "req-1" };
    expectError(await send("{", "application/json"), 422, "json_invalid", body);
  });
});

describe("the bytes of a body", () => {
  it("come unchanged, in one piece or many, for routes that verify them", async () => {
    const bytes = '{"é": 1.0 }\r\n\xff\x00';
    const chunked = "PUT /raw HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    const answer = await exchange(app, [chunked, "3\r\nabc\r\n", "4\r\ndefg\r\n", "0\r\n\r\n"]);
    assert.match(answer, /\{"bytes":"abcdefg"\}$/);
    const one = await app.inject({ method: "PUT", url: "/raw", payload: Buffer.from(bytes, "latin1") });
    assert.equal(one.json().bytes, bytes);
  });

  it("end where the route's own limit says", async () => {
    const text = JSON.stringify("x".repeat(50_000));
    const url = "/v1/opscore/agent/a/state";
    assert.equal((await app.inject({ method: "POST", url, payload: text })).body, `{"body":${text}}`);
    const over = await app.inject({ method: "POST", url, payload: JSON.stringify("x".repeat(100_000)) });
    expectError(over, 413, "body_too_large", { detail: "The body has more than 100000 bytes." });
  });

  it("beyond 5 MB are read to their end, so that the sender gets its 413", async () => {
    for (const body of ["x".repeat(5_000_000), new Blob(["x".repeat(5_000_000)]).stream()]) {
      const answer = await fetch(`${originOf(app)}/v1/opscore/sessions`, {
        method: "POST",
        body,
        duplex: "half",
      } as RequestInit);
      assert.equal(answer.status, 413);
      assert.equal(((await answer.json()) as { code: string }).code, "body_too_large");
    }
  });

  it("announced as gigabytes are not waited for", async () => {
    const head = "POST /v1/agents/register HTTP/1.1\r\nhost: h\r\ncontent-length: 9000000000\r\n\r\n";
    const answer = await exchange(app, [head, "x".repeat(100)]);
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /\r\nconnection: close\r\n/);
    assert.match(answer, /\{"detail":"The body has more than 1048576 bytes\."\}$/);
  });
});
