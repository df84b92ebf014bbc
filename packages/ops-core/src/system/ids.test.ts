import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";
import { SystemIds } from "./ids.ts";

test("ids are UUIDs of version 7, and later ones sort after earlier ones, however many a millisecond brings", () => {
  let now = 1_700_000_000_000_000;
  const ids = new SystemIds({ now: () => now });
  let previous = "";
  for (let i = 0; i < 20_000; i += 1) {
    if (i % 5_000 === 0) now += 1_000;
    const id = ids.uuid();
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(id > previous, `${id} does not sort after ${previous}`);
    previous = id;
  }
});

test("ids keep their order when the clock goes backwards", () => {
  let now = 1_700_000_000_000_000;
  const ids = new SystemIds({ now: () => now });
  const first = ids.uuid();
  now -= 60_000_000;
  assert.ok(ids.uuid() > first);
});

test("an id begins with its time in milliseconds", () => {
  const ids = new SystemIds({ now: () => 1_700_000_000_123_456 });
  assert.equal(Number.parseInt(ids.uuid().replaceAll("-", "").slice(0, 12), 16), 1_700_000_000_123);
});

test("secrets carry 128 random bits and do not repeat", () => {
  const ids = new SystemIds(systemClock);
  const secrets = new Set(Array.from({ length: 5_000 }, () => ids.secret()));
  assert.equal(secrets.size, 5_000);
  for (const secret of secrets) assert.equal(Buffer.from(secret, "base64url").length, 16);
});

test("the clock counts whole microseconds and never goes backwards", () => {
  let previous = 0;
  for (let i = 0; i < 10_000; i += 1) {
    const now = systemClock.now();
    assert.ok(Number.isSafeInteger(now) && now >= previous);
    previous = now;
  }
});
