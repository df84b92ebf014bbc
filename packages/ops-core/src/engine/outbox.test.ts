import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR, MINUTE, SECOND } from "../domain/clock.ts";
import type { Delivery } from "../domain/deliveries/delivery.ts";
import type { DeliveryStore } from "../domain/deliveries/delivery-store.ts";
import type { HttpResult } from "../domain/http-client.ts";
import { TestClock } from "../system/test-clock.ts";
import { Outbox } from "./outbox.ts";
import { broken, REFUSED, response, ScriptedHttp, settled, unsent } from "./test-http.ts";

function setUp(due: Partial<Delivery>[]) {
  const clock = new TestClock();
  const http = new ScriptedHttp();
  const internal = new ScriptedHttp();
  const told: unknown[][] = [];
  const asked: unknown[] = [];
  const noteMessage = async (agentId: string) => void told.push(["noted", agentId, http.requests.length]);
  const state = { failing: false };
  const deliveries = {
    due: async (max: number, kinds: readonly string[], begun: readonly string[]) => {
      asked.push(kinds);
      const all = due.map((rest, i) => ({
        id: `dlv_${i}`,
        kind: "webhook",
        agentId: null,
        url: "https://receiver.test/",
        headers: { "x-own": "1" },
        body: '{"a":1}',
        cancellationId: null,
        attempts: 0,
        ...rest,
      }));
      return all.filter(({ id }) => !begun.includes(id)).slice(0, max);
    },
    delivered: async (...given: unknown[]) => {
      if (state.failing) throw new Error("disk full");
      told.push(["delivered", ...given]);
    },
    failed: async (...given: unknown[]) => void told.push(["failed", ...given]),
    told: async (...given: unknown[]) => void told.push(["told", ...given]),
    untold: async (...given: unknown[]) => void told.push(["untold", ...given]),
  } as unknown as DeliveryStore;
  const outbox = new Outbox({
    deliveries,
    http,
    internal,
    clock,
    sign: ({ id }) => ({ "x-signed": id }),
    publicUrl: "http://us.test",
    noteMessage,
  });
  return { clock, http, internal, told, asked, state, outbox };
}

test("a due delivery is POSTed as it stands, signed, and arrives with a 2xx", async () => {
  const { http, told, outbox } = setUp([{}]);
  assert.equal(await outbox.tick(), 1);
  assert.equal(outbox.open, 1);
  const [request] = http.requests;
  assert.deepEqual(
    { ...request },
    {
      url: "https://receiver.test/",
      headers: { "content-type": "application/json", "x-own": "1", "x-signed": "dlv_0" },
      body: '{"a":1}',
      headersTimeout: 15_000,
      deadline: 15_000,
    },
  );
  await http.answer(response(204));
  assert.deepEqual(told, [["delivered", "dlv_0", 1]]);
  assert.equal(outbox.open, 0);
});

test("tasks are left to the relay", async () => {
  const { asked, outbox } = setUp([]);
  await outbox.tick();
  assert.deepEqual(asked, [["message", "webhook", "notification", "result"]]);
});

test("a message to an agent is noted before it is sent, and nothing else is", async () => {
  const due = (["message", "webhook", "result"] as const).map((kind) => ({ kind, agentId: `of-${kind}` }));
  const { http, told, outbox } = setUp(due);
  await outbox.tick();
  await settled();
  assert.equal(http.requests.length, 2);
  assert.deepEqual(told, [["noted", "of-message", 0]]);
});

for (const kind of ["notification", "result"] as const) {
  test(`a ${kind} goes to the platform's other half, and is tried again within seconds for a day`, async () => {
    const delays = [1, 2, 4, 8, 10, 10];
    for (const [attempts, delay] of [...delays.entries(), [8_638, 10] as const, [8_639, null] as const]) {
      const { clock, http, internal, told, outbox } = setUp([{ kind, attempts }]);
      await outbox.tick();
      await internal.answer(unsent());
      const nextAt = delay === null ? null : clock.now() + delay * SECOND;
      assert.deepEqual(told, [["failed", "dlv_0", attempts + 1, "Nothing was sent: connect_failed.", nextAt]]);
      assert.equal(http.requests.length, 0);
    }
  });
}

test("a result that Ops-Core refuses is given up; one that it cannot take now is not", async () => {
  for (const [status, isGivenUp] of [
    [404, true],
    [409, true],
    [422, true],
    [429, false],
    [503, false],
  ] as const) {
    const { internal, told, outbox } = setUp([{ kind: "result" }]);
    await outbox.tick();
    await internal.answer(response(status));
    assert.equal(told[0]?.[4] === null, isGivenUp, `${status}`);
  }
  const { internal, told, outbox } = setUp([{ kind: "notification" }]);
  await outbox.tick();
  await internal.answer(response(422));
  assert.notEqual(told[0]?.[4], null, "a setting may be at fault");
});

test("what is under way is not sent a second time", async () => {
  const { http, outbox } = setUp([{}, {}]);
  assert.equal(await outbox.tick(), 2);
  assert.equal(await outbox.tick(), 0);
  await http.answer(response(200));
  assert.equal(await outbox.tick(), 1);
  assert.equal(http.requests.length, 3);
});

test("no more than 64 are under way at once", async () => {
  const { http, outbox } = setUp(Array.from({ length: 100 }, () => ({})));
  assert.equal(await outbox.tick(), 64);
  assert.equal(await outbox.tick(), 0);
  await http.answer(response(200));
  assert.equal(outbox.open, 63);
});

const problems: readonly [string, HttpResult, string][] = [
  ["answered 500", response(500), "The receiver answered 500."],
  ["answered 404", response(404), "The receiver answered 404."],
  ["answered 302", response(302), "The receiver answered 302."],
  ["not sent", unsent(), "Nothing was sent: connect_failed."],
  ["broken", broken("timeout"), "It broke: timeout."],
];
for (const [name, result, problem] of problems) {
  test(`a delivery that was ${name} is tried again, later each time`, async () => {
    const schedules = {
      webhook: [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR, null],
      message: [SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, null],
    };
    for (const kind of ["webhook", "message"] as const) {
      for (const [attempts, delay] of schedules[kind].entries()) {
        const { clock, http, told, outbox } = setUp([{ kind, attempts }]);
        await outbox.tick();
        await http.answer(result);
        const nextAt = delay === null ? null : clock.now() + delay;
        assert.deepEqual(told, [["failed", "dlv_0", attempts + 1, problem, nextAt]]);
      }
    }
  });
}

test("what the guard refuses is given up at once", async () => {
  const { http, told, outbox } = setUp([{}]);
  await outbox.tick();
  await http.answer(REFUSED);
  assert.deepEqual(told, [["failed", "dlv_0", 1, "This address may not be called.", null]]);
});

test("what was cut off because we stop was no attempt", async () => {
  for (const result of [unsent("shutdown"), broken("shutdown")]) {
    const { http, told, outbox } = setUp([{}]);
    await outbox.tick();
    await http.answer(result);
    assert.deepEqual([told, outbox.open], [[], 0]);
  }
});

test("a delivery whose end could not be written stays due and is sent again", async () => {
  const { http, told, state, outbox } = setUp([{}]);
  state.failing = true;
  await outbox.tick();
  await http.answer(response(200));
  state.failing = false;
  assert.equal(await outbox.tick(), 1, "the store still says that it is due");
  await http.answer(response(200));
  assert.deepEqual(told, [["delivered", "dlv_0", 1]]);
});

test("idle waits for everything under way", async () => {
  const { http, outbox } = setUp([{}, {}]);
  await outbox.tick();
  let idle = false;
  const waiting = outbox.idle().then(() => {
    idle = true;
  });
  await http.answer(response(200));
  await settled();
  assert.equal(idle, false);
  await http.answer(response(200));
  await waiting;
});

const CANCEL: Partial<Delivery> = {
  kind: "message",
  cancellationId: "can_1",
  body: JSON.stringify({
    cancellationId: "can_1",
    taskId: "task_1",
    token: "1.secret",
    sessionId: null,
    requestedAt: 0,
    deadline: 0,
  }),
};

test("a cancellation becomes a message when it is sent, and what is answered to it is told", async () => {
  const { http, told, outbox } = setUp([CANCEL]);
  await outbox.tick();
  const [request] = http.requests;
  assert.match(request?.body ?? "", /"cancellationUrl":"http:\/\/us\.test\/v1\/opscore\/tasks\/task_1\/cancellation"/);
  assert.deepEqual(request?.headers, {
    "content-type": "application/json",
    "idempotency-key": "can_1",
    "x-opspawn-token": "1.secret",
    "x-signed": "dlv_0",
  });
  await http.answer(response(200, { status: "refused", note: "too late" }));
  assert.deepEqual(told, [["told", "dlv_0", 1, "can_1", { status: "refused", note: "too late" }]]);
});

test("it is tried again for as long as telling an agent may take; an agent that does not take it is given up", async () => {
  for (const [attempts, delay] of [
    [0, 1],
    [1, 2],
    [2, 4],
    [3, 7],
  ] as const) {
    const { clock, http, told, outbox } = setUp([{ ...CANCEL, attempts }]);
    await outbox.tick();
    await http.answer(response(503));
    const nextAt = clock.now() + delay * SECOND;
    assert.deepEqual(told, [["failed", "dlv_0", attempts + 1, "The receiver answered 503.", nextAt]]);
  }
  for (const [attempts, answer, problem] of [
    [4, response(503), "The receiver answered 503."],
    [0, response(404), "The receiver answered 404."],
    [0, REFUSED, "This address may not be called."],
  ] as const) {
    const { http, told, outbox } = setUp([{ ...CANCEL, attempts }]);
    await outbox.tick();
    await http.answer(answer);
    assert.deepEqual(told, [["untold", "dlv_0", attempts + 1, "can_1", problem]]);
  }
});
