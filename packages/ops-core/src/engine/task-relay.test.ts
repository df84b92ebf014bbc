import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTime } from "@opspawn/contract";
import { MINUTE, SECOND } from "../domain/clock.ts";
import type { Delivery } from "../domain/deliveries/delivery.ts";
import type { HttpResult } from "../domain/http-client.ts";
import type { Log } from "../domain/log.ts";
import { memoryRig } from "../store/sqlite/test-rigs.ts";
import { need, World } from "../store/suite/test-world.ts";
import { TaskRelay } from "./task-relay.ts";
import { broken, REFUSED, response, ScriptedHttp, settled, unsent } from "./test-http.ts";

const ORIGIN = "http://ops.test";
const LEASE = `${ORIGIN}/v1/opscore/tasks/task_1/lease`;
const RESULT = `${ORIGIN}/v1/opscore/tasks/task_1/result`;

/** The gateway's half: its store, its relay, an agent at one end and Ops-Core at the other. */
class Half {
  readonly world: World;
  readonly agent = new ScriptedHttp();
  readonly opsCore = new ScriptedHttp();
  readonly warnings: unknown[] = [];
  relay: TaskRelay;

  constructor(world: World) {
    this.world = world;
    this.relay = this.start();
  }

  /** As another process over the same store. */
  start(): TaskRelay {
    const { store, clock, ids } = this.world;
    this.relay = new TaskRelay({
      deliveries: store.deliveries,
      http: this.agent,
      internal: this.opsCore,
      opsCoreOrigin: ORIGIN,
      clock,
      ids,
      log: { warn: (fields: unknown) => this.warnings.push(fields) } as unknown as Log,
      sign: ({ id }) => ({ "x-signed": id }),
      atOnce: 2,
    });
    return this.relay;
  }

  async task(options: { deadline?: number; resultUrl?: string; id?: string } = {}): Promise<void> {
    const { world } = this;
    const { id = "dlv_task", resultUrl = RESULT } = options;
    const deadline = formatTime(world.clock.now() + (options.deadline ?? 2 * MINUTE));
    const opspawn = { taskId: "task_1", attempt: 1, token: "1.t", resultUrl, deadline, capability: null };
    const body = JSON.stringify({ payload: {}, opspawn });
    const headers = { "x-opspawn-token": "1.t" };
    const parts = {
      id,
      kind: "task",
      url: "http://agent.test/",
      headers,
      body,
      aggregate: id,
      agentId: "agent",
    } as const;
    await world.store.deliveries.enqueue(world.delivery(parts));
  }

  async tick(): Promise<void> {
    await this.relay.tick();
    await settled();
  }

  /** The delivery, as it stands in the store. */
  async delivery(): Promise<Delivery> {
    return need(await this.world.store.deliveries.get("dlv_task"), "delivery");
  }

  /** What waits to be told to Ops-Core. */
  async results(): Promise<Delivery[]> {
    return [...(await this.world.store.deliveries.due(10, ["result"]))];
  }

  /** A try to send that fails, and the wait until the next is due. */
  async fail(result: HttpResult): Promise<void> {
    await this.tick();
    await this.agent.answer(result);
    const { nextAt } = await this.delivery();
    this.world.clock.advance(need(nextAt, "next try") - this.world.clock.now());
  }
}

async function onHalf(body: (half: Half) => Promise<void>): Promise<void> {
  const world = await World.open(await memoryRig());
  try {
    await world.agent("agent", { id: "agent" });
    await body(new Half(world));
  } finally {
    await world.close();
  }
}

test("a task goes to its agent as it stands, signed, and the agent has the attempt's time to answer", () =>
  onHalf(async (half) => {
    await half.task();
    half.world.clock.advance(SECOND);
    await half.tick();
    const { body } = await half.delivery();
    assert.deepEqual(half.agent.requests, [
      {
        url: "http://agent.test/",
        headers: { "content-type": "application/json", "x-opspawn-token": "1.t", "x-signed": "dlv_task" },
        body,
        headersTimeout: 119_000,
        deadline: 119_000,
      },
    ]);
    assert.deepEqual([half.relay.open, half.opsCore.requests], [1, []]);
    await half.agent.answer(response(202));
    assert.deepEqual([half.relay.open, (await half.delivery()).status, await half.results()], [0, "delivered", []]);
  }));

const OUTCOMES: readonly [string, HttpResult, string, object][] = [
  [
    "completed",
    response(200, '{"status":"completed","result":{"n":12345678901234567890}}'),
    "delivered",
    { status: "completed", delivery: "answered" },
  ],
  [
    "failed",
    response(200, { status: "failed", error: { code: "c", message: "m" } }),
    "delivered",
    { status: "failed", delivery: "answered", error: { code: "c", message: "m" } },
  ],
  [
    "503 with a time",
    response(503, "", { "retry-after": "7" }),
    "failed",
    { status: "failed", delivery: "unavailable", error: { code: "http_503", retryAfter: 7 } },
  ],
  ["422", response(422), "failed", { status: "failed", delivery: "rejected", error: { code: "http_422" } }],
  ["409", response(409), "failed", { status: "failed", delivery: "rejected", error: { code: "http_409" } }],
  [
    "nothing, since the guard refuses its address",
    REFUSED,
    "failed",
    { status: "failed", delivery: "rejected", error: { code: "endpoint_refused" } },
  ],
];
for (const [name, result, status, expected] of OUTCOMES) {
  test(`hole 11: an agent that answered ${name} has that stored for Ops-Core with the message's end`, () =>
    onHalf(async (half) => {
      await half.task();
      await half.tick();
      await half.agent.answer(result);
      const message = await half.delivery();
      const [told] = await half.results();
      assert.deepEqual([message.status, message.nextAt], [status, null]);
      assert.deepEqual([told?.kind, told?.url, told?.headers, told?.agentId], ["result", RESULT, {}, "agent"]);
      assert.partialDeepStrictEqual(JSON.parse(told?.body ?? ""), { token: "1.t", ...expected });
    }));
}

test("a result is forwarded digit for digit", () =>
  onHalf(async (half) => {
    await half.task();
    await half.tick();
    await half.agent.answer(response(200, '{"status":"completed","result":[12345678901234567890,1.0]}'));
    assert.match((await half.results())[0]?.body ?? "", /"result":\[12345678901234567890,1\.0\]/);
  }));

test("hole 11: results go to the origin that was set, whatever a message says", () =>
  onHalf(async (half) => {
    await half.task({ resultUrl: "http://elsewhere.test/v1/opscore/tasks/task_1/result" });
    await half.tick();
    await half.agent.answer(response(200, { status: "completed", result: 1 }));
    assert.deepEqual([(await half.delivery()).status, await half.results()], ["delivered", []]);
    assert.equal(half.warnings.length, 1);
    assert.partialDeepStrictEqual(half.warnings, [{ taskId: "task_1", opsCoreOrigin: ORIGIN }]);
  }));

test("hole 11: a message whose deadline has passed is dropped, and its end is left to Ops-Core", () =>
  onHalf(async (half) => {
    await half.task({ deadline: SECOND });
    half.world.clock.advance(SECOND);
    await half.tick();
    const { status, lastError } = await half.delivery();
    assert.deepEqual([status, lastError], ["failed", "The attempt's deadline has passed."]);
    assert.deepEqual([half.agent.requests, await half.results()], [[], []]);
  }));

test("hole 12: before a message is sent again Ops-Core is asked, and told that it is one more", () =>
  onHalf(async (half) => {
    await half.task();
    await half.fail(broken());
    await half.tick();
    const [request] = half.opsCore.requests;
    assert.deepEqual([request?.url, request?.body], [LEASE, '{"token":"1.t","resend":true}']);
    assert.equal(half.agent.requests.length, 1, "not before it has answered");
    await half.opsCore.answer(response(200, { taskId: "task_1" }));
    assert.equal(half.agent.requests.length, 2);
    assert.deepEqual(half.agent.requests[1]?.headers, half.agent.requests[0]?.headers);
    await half.agent.answer(response(409));
    assert.deepEqual([(await half.delivery()).status, await half.results()], ["delivered", []], "it has it already");
  }));

test("hole 12: what may have been received stays so when a later send does not leave", () =>
  onHalf(async (half) => {
    await half.task();
    await half.fail(broken());
    for (const result of [unsent(), response(409)]) {
      await half.tick();
      assert.equal(half.opsCore.requests.at(-1)?.body, '{"token":"1.t","resend":true}');
      await half.opsCore.answer(response(200));
      await half.agent.answer(result);
      half.world.clock.advance(MINUTE / 2);
    }
    assert.equal((await half.delivery()).status, "delivered");
  }));

test("hole 12: what an earlier process may have sent counts as sent again", () =>
  onHalf(async (half) => {
    await half.task();
    await half.tick();
    half.world.clock.advance(1);
    half.start();
    await half.tick();
    assert.equal(half.opsCore.requests[0]?.body, '{"token":"1.t","resend":true}');
  }));

test("hole 12: a message that never left is no other message; late, it is asked whether it is still wanted", () =>
  onHalf(async (half) => {
    await half.task();
    await half.fail(unsent());
    await half.tick();
    assert.equal(half.opsCore.requests.length, 0, "a second old");
    await half.agent.answer(unsent());
    half.world.clock.advance(2 * SECOND);
    await half.tick();
    assert.equal(half.opsCore.requests[0]?.body, '{"token":"1.t","resend":false}');
  }));

test("hole 12: another message to the agent counts with the tasks it is at, before it is sent", () =>
  onHalf(async (half) => {
    await half.task();
    await half.tick();
    await half.agent.answer(response(202));
    const noted = half.relay.noteMessage("agent");
    assert.deepEqual(
      half.opsCore.requests.map(({ url, body }) => [url, body]),
      [[LEASE, '{"token":"1.t","resend":true}']],
    );
    await half.opsCore.answer(response(409));
    await noted;
    await half.relay.noteMessage("another agent");
    half.world.clock.advance(2 * MINUTE);
    await half.relay.noteMessage("agent");
    assert.equal(half.opsCore.requests.length, 1, "its time is over");
  }));

test("hole 12: a task for an agent that had another message lately is one more", () =>
  onHalf(async (half) => {
    await half.relay.noteMessage("agent");
    await half.task();
    await half.tick();
    assert.equal(half.opsCore.requests[0]?.body, '{"token":"1.t","resend":true}');
    await half.opsCore.answer(response(200));
    await half.agent.answer(response(409));
    assert.equal((await half.delivery()).status, "failed", "it was not sent before, so 409 says that it is not taken");
  }));

for (const status of [404, 409]) {
  test(`hole 11: a message whose attempt has ended (${status}) is dropped`, () =>
    onHalf(async (half) => {
      await half.task();
      await half.fail(broken());
      await half.tick();
      await half.opsCore.answer(response(status));
      const { lastError, nextAt } = await half.delivery();
      assert.deepEqual([lastError, nextAt], ["Ops-Core says that this attempt has ended.", null]);
      assert.deepEqual([half.agent.requests.length, await half.results()], [1, []]);
    }));
}

for (const [name, result] of [
  ["is not reached", unsent()],
  ["gives no answer", broken()],
  ["answers 503", response(503)],
  ["is busy", response(429)],
] as const) {
  test(`while Ops-Core ${name} nothing is sent again; the question is put later`, () =>
    onHalf(async (half) => {
      await half.task();
      await half.fail(broken());
      await half.tick();
      await half.opsCore.answer(result);
      const { status, nextAt } = await half.delivery();
      assert.deepEqual([status, nextAt], ["pending", half.world.clock.now() + 2 * SECOND]);
      assert.equal(half.agent.requests.length, 1);
    }));
}

test("hole 10: an agent that is not reached five times is reported as unavailable", () =>
  onHalf(async (half) => {
    await half.task();
    for (let n = 1; n < 5; n += 1) {
      await half.tick();
      if (half.opsCore.open.length > 0) await half.opsCore.answer(response(200));
      await half.agent.answer(unsent());
      const { nextAt } = await half.delivery();
      const delay = need(nextAt, "next try") - half.world.clock.now();
      assert.equal(delay, SECOND * 2 ** (n - 1));
      assert.deepEqual(await half.results(), []);
      half.world.clock.advance(delay);
    }
    await half.tick();
    await half.opsCore.answer(response(200));
    await half.agent.answer(unsent());
    assert.equal((await half.delivery()).status, "failed");
    assert.partialDeepStrictEqual(JSON.parse((await half.results())[0]?.body ?? ""), {
      status: "failed",
      delivery: "unavailable",
      error: { code: "undelivered", message: "Nothing was sent: connect_failed." },
    });
  }));

test("hole 10: an exchange that breaks is no failure of the attempt: it is sent again until the deadline", () =>
  onHalf(async (half) => {
    await half.task({ deadline: 20 * SECOND });
    await half.fail(broken());
    for (let n = 2; n <= 5; n += 1) {
      await half.tick();
      await half.opsCore.answer(response(200));
      if (half.agent.open.length === 0) break;
      await half.agent.answer(broken("timeout"));
      half.world.clock.advance(need((await half.delivery()).nextAt, "next try") - half.world.clock.now());
    }
    await half.tick();
    await half.opsCore.answer(response(200));
    assert.deepEqual(
      [(await half.delivery()).lastError, await half.results()],
      ["The attempt's deadline has passed.", []],
    );
  }));

test("what was cut off because we stop stays due, and counts as sent", () =>
  onHalf(async (half) => {
    await half.task();
    await half.tick();
    await half.agent.answer(broken("shutdown"));
    assert.deepEqual([(await half.delivery()).status, (await half.delivery()).attempts], ["pending", 0]);
    await half.tick();
    assert.equal(half.opsCore.requests.length, 1);
  }));

test("no more are under way than may be, and none twice", () =>
  onHalf(async (half) => {
    for (const id of ["dlv_1", "dlv_2", "dlv_3"]) await half.task({ id });
    await half.tick();
    await half.tick();
    assert.deepEqual([half.relay.open, half.agent.requests.length], [2, 2]);
    await half.agent.answer(response(202));
    await half.tick();
    assert.equal(half.agent.requests.length, 3, "attempts do not wait for each other");
  }));
