import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../../app/test-app.ts";

const EVENTS = "/v1/opscore/events";

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

test("events are read from where the last read ended, without gap or double", async () => {
  await app.pullAgent("one");
  await app.pullAgent("two");
  const all = (await app.ok("GET", EVENTS)) as { items: JsonObject[]; next: number };
  const positions = all.items.map(({ position }) => position);
  assert.deepEqual(
    positions,
    positions.map((_each, at) => (positions[0] as number) + at),
  );
  const first = await app.ok("GET", `${EVENTS}?limit=1`);
  const rest = await app.ok("GET", `${EVENTS}?after=${first.next}`);
  assert.deepEqual([...(first.items as JsonObject[]), ...(rest.items as JsonObject[])], all.items);
  assert.deepEqual(await app.ok("GET", `${EVENTS}?after=${all.next}`), { items: [], next: all.next });
});

test("the events of one stream have a count of their own", async () => {
  const { id } = await app.pullAgent("streamed");
  const { items, next } = await app.ok("GET", `${EVENTS}?stream=${id}`);
  const [event] = items as JsonObject[];
  assert.equal(event?.type, "agent.registered");
  assert.equal(event?.sequence, 1);
  assert.equal(next, (items as JsonObject[]).at(-1)?.sequence);
});

test("a wait answers with the first event that comes, of any stream or of the one it names", async () => {
  const { next } = await app.ok("GET", EVENTS);
  const any = app.ok("GET", `${EVENTS}?after=${next}&wait=20s`);
  const other = app.ok("GET", `${EVENTS}?stream=other&wait=3s`);
  await settled();
  const { id } = await app.pullAgent("news");
  assert.equal(((await any).items as JsonObject[])[0]?.stream, id);
  app.time.advance(3_000);
  assert.deepEqual(await other, { items: [], next: 0 });
});
