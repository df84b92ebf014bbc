import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpResult } from "../../domain/http-client.ts";
import type { Log } from "../../domain/log.ts";
import type { AttemptStore } from "../../domain/store.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { TestTimers } from "../../outbound/test-timers.ts";
import { TestClock } from "../../system/test-clock.ts";
import { TestIds } from "../../system/test-ids.ts";
import { broken, REFUSED, response, ScriptedHttp, settled, unsent } from "../test-http.ts";
import { AgentkitGateway } from "./agentkit-gateway.ts";
import { HttpPush } from "./http-push.ts";

const SENDER = { taskId: "task_1", attempt: 2, epoch: 7, send: 3 };

/** A channel over a store that only writes down what it is told. */
function setUp({ apart = false } = {}) {
  const clock = new TestClock();
  const timers = new TestTimers();
  const http = new ScriptedHttp();
  const told: unknown[][] = [];
  const errors: unknown[] = [];
  const state: { failing: Error | null } = { failing: null };
  const tell =
    (name: string) =>
    async (...given: unknown[]) => {
      if (state.failing !== null) throw state.failing;
      told.push([name, ...given]);
    };
  const attempts = {
    observe: tell("observe"),
    acknowledge: tell("acknowledge"),
    broken: tell("broken"),
    undelivered: tell("undelivered"),
  } as unknown as AttemptStore;
  const push = new HttpPush({
    attempts,
    http,
    clock,
    ids: new TestIds(),
    timers,
    log: { error: (fields: { err: unknown }) => errors.push(fields.err) } as unknown as Log,
    publicUrl: "http://us.test",
    sign: (agentId, messageId) => ({ "x-signed": `${agentId} ${messageId}` }),
    gateway: apart ? new AgentkitGateway({ http, url: "http://kit.test", key: "k" }) : undefined,
  });
  const attempt = (rest: Partial<ClaimedAttempt> = {}): ClaimedAttempt => ({
    taskId: "task_1",
    taskName: "a task",
    sessionId: "00000000-0000-7000-8000-000000000001",
    workflowId: "flow",
    attempt: 2,
    token: "2.secret",
    epoch: 7,
    send: 3,
    agentId: "agent_1",
    agentName: "agent",
    tool: null,
    endpoint: "http://agent.test/",
    parameters: '{"n":12345678901234567890}',
    createdAt: clock.now(),
    timeoutAt: clock.now() + 120_000_000,
    announced: false,
    explicit: true,
    capability: "work",
    ...rest,
  });
  return { clock, timers, http, told, errors, state, push, attempt };
}

test("an attempt is POSTed to the agent's endpoint with its key, token, number and signature", async () => {
  const { http, push, attempt } = setUp();
  void push.deliver(attempt());
  const [request] = http.requests;
  assert.equal(request?.url, "http://agent.test/");
  const { traceparent, ...headers } = { ...request?.headers } as Record<string, string>;
  assert.deepEqual(headers, {
    "content-type": "application/json",
    "idempotency-key": "task_1",
    "x-opspawn-attempt": "2",
    "x-opspawn-token": "2.secret",
    "x-signed": "agent_1 task_1",
  });
  assert.match(traceparent ?? "", /^00-00000000000070008000000000000001-[0-9a-f]{16}-01$/);
  assert.match(request?.body ?? "", /"payload":\{"n":12345678901234567890\}/);
  assert.equal(request?.headersTimeout, 120_000, "an agent may think before it answers");
  assert.equal(request?.deadline, 120_000);
  assert.equal(push.open, 1);
});

const completed = response(200, { status: "completed", result: [1] });
const outcomes: readonly [string, HttpResult, unknown[] | null][] = [
  ["completed", completed, ["observe", SENDER, { type: "succeeded", result: "[1]", evidence: "answer" }]],
  [
    "500",
    response(500),
    [
      "observe",
      SENDER,
      {
        type: "failed",
        reason: "unavailable",
        error: { code: "http_500", message: "The agent answered 500." },
        evidence: null,
      },
    ],
  ],
  [
    "refused by the guard",
    REFUSED,
    [
      "observe",
      SENDER,
      {
        type: "failed",
        reason: "rejected",
        error: { code: "endpoint_refused", message: "This address may not be called.", retryable: false },
        evidence: null,
      },
    ],
  ],
  ["not sent", unsent(), ["undelivered", SENDER, "Nothing was sent: connect_failed."]],
  ["not sent because we stop", unsent("shutdown"), null],
  ["broken", broken(), ["broken", SENDER, "It broke: connection_lost."]],
  ["broken because we stop", broken("shutdown"), null],
  ["out of time", broken("timeout"), ["broken", SENDER, "It broke: timeout."]],
];
for (const [name, result, expected] of outcomes) {
  test(`an exchange that ends ${name} is told to the store ${expected === null ? "by nobody" : `as ${expected[0]}`}`, async () => {
    const { http, push, told, attempt, errors } = setUp();
    const delivered = push.deliver(attempt());
    await http.answer(result);
    await delivered;
    assert.deepEqual(told, expected === null ? [] : [expected]);
    assert.deepEqual([push.open, push.known.size, errors], [0, 0, []]);
  });
}

test("`retry-after` goes with the outcome", async () => {
  const { http, push, told, attempt } = setUp();
  void push.deliver(attempt());
  await http.answer(response(503, "", { "retry-after": "7" }));
  assert.partialDeepStrictEqual(told, [["observe", SENDER, { retryAfter: 7_000_000 }]]);
});

test("an acknowledgement of an explicit agent waits for its result, and is written after a quarter of a second", async () => {
  const { http, push, timers, told, attempt } = setUp();
  void push.deliver(attempt());
  await http.answer(response(202));
  timers.advance(249);
  await settled();
  assert.deepEqual([told, [...push.known], push.open], [[], ["task_1/2"], 0]);
  timers.advance(1);
  await settled();
  assert.deepEqual(told, [["acknowledge", SENDER]]);
  assert.equal(push.known.size, 0);
});

test("an acknowledgement that its result overtook is not written at all", async () => {
  const { http, push, timers, told, attempt } = setUp();
  void push.deliver(attempt());
  await http.answer(response(202));
  push.ended("task_1/2", false);
  timers.advance(1_000);
  await settled();
  assert.deepEqual(told, []);
});

test("an agent that may tell outcomes by its states is acknowledged soon, however many others follow", async () => {
  const { http, push, timers, told, attempt } = setUp();
  for (let i = 0; i < 10; i += 1) {
    void push.deliver(attempt({ taskId: `task_${i}`, explicit: false }));
    await http.answer(response(202));
    timers.advance(5);
    await settled();
  }
  assert.ok(told.length >= 4, `${told.length} were written in 50 ms`);
});

test("a later acknowledgement that may wait does not put off one that may not", async () => {
  const { http, push, timers, told, attempt } = setUp();
  void push.deliver(attempt({ taskId: "task_soon", explicit: false }));
  await http.answer(response(202));
  void push.deliver(attempt({ taskId: "task_late" }));
  await http.answer(response(202));
  timers.advance(20);
  await settled();
  assert.equal(told.length, 2, "they go together");
});

test("acknowledgements that could not be written are kept and tried again", async () => {
  const { http, push, timers, told, errors, state, attempt } = setUp();
  for (const taskId of ["task_1", "task_2"]) {
    void push.deliver(attempt({ taskId }));
    await http.answer(response(202));
  }
  state.failing = new Error("disk full");
  timers.advance(250);
  await settled();
  assert.deepEqual([errors.length, push.known.size], [1, 2]);
  push.ended("task_2/2", false);
  state.failing = null;
  timers.advance(1_000);
  await settled();
  assert.deepEqual(told, [["acknowledge", SENDER]]);
});

test("flushing writes what waits at once", async () => {
  const { http, push, timers, told, attempt } = setUp();
  void push.deliver(attempt());
  await http.answer(response(202));
  await push.flush();
  assert.equal(told.length, 1);
  timers.advance(1_000);
  await settled();
  assert.equal(told.length, 1);
});

test("an attempt that was ended elsewhere has its exchange aborted, and nothing is told", async () => {
  const { http, push, told, attempt, errors } = setUp();
  const delivered = push.deliver(attempt());
  push.ended("task_1/2", true);
  await delivered;
  assert.deepEqual([told, errors, push.open, http.open], [[], [], 0, []]);
  push.ended("task_1/2", true);
});

test("an attempt whose result came by call may finish its answer", async () => {
  const { http, push, told, attempt } = setUp();
  const delivered = push.deliver(attempt());
  push.ended("task_1/2", false);
  await http.answer(completed);
  await delivered;
  assert.equal(told.length, 1, "the store knows that it is stale");
});

test("nothing is sent when the time is up, or when there is no endpoint", async () => {
  const { http, push, told, attempt, clock } = setUp();
  await push.deliver(attempt({ timeoutAt: clock.now() + 999 }));
  await push.deliver(attempt({ endpoint: null }));
  assert.deepEqual([http.requests, told, push.open], [[], [], 0]);
});

test("no exchange is given longer than a timer can count", () => {
  const { http, push, attempt, clock } = setUp();
  void push.deliver(attempt({ timeoutAt: clock.now() + 90 * 86_400_000_000 }));
  assert.equal(http.requests[0]?.headersTimeout, 2 ** 31 - 1);
});

test("an end that could not be written is logged, and the attempt's own timers go on", async () => {
  const { http, push, errors, state, attempt } = setUp();
  const delivered = push.deliver(attempt());
  state.failing = new Error("disk full");
  await http.answer(completed);
  await delivered;
  assert.deepEqual([errors.length, push.open, push.known.size], [1, 0, 0]);
});

test("an agent that was announced is reached by the gateway, unsigned; one that registered here directly", () => {
  const { http, push, attempt } = setUp({ apart: true });
  void push.deliver(attempt({ announced: true }));
  void push.deliver(attempt({ taskId: "task_2" }));
  const [through, direct] = http.requests;
  assert.equal(through?.url, "http://kit.test/v1/agents/agent_1/run");
  assert.deepEqual(
    [through?.headers?.["idempotency-key"], through?.headers?.["x-opspawn-token"], through?.headers?.["x-signed"]],
    ["task_1", "2.secret", undefined],
  );
  assert.equal(direct?.url, "http://agent.test/");
  assert.equal(direct?.headers?.authorization, undefined);
});

test("without AgentKit elsewhere an announced agent is called directly", () => {
  const { http, push, attempt } = setUp();
  void push.deliver(attempt({ announced: true }));
  assert.equal(http.requests[0]?.url, "http://agent.test/");
});

const gatewayEnds: readonly [string, HttpResult, unknown[] | null][] = [
  ["accepted", response(202, { status: "success" }), ["acknowledge", SENDER]],
  ["unknown agent", response(404), ["undelivered", SENDER, "AgentKit answered 404."]],
  ["500", response(500), ["broken", SENDER, "AgentKit answered 500."]],
  ["stopping", unsent("shutdown"), null],
];
for (const [name, result, expected] of gatewayEnds) {
  test(`hole 10: what the gateway says (${name}) is told to the store ${expected === null ? "by nobody" : `as ${expected[0]}`}`, async () => {
    const { http, push, told, attempt } = setUp({ apart: true });
    const delivered = push.deliver(attempt({ announced: true }));
    await http.answer(result);
    await delivered;
    await push.flush();
    assert.deepEqual(told, expected === null ? [] : [expected]);
  });
}
