import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hints } from "./store.ts";
import type { Timers } from "./timers.ts";
import { laneKey, sessionKey, Waiters } from "./waiters.ts";

/** Timers that move by hand. */
function fakeTimers(): Timers & { advance(ms: number): void; readonly waiting: number } {
  let now = 0;
  const due = new Set<{ at: number; fire: () => void }>();
  return {
    now: () => now,
    set(ms, fire) {
      const entry = { at: now + ms, fire };
      due.add(entry);
      return () => due.delete(entry);
    },
    advance(ms) {
      now += ms;
      for (const entry of [...due]) {
        if (entry.at > now) continue;
        due.delete(entry);
        entry.fire();
      }
    },
    get waiting() {
      return due.size;
    },
  };
}

function hints(parts: Partial<Hints>): Hints {
  const none = { claimed: [], lanes: new Set<string>(), endedSessions: [], endedAttempts: [], deliveries: false };
  return { ...none, streams: new Set<string>(), ...parts };
}

const never = new AbortController().signal;

test("a hint that came before anybody slept is not lost", async () => {
  const waiters = new Waiters({ timers: fakeTimers(), max: 10 });
  const wait = waiters.open([sessionKey("s1")], 1_000, never);
  waiters.notify(hints({ endedSessions: ["s1"] }));
  assert.equal(await wait.next(), true);
  wait.close();
});

test("a hint wakes those who wait for it, and nobody else", async () => {
  const timers = fakeTimers();
  const waiters = new Waiters({ timers, max: 10 });
  const mine = waiters.open([laneKey("a"), laneKey("b")], 1_000, never);
  const other = waiters.open([laneKey("c")], 1_000, never);
  const woken = mine.next();
  const asleep = other.next();
  waiters.notify(hints({ lanes: new Set(["b"]) }));
  assert.equal(await woken, true);
  timers.advance(1_000);
  assert.equal(await asleep, false);
});

test("a long wait looks again from time to time, without any hint, and ends on time", async () => {
  const timers = fakeTimers();
  const waiters = new Waiters({ timers, max: 10 });
  const wait = waiters.open([sessionKey("s1")], 5_000, never);
  const first = wait.next();
  timers.advance(3_000);
  assert.equal(await first, true);
  const second = wait.next();
  timers.advance(2_000);
  assert.equal(await second, false);
});

test("a caller who goes away ends the wait and leaves nothing behind", async () => {
  const timers = fakeTimers();
  const waiters = new Waiters({ timers, max: 10 });
  const caller = new AbortController();
  const wait = waiters.open([sessionKey("s1")], 60_000, caller.signal);
  const result = wait.next();
  caller.abort();
  assert.equal(await result, false);
  wait.close();
  wait.close();
  assert.equal(waiters.size, 0);
  assert.equal(timers.waiting, 0);
});

test("the number of waits is bounded", () => {
  const waiters = new Waiters({ timers: fakeTimers(), max: 1 });
  const wait = waiters.open([sessionKey("s1")], 1_000, never);
  assert.throws(() => waiters.open([sessionKey("s2")], 1_000, never), { code: "overloaded", retryAfter: 1 });
  wait.close();
  waiters.open([sessionKey("s2")], 1_000, never);
});

test("the waits of one owner are bounded, and leave room for the others", () => {
  const waiters = new Waiters({ timers: fakeTimers(), max: 3, maxPerOwner: 1 });
  const wait = waiters.open([sessionKey("s1")], 1_000, never, "a");
  assert.throws(() => waiters.open([sessionKey("s1")], 1_000, never, "a"), { code: "rate_limited", retryAfter: 1 });
  waiters.open([sessionKey("s1")], 1_000, never, "b");
  wait.close();
  wait.close();
  waiters.open([sessionKey("s1")], 1_000, never, "a");
  assert.equal(waiters.size, 2);
  waiters.open([sessionKey("s1")], 1_000, never);
});

test("who does not wait takes no place, and is not told to wait", async () => {
  const waiters = new Waiters({ timers: fakeTimers(), max: 0 });
  const wait = waiters.open([sessionKey("s1")], 0, never);
  assert.equal(await wait.next(), false);
  wait.close();
  assert.equal(waiters.size, 0);
});

test("closing ends the waits that are open and refuses those to come", async () => {
  const waiters = new Waiters({ timers: fakeTimers(), max: 10 });
  const wait = waiters.open([sessionKey("s1")], 1_000, never);
  const result = wait.next();
  waiters.close();
  assert.equal(await result, false);
  assert.throws(() => waiters.open([sessionKey("s1")], 1_000, never), { code: "shutting_down" });
});
