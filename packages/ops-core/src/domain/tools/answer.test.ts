import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpResponse } from "../http-client.ts";
import { readToolAnswer } from "./answer.ts";

const NOW = 1_700_000_000_000_000;

function read(status: number, body: string, rest: Partial<HttpResponse> = {}) {
  return readToolAnswer(
    { kind: "response", status, headers: {}, body: Buffer.from(body), truncated: false, ...rest },
    NOW,
  );
}

test("a tool's JSON is the result as it stands, numbers to the last digit", () => {
  for (const json of [
    '{"big":12345678901234567890,"n":1.0}',
    '{"status":"completed","result":5}',
    "[1]",
    '"ok"',
    "null",
  ]) {
    assert.deepEqual(read(200, json), { type: "succeeded", result: json, evidence: "answer" }, json);
  }
  assert.equal(read(299, "1").type, "succeeded");
});

test("an empty 2xx is a result of nothing", () => {
  assert.deepEqual(read(204, ""), { type: "succeeded", result: null, evidence: "answer" });
});

test("a 2xx that cannot be read is a failure, and the call is not made again", () => {
  const unreadable: [string, Partial<HttpResponse>][] = [
    ["ok", {}],
    ["<html>", {}],
    [" ", {}],
    ['{"a":1}', { truncated: true }],
    ["", { truncated: true }],
    ["[".repeat(100) + "]".repeat(100), {}],
  ];
  for (const [body, rest] of unreadable) {
    const outcome = read(200, body, rest);
    assert.partialDeepStrictEqual(outcome, {
      type: "failed",
      reason: "rejected",
      error: { code: "answer_unreadable", retryable: false },
    });
  }
});

test("`status: error` is a failure here as for a synchronous call, in the tool's own words, and tried again", () => {
  const messageOf = (said: unknown) => {
    const outcome = read(200, JSON.stringify({ status: "error", error_message: said }));
    assert.ok(outcome.type === "failed");
    assert.deepEqual([outcome.reason, outcome.error.code, outcome.evidence], ["agent_error", "tool_error", "answer"]);
    return outcome.error.message;
  };
  assert.equal(messageOf("no such place"), "no such place");
  assert.equal(messageOf({ why: 1 }), '{"why":1}');
  for (const nothing of [undefined, null, ""]) assert.equal(messageOf(nothing), "The tool reported an error.");
  assert.equal(messageOf("x".repeat(5_000)).length, 1_000);
  assert.ok(messageOf(`${"x".repeat(999)}😀`).isWellFormed());
});

test("what may pass is tried again, after as long as was asked for; the rest is final", () => {
  for (const status of [408, 425, 429, 500, 503, 599]) {
    const outcome = read(status, "secret", { headers: { "retry-after": "3" } });
    assert.deepEqual(outcome, {
      type: "failed",
      reason: "unavailable",
      error: { code: `http_${status}`, message: `The tool answered ${status}.` },
      evidence: null,
      retryAfter: 3_000_000,
    });
  }
  for (const status of [301, 307, 400, 401, 404, 409, 422]) {
    assert.deepEqual(read(status, '{"status":"completed"}'), {
      type: "failed",
      reason: "rejected",
      error: { code: `http_${status}`, message: `The tool answered ${status}.`, retryable: false },
      evidence: null,
    });
  }
});
