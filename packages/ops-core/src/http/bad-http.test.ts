import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { answerBadHttp } from "./bad-http.ts";
import { exchange, originOf, testServer } from "./testing.ts";

const { app } = testServer();
app.get("/", () => ({ message: "Welcome" }));
app.put("/raw", () => ({}));

before(() => app.listen({ port: 0, host: "127.0.0.1" }));
after(() => app.close());

/** What would be written to a socket in some state, which is always destroyed in the end. */
function answerTo(code: string, state: object): string {
  let written = "";
  let destroyed = code === "ECONNRESET";
  const end = (text: string) => {
    written = text;
  };
  const destroySoon = () => {
    destroyed = true;
  };
  const socket = { writable: true, destroyed: false, end, destroySoon, ...state };
  answerBadHttp(Object.assign(new Error(code), { code }), socket as unknown as Socket, "req-1");
  assert.equal(destroyed || socket.destroyed, true);
  return written;
}

describe("what is no proper HTTP", () => {
  const cases = [
    ["a line that is no request", "NONSENSE\r\n\r\n", 400, "malformed_http", "Bad Request"],
    ["a method nobody knows", "BREW / HTTP/1.1\r\nhost: h\r\n\r\n", 400, "malformed_http", "Bad Request"],
    ["a header without colon", "GET / HTTP/1.1\r\nhost: h\r\nbroken\r\n\r\n", 400, "malformed_http", "Bad Request"],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
      400,
      "malformed_http",
      "Bad Request",
    ],
    [
      "a broken chunk",
      "PUT /raw HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      400,
      "malformed_http",
      "Bad Request",
    ],
    [
      "20 KB of headers",
      `GET / HTTP/1.1\r\nhost: h\r\nx: ${"y".repeat(20_000)}\r\n\r\n`,
      431,
      "headers_too_large",
      "Request Header Fields Too Large",
    ],
    [
      "a path of 20 KB",
      `GET /${"y".repeat(20_000)} HTTP/1.1\r\nhost: h\r\n\r\n`,
      431,
      "headers_too_large",
      "Request Header Fields Too Large",
    ],
  ] as const;
  for (const [name, text, status, code, detail] of cases) {
    it(`${name}: ${status} in JSON`, async () => {
      const answer = await exchange(app, [text]);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} ${detail}\r\n`));
      assert.match(head, /\r\ncontent-type: application\/json\r\n/);
      assert.match(
        head,
        new RegExp(`\r\nx-error-code: ${code}\r\nx-request-id: req-1\r\nx-process-time: 0\\.000000\r\n`),
      );
      assert.deepEqual(JSON.parse(body), { detail });
    });
  }

  it("no host, an unknown expectation, an offered upgrade: served all the same", async () => {
    const extras = ["", "host: h\r\nexpect: tea\r\n", "host: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n"];
    for (const extra of extras) {
      const answer = await exchange(app, [`GET / HTTP/1.1\r\n${extra}\r\n`], /Welcome/);
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(answer, /\{"message":"Welcome"\}$/);
    }
  });

  it("a request that is never finished: 408", () => {
    assert.match(
      answerTo("ERR_HTTP_REQUEST_TIMEOUT", {}),
      /^HTTP\/1\.1 408 Request Timeout\r\n.*"Request Timeout"\}$/s,
    );
  });

  it("gets no answer once another is under way, or when nobody is there to read it", () => {
    assert.equal(answerTo("HPE_INVALID_CONSTANT", { _httpMessage: { headersSent: true } }), "");
    assert.match(answerTo("HPE_INVALID_CONSTANT", { _httpMessage: { headersSent: false } }), / 400 /);
    assert.equal(answerTo("ECONNRESET", {}), "");
    assert.equal(answerTo("HPE_INVALID_CONSTANT", { destroyed: true }), "");
  });

  it("leaves the server answering", async () => {
    assert.equal((await fetch(`${originOf(app)}/`)).status, 200);
  });
});
