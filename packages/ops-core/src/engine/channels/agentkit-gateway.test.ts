import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpResult } from "../../domain/http-client.ts";
import { broken, REFUSED, response, ScriptedHttp, unsent } from "../test-http.ts";
import { AgentkitGateway } from "./agentkit-gateway.ts";

function setUp(key: string | null = "the-key") {
  const http = new ScriptedHttp();
  return { http, gateway: new AgentkitGateway({ http, url: "http://kit.test", key }) };
}

const ATTEMPT = { agentId: "agent 1/2" };

function message(timeout = 120_000) {
  return { headers: { "x-opspawn-token": "1.t" }, body: '{"a":1}', timeout, signal: new AbortController().signal };
}

test("an attempt is POSTed to the run route of its agent, with our key beside the message's own headers", () => {
  const { http, gateway } = setUp();
  void gateway.post(ATTEMPT, message());
  const [{ signal: _, ...request } = { signal: undefined }] = http.requests;
  assert.deepEqual(request, {
    url: "http://kit.test/v1/agents/agent%201%2F2/run",
    headers: { "x-opspawn-token": "1.t", authorization: "Bearer the-key" },
    body: '{"a":1}',
    headersTimeout: 15_000,
    deadline: 15_000,
  });
});

test("without a key none is sent, and no attempt is waited for beyond its end", () => {
  const { http, gateway } = setUp(null);
  void gateway.post(ATTEMPT, message(2_000));
  assert.deepEqual([http.requests[0]?.headers, http.requests[0]?.deadline], [{ "x-opspawn-token": "1.t" }, 2_000]);
});

const ACCEPTED = {
  status: "success",
  message: "Task accepted for agent a. Dispatch scheduled.",
  data: {},
  error_code: null,
};
const ENDS: readonly [string, HttpResult, string, RegExp][] = [
  ["202", response(202, ACCEPTED), "acknowledged", /^$/],
  ["200 with an outcome in it", response(200, { status: "completed", result: 1 }), "acknowledged", /^$/],
  [
    "404",
    response(404, { detail: "Agent with ID 'a' not found." }),
    "undelivered",
    /404 \(Agent with ID 'a' not found\.\)/,
  ],
  ["401", response(401, { detail: "no" }), "undelivered", /401: give both processes the same OPSCORE_API_KEY/],
  ["403", response(403), "undelivered", /403: give both/],
  ["500", response(500, "<html>"), "broken", /answered 500\./],
  ["503", response(503), "broken", /answered 503\./],
  ["429", response(429), "broken", /answered 429\./],
  ["408", response(408), "broken", /answered 408\./],
  ["nothing, and was not reached", unsent(), "undelivered", /not reached: Nothing was sent/],
  ["nothing before the line broke", broken(), "broken", /no answer: It broke/],
  ["nothing, since the guard refuses its address", REFUSED, "undelivered", /AGENTKIT_API_URL cannot be called/],
];
for (const [name, result, kind, text] of ENDS) {
  test(`hole 10: AgentKit answered ${name}: ${kind}`, () => {
    const end = setUp().gateway.end(result);
    assert.equal(end.kind, kind);
    assert.match("message" in end ? end.message : "", text);
  });
}

test("hole 10: a message that AgentKit will never take is not sent again", () => {
  for (const status of [302, 400, 409, 413, 422]) {
    const end = setUp().gateway.end(response(status, { detail: [{ msg: "not a text" }] }));
    assert.deepEqual(end, {
      kind: "outcome",
      outcome: {
        type: "failed",
        reason: "rejected",
        error: { code: `agentkit_${status}`, message: `AgentKit answered ${status}.`, retryable: false },
        evidence: null,
      },
    });
  }
});
