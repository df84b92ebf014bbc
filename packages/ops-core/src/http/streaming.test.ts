import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../app/test-app.ts";
import { asksForStream } from "./streaming.ts";
import { SseReader } from "./test-sse.ts";

const EVENTS = "/v1/opscore/events";
const FLOW = { id: "streamed", tasks: [{ taskId: "a", agentCapability: "streamed.work" }] };

let app: TestApp;
beforeEach(async () => {
  app = new TestApp({ OPSPAWN_MAX_STREAMS: "10" });
  await app.start();
});
afterEach(() => app.close());

const numbered = (count: number) => (reader: SseReader) => reader.messages.length >= count;

async function startSession(): Promise<string> {
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow: FLOW } });
  return sessionId as string;
}

test("who asks for a stream gets one, with the headers that keep proxies from collecting it", async () => {
  await app.pullAgent("first");
  const reader = await SseReader.open(app, EVENTS);
  const { statusCode, headers } = reader.response;
  assert.equal(statusCode, 200);
  assert.equal(headers["content-type"], "text/event-stream");
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["x-accel-buffering"], "no");
  assert.equal(headers["content-encoding"], undefined);
  assert.equal(headers.connection, "close");
  assert.match(String(headers["x-request-id"]), /^[0-9a-f-]{36}$/);
  await reader.until(numbered(1));
  await app.pullAgent("second");
  app.time.advance(50);
  await reader.until(numbered(2));
  const { items } = await app.ok("GET", EVENTS);
  assert.deepEqual(reader.messages, items);
  reader.leave();
});

test("everybody else gets the page, and caches are told that there are two", async () => {
  for (const accept of ["*/*", "application/json", "text/*", "text/event-stream;q=0", "text/event-streams"]) {
    const { headers, body } = await app.call("GET", EVENTS, { headers: { accept } });
    assert.equal(headers["content-type"], "application/json", accept);
    assert.equal(headers.vary, "accept");
    assert.deepEqual(body.items, []);
  }
  for (const accept of ["text/event-stream", "Text/Event-Stream ; q=0.5, */*", "application/json,text/event-stream"]) {
    assert.ok(asksForStream(accept), accept);
  }
});

test("a stream goes on after the last event that was received, by header or by query", async () => {
  for (const name of ["one", "two", "three"]) await app.pullAgent(name);
  const whole = await SseReader.open(app, EVENTS);
  await whole.until(numbered(3));
  whole.leave();
  const ids = whole.frames.flatMap(({ id }) => id ?? []);
  const rest = async (path: string, headers: Record<string, string> = {}) => {
    const reader = await SseReader.open(app, path, headers);
    await reader.until(numbered(1));
    reader.leave();
    return reader.messages.map(({ position }) => position);
  };
  const first = ids[0] ?? "";
  const second = ids[1] ?? "";
  assert.deepEqual(await rest(EVENTS, { "last-event-id": first }), [2, 3]);
  assert.deepEqual(await rest(`${EVENTS}?lastEventId=${second}`), [3]);
  assert.deepEqual(await rest(`${EVENTS}?lastEventId=${first}&after=1`, { "last-event-id": second }), [3]);
  assert.deepEqual(await rest(`${EVENTS}?after=2`, { "last-event-id": "" }), [3]);
});

test("a place of another store is answered by `reset`, and what is kept follows", async () => {
  await app.pullAgent("one");
  const reader = await SseReader.open(app, EVENTS, { "last-event-id": "abc-17" });
  await reader.until(numbered(1));
  const [, reset, message] = reader.frames;
  assert.deepEqual(reset, { id: "", event: "reset", data: '{"reason":"foreign"}' });
  assert.equal(JSON.parse(message?.data ?? "").position, 1);
  reader.leave();
});

test("filters: a type's beginning, a session, an agent, a stream", async () => {
  const agent = await app.pullAgent("filtered", ["streamed.work"]);
  await app.pullAgent("another");
  const sessionId = await startSession();
  await startSession();
  await app.claim(agent, 1);
  const { items } = await app.ok("GET", `${EVENTS}?limit=200`);
  const all = items as { type: string; stream: string; data: { agentId?: string } }[];
  const expected = {
    "type=attempt.": all.filter(({ type }) => type.startsWith("attempt.")),
    [`session=${sessionId}`]: all.filter(({ stream }) => stream === sessionId),
    [`stream=${sessionId}&type=task`]: all.filter(
      ({ stream, type }) => stream === sessionId && type.startsWith("task"),
    ),
    [`agent=${agent.id}`]: all.filter(({ stream, data }) => stream === agent.id || data.agentId === agent.id),
  };
  for (const [query, events] of Object.entries(expected)) {
    assert.ok(events.length > 0 && events.length < all.length, query);
    const reader = await SseReader.open(app, `${EVENTS}?${query}`);
    await reader.until(numbered(events.length));
    assert.deepEqual(reader.messages, events, query);
    reader.leave();
    assert.deepEqual((await app.ok("GET", `${EVENTS}?${query}`)).items, events, query);
  }
  const both = await app.call("GET", `${EVENTS}?stream=a&session=b`, { headers: { accept: "text/event-stream" } });
  assert.equal(both.body.code, "invalid_request");
});

test("the streams of a session and of a task end with them, and then there is nothing to come back for", async () => {
  const agent = await app.pullAgent("ending", ["streamed.work"]);
  const sessionId = await startSession();
  const [assignment] = await app.claim(agent);
  const taskId = assignment?.opscore_task_id as string;
  const paths = [`/v1/opscore/sessions/${sessionId}/events`, `/v1/opscore/tasks/${taskId}/events`];
  const readers = await Promise.all(paths.map((path) => SseReader.open(app, path)));
  await app.settle(assignment ?? {}, { status: "completed", result: 1 });
  app.time.advance(50);
  for (const [i, reader] of readers.entries()) {
    await reader.until(({ isClosed }) => isClosed);
    assert.deepEqual(reader.frames.at(-1), { event: "end", data: '{"status":"completed"}' });
    assert.ok(reader.response.complete);
    const page = await app.ok("GET", paths[i] ?? "");
    assert.deepEqual(reader.messages, page.items);
    const id = reader.frames.findLast((frame) => frame.id !== undefined)?.id ?? "";
    const again = await SseReader.open(app, paths[i] ?? "", { "last-event-id": id });
    assert.equal(again.response.statusCode, 204);
    const next = await app.ok("GET", `${paths[i]}?after=${page.next}`);
    assert.deepEqual(next, { items: [], next: page.next });
  }
});

test("silence is broken by a comment every 15 s, which says how far was looked", async () => {
  const reader = await SseReader.open(app, `${EVENTS}?type=nothing`);
  await app.pullAgent("unwanted");
  for (let n = 0; n < 5; n += 1) {
    await settled();
    assert.equal(reader.frames.length, 1);
    app.time.advance(3_000);
  }
  await reader.until(({ frames }) => frames.length === 2);
  const [, beat] = reader.frames;
  assert.equal(beat?.comment, "beat");
  const resumed = await SseReader.open(app, EVENTS, { "last-event-id": beat?.id ?? "" });
  await app.pullAgent("wanted");
  app.time.advance(50);
  await resumed.until(numbered(1));
  assert.deepEqual(
    resumed.messages.map(({ position }) => position),
    [2],
  );
  reader.leave();
  resumed.leave();
});

test("streams are for those who may read events", async () => {
  const agent = await app.pullAgent("curious");
  const make = async (...scopes: string[]) =>
    (await app.ok("POST", "/v1/opscore/keys", { body: { name: "k", scopes } })).secret as string;
  const [reading, other] = [await make("events:read"), await make("sessions:read")];
  const paths = [EVENTS, "/v1/opscore/sessions/none/events", "/v1/opscore/tasks/none/events"];
  for (const path of paths) {
    const call = async (key: string | null) =>
      (await app.call("GET", path, { key, headers: { accept: "text/event-stream" } })).status;
    assert.deepEqual(
      [await call(null), await call("wrong"), await call(other), await call(agent.key)],
      [401, 401, 403, 403],
    );
    if (path !== EVENTS) assert.equal(await call(reading), 404);
  }
  const reader = await SseReader.open(app, EVENTS, {}, reading);
  await reader.until(numbered(1));
  assert.equal(reader.response.statusCode, 200);
  reader.leave();
});

test("a stream whose key was revoked ends within 5 s", async () => {
  const made = await app.ok("POST", "/v1/opscore/keys", { body: { name: "k", scopes: ["events:read"] } });
  const reader = await SseReader.open(app, EVENTS, {}, made.secret as string);
  await app.ok("DELETE", `/v1/opscore/keys/${(made.key as JsonObject).keyId}`);
  await settled();
  assert.ok(!reader.isClosed);
  app.time.advance(3_000);
  await reader.until(({ isClosed }) => isClosed);
  assert.ok(!reader.response.complete);
});

test("one key has a part of all streams, and who is refused is told when to come back", async () => {
  const readers = [await SseReader.open(app, EVENTS), await SseReader.open(app, EVENTS)];
  const refused = await app.call("GET", EVENTS, { headers: { accept: "text/event-stream" } });
  assert.equal(refused.status, 429);
  assert.equal(refused.body.code, "too_many_streams");
  assert.equal(refused.headers["retry-after"], "5");
  readers[0]?.leave();
  await settled();
  const again = await SseReader.open(app, EVENTS);
  assert.equal(again.response.statusCode, 200);
  for (const each of [...readers, again]) each.leave();
});

test("what a stream does not take is refused before it begins", async () => {
  const answer = await app.call("GET", `${EVENTS}?limit=5`, { headers: { accept: "text/event-stream" } });
  assert.equal(answer.status, 422);
  assert.equal(answer.headers["content-type"], "application/json");
});

test("a stop ends streams at once", async () => {
  const reader = await SseReader.open(app, EVENTS);
  const stopped = app.close();
  await reader.until(({ isClosed }) => isClosed);
  assert.ok(reader.response.complete);
  assert.ok(!reader.text.includes("event: end"));
  await stopped;
});
