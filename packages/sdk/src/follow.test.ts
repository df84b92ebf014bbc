import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { operations } from "@opspawn/contract";
import { OpspawnClient } from "./client.ts";
import { OpspawnApiError, OpspawnConnectionError, OpspawnResetError } from "./errors.ts";
import type { FollowOptions } from "./follow.ts";
import { type FakeClock, fakeChance, fakeClock } from "./testing/fake-clock.ts";
import { FakeFailure, FakeServer, FakeStream, HangUp } from "./testing/fake-server.ts";
import { sampleEvent } from "./testing/samples.ts";

const { list } = operations.events;
const SECOND = 1_000_000;

let fake: FakeServer;
let clock: FakeClock;
let client: OpspawnClient;

beforeEach(async () => {
  fake = await FakeServer.start({ apiKey: "opk_1_s" });
  clock = fakeClock();
  client = new OpspawnClient({ baseUrl: fake.baseUrl, apiKey: "opk_1_s", clock, chance: fakeChance() });
});
afterEach(() => fake.close());

const events = (...positions: number[]) => positions.map((position) => sampleEvent({ position, sequence: position }));

/** Positions, until there are so many. */
async function follow(options: FollowOptions, count = Number.POSITIVE_INFINITY): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of client.events.follow(options)) {
    assert.equal(event.cursor, `c${event.position}`);
    seen.push(event.position);
    if (seen.length === count) break;
  }
  return seen;
}

const asked = () => fake.calls.map(({ query, headers }) => [query.after ?? null, headers["last-event-id"] ?? null]);

test("following goes on behind the last event when the connection ends, is cut off, or there is none", async () => {
  fake.on(
    list,
    new FakeStream(events(1, 2)),
    new FakeFailure(503, { detail: "Stopping", code: "shutting_down" }),
    new HangUp(),
    new FakeStream(events(3), { after: "cut" }),
    new FakeStream([], { after: "cut" }),
    new FakeStream(events(4, 5), { after: "stay" }),
  );
  const told: unknown[] = [];
  const following = follow({ onRetry: (error) => told.push(error) }, 5);
  for (let pause = 0; pause < 5; pause += 1) await clock.reach(5 * SECOND);
  assert.deepEqual(await following, [1, 2, 3, 4, 5]);
  const cursors = asked().map(([, cursor]) => cursor);
  assert.deepEqual(cursors, [null, "c2", "c2", "c2", "c3", "c3"]);
  assert.equal(told.length, 4);
});

test("it begins where it is told to: behind a number, or behind a cursor", async () => {
  fake.on(list, new FakeStream(events(8)), new FakeStream(events(9), { after: "stay" }));
  const following = follow({ after: 7, type: "session.", agent: "a1", stream: "s1" }, 2);
  await clock.reach(SECOND);
  assert.deepEqual(await following, [8, 9]);
  assert.deepEqual(asked(), [
    ["7", null],
    [null, "c8"],
  ]);
  assert.equal(fake.calls[0]?.headers.accept, "text/event-stream");
  const { type, agent, stream } = fake.calls[0]?.query ?? {};
  assert.deepEqual([type, agent, stream], ["session.", "a1", "s1"]);
  await follow({ after: "c8" }, 1);
  assert.deepEqual(asked().at(-1), [null, "c8"]);
});

test("of a session and of a task it ends with them, and at once when all was told before", async () => {
  fake.on(operations.sessions.events, new FakeStream(events(1, 2), { end: "failed" }));
  assert.deepEqual(await follow({ session: "s 1" }), [1, 2]);
  assert.equal(fake.calls[0]?.params.sessionId, "s 1");
  fake.on(operations.tasks.events, new FakeFailure(204, ""));
  assert.deepEqual(await follow({ task: "t", after: "c2" }), []);
});

test("a place that is lost is an error, unless somebody is there to hear of it", async () => {
  fake.on(list, new FakeStream(events(1), { reset: "expired", after: "stay" }));
  await assert.rejects(follow({ after: "c9" }), (error) => {
    return error instanceof OpspawnResetError && error.reason === "expired";
  });
  const heard: string[] = [];
  assert.deepEqual(await follow({ after: "c9", onReset: (reason) => heard.push(reason) }, 1), [1]);
  assert.deepEqual(heard, ["expired"]);
});

test("a server that is silent for too long is left, and asked again", async () => {
  fake.on(list, new FakeStream(events(1), { after: "stay" }), new FakeStream(events(2), { after: "stay" }));
  const following = client.events.follow();
  assert.equal((await following.next()).value?.position, 1);
  const second = following.next();
  clock.advance(45 * SECOND);
  await clock.reach(SECOND);
  assert.equal((await second).value?.position, 2);
  await following.return();
});

test("patience ends when nobody has answered for that long; refusals end it at once", async () => {
  fake.on(list, new FakeStream(events(1)), new FakeFailure(503, { detail: "Stopping", code: "shutting_down" }));
  const impatient = assert.rejects(follow({ patience: "3s" }), (error) => {
    return error instanceof OpspawnApiError && error.code === "shutting_down";
  });
  for (let pause = 0; pause < 4; pause += 1) await clock.reach(5 * SECOND);
  await impatient;
  fake.on(list, new FakeFailure(403, { detail: "No", code: "forbidden" }));
  await assert.rejects(follow({}), (error) => error instanceof OpspawnApiError && error.code === "forbidden");
  fake.on(list, new FakeFailure(200, "<html>", { "content-type": "text/html" }));
  await assert.rejects(follow({}), (error) => {
    return error instanceof OpspawnConnectionError && error.problem === "not_opspawn";
  });
});

test("following ends quietly when its signal is aborted, before, while it waits and between events", async () => {
  assert.deepEqual(await follow({ signal: AbortSignal.abort() }), []);
  assert.equal(fake.calls.length, 0);
  const stop = new AbortController();
  fake.on(list, () => {
    stop.abort();
    return new FakeStream([], { after: "stay" });
  });
  assert.deepEqual(await follow({ signal: stop.signal }), []);
  const between = new AbortController();
  fake.on(list, new FakeStream(events(1, 2), { after: "stay" }));
  const seen: number[] = [];
  for await (const { position } of client.events.follow({ signal: between.signal })) {
    seen.push(position);
    if (position === 2) between.abort();
  }
  assert.deepEqual(seen, [1, 2]);
});

test("who stops listening leaves no connection and no timer behind", async () => {
  let left: AbortSignal | undefined;
  fake.on(list, (call) => {
    left = call.signal;
    return new FakeStream(events(1), { after: "stay" });
  });
  await follow({}, 1);
  while (left?.aborted !== true) await new Promise((resolve) => setImmediate(resolve));
});
