import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpResult } from "../../domain/http-client.ts";
import type { Log } from "../../domain/log.ts";
import type { AttemptStore } from "../../domain/store.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { invokeTool } from "../../domain/tools/invoke.ts";
import { TestTimers } from "../../outbound/test-timers.ts";
import { TestClock } from "../../system/test-clock.ts";
import { TestIds } from "../../system/test-ids.ts";
import { broken, REFUSED, response, ScriptedHttp, settled, unsent } from "../test-http.ts";
import { AgentkitGateway } from "./agentkit-gateway.ts";
import { HttpPush } from "./http-push.ts";

const ENDPOINT = "http://tool.test/post";

/** The channel, over a store that only writes down what it is told. */
function setUp() {
  const clock = new TestClock();
  const http = new ScriptedHttp();
  const told: unknown[][] = [];
  const tell =
    (name: string) =>
    async (...given: unknown[]) =>
      void told.push([name, ...given]);
  const push = new HttpPush({
    attempts: {
      observe: tell("observe"),
      acknowledge: tell("acknowledge"),
      broken: tell("broken"),
      undelivered: tell("undelivered"),
    } as unknown as AttemptStore,
    http,
    clock,
    ids: new TestIds(),
    timers: new TestTimers(),
    log: { error: (fields: { err: unknown }) => assert.fail(String(fields.err)) } as unknown as Log,
    publicUrl: "http://us.test",
    sign: () => ({ "x-signed": "by us" }),
    gateway: new AgentkitGateway({ http, url: "http://kit.test", key: "k" }),
  });
  const call = (rest: Partial<ClaimedAttempt> = {}): ClaimedAttempt => ({
    taskId: "task_1",
    taskName: "a task",
    sessionId: "00000000-0000-7000-8000-000000000001",
    workflowId: "flow",
    attempt: 1,
    token: "1.secret",
    epoch: 7,
    send: 1,
    agentId: null,
    agentName: null,
    tool: "post",
    endpoint: ENDPOINT,
    parameters: '{"n":12345678901234567890,"f":1.0}',
    createdAt: clock.now(),
    timeoutAt: clock.now() + 40_000_000,
    announced: false,
    explicit: true,
    capability: null,
    ...rest,
  });
  return { http, told, push, call };
}

test("a tool is POSTed its arguments with the task's key, unsigned, and may take as long as its step says", async () => {
  const { http, push, call } = setUp();
  void push.deliver(call());
  const [request] = http.requests;
  const { traceparent, ...headers } = { ...request?.headers } as Record<string, string>;
  assert.deepEqual(headers, {
    "content-type": "application/json",
    "idempotency-key": "task_1",
    "x-opspawn-attempt": "1",
    "x-opspawn-token": "1.secret",
  });
  assert.match(traceparent ?? "", /^00-00000000000070008000000000000001-[0-9a-f]{16}-01$/);
  assert.deepEqual(
    [request?.url, request?.body, request?.headersTimeout, request?.deadline],
    [ENDPOINT, '{"arguments":{"n":12345678901234567890,"f":1.0}}', 40_000, 40_000],
  );
});

test("a synchronous call sends the very same body", async () => {
  const { http, push, call } = setUp();
  const tool = {
    name: "post",
    description: "",
    parameters: {},
    endpoint: ENDPOINT,
    maxConcurrency: 1,
    registeredAt: 0,
  };
  void push.deliver(call({ parameters: '{"a":[1,"b"]}' }));
  void invokeTool({ http }, tool, { a: [1, "b"] });
  assert.equal(http.requests[0]?.body, http.requests[1]?.body);
});

async function toldOf(result: HttpResult, rest: Partial<ClaimedAttempt> = {}): Promise<unknown[] | undefined> {
  const { http, told, push, call } = setUp();
  const delivered = push.deliver(call(rest));
  await http.answer(result);
  await delivered;
  await settled();
  assert.deepEqual([push.open, push.known.size, told.length], [0, 0, 1]);
  return told[0];
}

const sender = { taskId: "task_1", attempt: 1, epoch: 7, send: 1 };
const final = (code: string, message: string) => {
  const error = { code, message, retryable: false };
  return ["observe", sender, { type: "failed", reason: "rejected", error, evidence: null }];
};
const ENDS: readonly [string, HttpResult, unknown[]][] = [
  [
    "with JSON",
    response(200, { status: "acknowledged" }),
    ["observe", sender, { type: "succeeded", result: '{"status":"acknowledged"}', evidence: "answer" }],
  ],
  ["202 and nothing", response(202), ["observe", sender, { type: "succeeded", result: null, evidence: "answer" }]],
  ["409", response(409), final("http_409", "The tool answered 409.")],
  ["with a redirection", response(302), final("http_302", "The tool answered 302.")],
  ["refused by the guard", REFUSED, final("endpoint_refused", "This address may not be called.")],
  ["not sent", unsent(), ["undelivered", sender, "Nothing was sent: connect_failed."]],
  ["broken", broken(), ["broken", sender, "It broke: connection_lost."]],
  ["out of time", broken("timeout"), ["broken", sender, "It broke: timeout."]],
];
for (const [name, result, expected] of ENDS) {
  test(`a call that ends ${name} is told to the store as ${expected[0]}`, async () => {
    assert.deepEqual(await toldOf(result), expected);
  });
}

test("a tool that is still at an earlier call under the key is asked again, in the same attempt", async () => {
  for (const status of [409, 425]) {
    for (const rest of [{ send: 2 }, { attempt: 2 }]) {
      assert.deepEqual(await toldOf(response(status), rest), [
        "broken",
        { ...sender, ...rest },
        `The tool answered ${status} to a repeated call.`,
        true,
      ]);
    }
  }
  assert.partialDeepStrictEqual(await toldOf(response(425)), ["observe", sender, { reason: "unavailable" }]);
});
