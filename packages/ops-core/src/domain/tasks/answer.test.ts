import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HttpResult } from "../http-client.ts";
import { readAnswer, readRetryAfter } from "./answer.ts";

const NOW = 1_750_000_000_000_000;

type Response = Extract<HttpResult, { kind: "response" }>;

function response(status: number, body: unknown = "", rest: Partial<Response> = {}): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { kind: "response", status, headers: {}, body: Buffer.from(text), truncated: false, ...rest };
}

const read = (status: number, body?: unknown, send = 1) => readAnswer(response(status, body), send, NOW);

test("an answer with an outcome is that outcome", () => {
  assert.deepEqual(read(200, { status: "completed", result: { a: [1] } }), {
    type: "succeeded",
    result: '{"a":[1]}',
    evidence: "answer",
  });
  assert.deepEqual(read(200, { status: "completed" }), { type: "succeeded", result: "null", evidence: "answer" });
  assert.deepEqual(read(201, { status: "completed", result: false })?.type, "succeeded");
});

test("numbers of a result come out as they came in", () => {
  const outcome = read(200, '{"status":"completed","result":[12345678901234567890,1.10,1e-400]}');
  assert.deepEqual(outcome?.type === "succeeded" && outcome.result, "[12345678901234567890,1.10,1e-400]");
});

const failures: readonly [unknown, object][] = [
  [{ status: "failed" }, { code: "agent_error", message: "The agent reported a failure." }],
  [
    { status: "error", error: "out of paper" },
    { code: "agent_error", message: "out of paper" },
  ],
  [
    { status: "error", message: "jammed" },
    { code: "agent_error", message: "jammed" },
  ],
  [
    { status: "failed", reason: "why" },
    { code: "agent_error", message: "why" },
  ],
  [
    { status: "failed", error: "", message: "" },
    { code: "agent_error", message: "The agent reported a failure." },
  ],
  [
    { status: "failed", error: 7 },
    { code: "agent_error", message: "The agent reported a failure." },
  ],
  [
    { status: "failed", error: { code: "paper", message: "none", retryable: false } },
    { code: "paper", message: "none", retryable: false },
  ],
  [
    { status: "failed", error: { code: 5, message: {}, retryable: "no" } },
    { code: "agent_error", message: "The agent reported a failure." },
  ],
];
for (const [body, error] of failures) {
  test(`${JSON.stringify(body)} is a failure of the task`, () => {
    assert.deepEqual(read(200, body), { type: "failed", reason: "agent_error", error, evidence: "answer" });
  });
}

test("long messages of agents are cut", () => {
  const outcome = read(200, { status: "failed", error: "x".repeat(5_000) });
  assert.equal(outcome?.type === "failed" && outcome.error.message.length, 1_000);
});

for (const status of ["ignored", "rejected"]) {
  test(`\`${status}\` is a refusal for good`, () => {
    assert.deepEqual(read(200, { status, reason: "not mine" }), {
      type: "failed",
      reason: "rejected",
      error: { code: "rejected", message: "not mine", retryable: false },
      evidence: "answer",
    });
  });
}

test("any other 2xx says that the agent has taken the task", () => {
  const bodies = [
    "",
    "ok",
    "{}",
    "[]",
    "not json at all",
    { status: "success" },
    { status: "acknowledged" },
    { status: 5 },
  ];
  for (const body of [...bodies, '{"status":"completed"', "[1,2,3,4,5,6,7,8]", '"completed completed"']) {
    for (const status of [200, 202, 204]) assert.equal(read(status, body), null, JSON.stringify(body));
  }
});

test("408, 425, 429 and 5xx may be tried again", () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504, 599]) {
    assert.deepEqual(read(status), {
      type: "failed",
      reason: "unavailable",
      error: { code: `http_${status}`, message: `The agent answered ${status}.` },
      evidence: null,
    });
  }
});

test("other 3xx and 4xx are refusals for good", () => {
  for (const status of [301, 302, 307, 400, 401, 403, 404, 409, 410, 422]) {
    const outcome = read(status);
    assert.ok(outcome?.type === "failed" && outcome.reason === "rejected" && outcome.error.retryable === false);
  }
});

test("hole 10: on a resend 409 and 425 mean that the agent has it from an earlier send", () => {
  assert.equal(read(409, "", 2), null);
  assert.equal(read(425, "", 3), null);
  assert.equal(read(408, "", 2)?.type, "failed");
});

test("an answer too large to read is refused, an error's body does not matter", () => {
  const cut = (status: number) => readAnswer(response(status, "x".repeat(100), { truncated: true }), 1, NOW);
  const large = cut(200);
  assert.ok(large?.type === "failed" && large.error.code === "answer_too_large");
  const error = cut(503);
  assert.ok(error?.type === "failed" && error.reason === "unavailable");
});

test("an answer beyond our limits is refused, and says why", () => {
  const deep = `{"status":"completed","result":${"[".repeat(100)}${"]".repeat(100)}}`;
  for (const body of [deep, '{"status":"completed","result":1e400}', '{"status":"completed","result":"\\u0000"}']) {
    const outcome = read(200, body);
    assert.ok(outcome?.type === "failed" && outcome.error.code === "answer_unreadable", body);
  }
});

test("an agent's words that are too long are cut, never into half a character", () => {
  const said = `${"x".repeat(999)}\u{1f600}`;
  const outcome = read(200, JSON.stringify({ status: "failed", error: said }));
  assert.ok(outcome?.type === "failed");
  assert.equal(outcome.error.message, `${"x".repeat(999)}\ufffd`);
});

test("retry-after is read as seconds or as a date", () => {
  assert.equal(readRetryAfter("120", NOW), 120_000_000);
  assert.equal(readRetryAfter("0", NOW), 0);
  const date = new Date(NOW / 1_000 + 90_000).toUTCString();
  assert.equal(readRetryAfter(date, NOW), 90_000_000);
  assert.equal(readRetryAfter("Thu, 01 Jan 1970 00:00:00 GMT", NOW), 0, "a date that has passed");
  for (const header of [undefined, "soon", "", "-1x", ["1", "2"], "99999999999"])
    assert.equal(readRetryAfter(header, NOW), null);
  const outcome = readAnswer(response(429, "", { headers: { "retry-after": "3" } }), 1, NOW);
  assert.ok(outcome?.type === "failed" && outcome.retryAfter === 3_000_000);
});

test("whatever an agent answers, it is read without an exception", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      fc.oneof(fc.string(), fc.json()),
      fc.string(),
      (status, body, header) => {
        const outcome = readAnswer(response(status, body, { headers: { "retry-after": header } }), 1, NOW);
        assert.ok(outcome === null || outcome.type === "succeeded" || outcome.type === "failed");
      },
    ),
  );
});
