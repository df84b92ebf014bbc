import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEndpointUrl } from "./endpoint-url.ts";

describe("a normalised endpoint", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["http://h", "http://h/"],
    ["http:h", "http://h/"],
    ["http:///h", "http://h/"],
    ["HTTP://EX.com:80/", "http://ex.com/"],
    ["https://h:443", "https://h/"],
    ["https://h:80", "https://h:80/"],
    ["http://h:", "http://h/"],
    ["http://127.1/", "http://127.0.0.1/"],
    ["http://0x7f.1", "http://127.0.0.1/"],
    ["http://[::1]:8080/a", "http://[::1]:8080/a"],
    [" http://h ", "http://h/"],
    ["\thttp://h\n", "http://h/"],
    ["http://h/a b", "http://h/a%20b"],
    ["http://é.com/é?é", "http://xn--9ca.com/%C3%A9?%C3%A9"],
    ["http://h/../a/./b", "http://h/a/b"],
    ["http://h?x=1#f", "http://h/?x=1#f"],
    ["http://h\\a", "http://h/a"],
    ["http://@h", "http://h/"],
    ["http://test-receiver.local", "http://test-receiver.local/"],
    ["http://simulated_agent_service:8080/task", "http://simulated_agent_service:8080/task"],
  ];
  for (const [text, href] of cases) {
    it(`of ${JSON.stringify(text)} is ${href}`, () => assert.deepEqual(parseEndpointUrl(text), { href }));
  }
});

describe("a URL that cannot be parsed", () => {
  const reasons: readonly (readonly [string, readonly string[]])[] = [
    ["input is empty", [""]],
    [
      "relative URL without a base",
      ["  ", "x", "//h", "/a", "\\\\h", "localhost", "127.0.0.1:80", "://h", "1http://h"],
    ],
    ["empty host", ["http:", "http://", "http:///", "http://:80/", "http:?a", "http:#", "http://@", "http://u@:80"]],
    ["invalid port number", ["http://h:99999", "http://h:abc", "http://h:-1", "http://h:80:80", "http://[::1]:99999"]],
    ["invalid IPv6 address", ["http://[::1", "http://[::1]x", "http://[gg::]", "http://[1:2:3:4:5:6:7:8:9]"]],
    ["invalid IPv4 address", ["http://1.2.3.256", "http://1.2.3.4.5", "http://4294967296", "http://1..2", "http://08"]],
    ["invalid international domain name", ["http://a b", "http://a%20b", "http://a%", "http://a<b", "http://a|b"]],
  ];
  for (const [reason, texts] of reasons) {
    for (const text of texts) {
      it(`such as ${JSON.stringify(text)} is told: ${reason}`, () => {
        assert.deepEqual(parseEndpointUrl(text), { type: "url_parsing", reason });
      });
    }
  }

  it("is found in what is left after blanks, tabs and line breaks are dropped", () => {
    assert.deepEqual(parseEndpointUrl(" ht\ntp://h:9x "), { type: "url_parsing", reason: "invalid port number" });
  });
});

it("refuses every scheme but http and https", () => {
  for (const text of [
    "ftp://h",
    "file:///a",
    "javascript:alert(1)",
    "mailto:a@b",
    "ws://h",
    "localhost:8000",
    "data:,",
  ]) {
    assert.deepEqual(parseEndpointUrl(text), { type: "url_scheme" });
  }
});

it("takes 2083 bytes as sent and refuses one more, before it looks at anything else", () => {
  const filled = (start: string, bytes: number) =>
    start.padEnd(bytes - new TextEncoder().encode(start).length + start.length, "a");
  for (const start of ["http://h/", "http://é/", " http://h/", "HTTP://h"]) {
    assert.ok("href" in parseEndpointUrl(filled(start, 2083)), start);
    assert.deepEqual(parseEndpointUrl(filled(start, 2084)), { type: "url_too_long" }, start);
  }
  assert.deepEqual(parseEndpointUrl(filled("ftp://h/", 2084)), { type: "url_too_long" });
});
