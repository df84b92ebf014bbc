import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pace } from "./pace.ts";

test("two seconds' worth of calls pass at once, then as many as the rate allows, and the wait is told exactly", () => {
  const pace = new Pace(10);
  for (let call = 0; call < 20; call += 1) assert.equal(pace.take("a", 5_000), 0, `call ${call}`);
  assert.equal(pace.take("a", 5_000), 100);
  assert.equal(pace.take("a", 5_099), 1);
  assert.equal(pace.take("a", 5_100), 0);
  assert.equal(pace.take("a", 5_100), 100);
  assert.equal(pace.take("b", 5_100), 0, "one caller's flood is nothing to another");
});

test("looking counts nothing", () => {
  const pace = new Pace(1);
  for (let look = 0; look < 9; look += 1) assert.equal(pace.waitOf("a", 0), 0);
  assert.equal(pace.take("a", 0), 0);
});

test("no more calls pass in any time than a burst and the rate allow, and an honest caller never waits", () => {
  const gaps = fc.array(fc.nat(300), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 50 }), (times, rate) => {
      const pace = new Pace(rate);
      const passed: number[] = [];
      let now = 1_000;
      for (const gap of times) {
        now += gap;
        if (pace.take("a", now) === 0) passed.push(now);
      }
      for (const [i, from] of passed.entries()) {
        const within = passed.slice(i).filter((at) => at <= from + 1_000).length;
        assert.ok(within <= 3 * rate + 1, `${within} calls in a second at ${rate}/s`);
      }
      if (times.every((gap) => gap >= 1000 / rate)) assert.equal(passed.length, times.length);
    }),
  );
});

test("a rate without end holds nobody up and remembers nobody", () => {
  const pace = new Pace(Number.POSITIVE_INFINITY);
  for (let call = 0; call < 1_000; call += 1) assert.equal(pace.take("a", 0), 0);
  assert.equal(pace.size, 0);
});

test("a flood of made-up callers takes bounded memory, and does not set a known flooder free at once", () => {
  const pace = new Pace(1);
  pace.take("flooder", 0);
  pace.take("flooder", 0);
  for (let n = 0; n < 15_000; n += 1) pace.take(`x${n}`, 0);
  assert.ok(pace.take("flooder", 0) > 0);
  for (let n = 0; n < 200_000; n += 1) pace.take(`y${n}`, 0);
  assert.ok(pace.size <= 40_000, String(pace.size));
});
