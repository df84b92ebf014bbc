import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Chance } from "../world/chance.ts";
import { drawFrom } from "../world/latency.ts";
import { VirtualTime } from "../world/virtual-time.ts";
import { readArrivals } from "./arrivals.ts";
import { fittingValue } from "./fitting-value.ts";
import { Sample } from "./sample.ts";
import { readTarget } from "./target.ts";

test("a latency by two percentiles has these percentiles", () => {
  const draw = drawFrom({ p50: "2s", p95: "9s" });
  const [chance, sample] = [new Chance(1), new Sample()];
  for (let i = 0; i < 20_000; i += 1) sample.add(draw(chance));
  const [p50, p95] = [sample.percentile(0.5) / 1e6, sample.percentile(0.95) / 1e6];
  assert.ok(p50 > 1.9 && p50 < 2.1, `p50 is ${p50}`);
  assert.ok(p95 > 8.5 && p95 < 9.5, `p95 is ${p95}`);
});

test("percentiles of more values than are kept are near those of all", () => {
  const sample = new Sample();
  for (let i = 1; i <= 100_000; i += 1) sample.add(i);
  assert.deepEqual([sample.count, sample.max, sample.mean], [100_000, 100_000, 50_000.5]);
  assert.ok(Math.abs(sample.percentile(0.95) - 95_000) < 1_500);
});

test("arrivals by a rate come evenly, by chance they come as often", () => {
  const even = readArrivals("90/min");
  assert.equal(even?.next(new Chance(1)), 1_000_000 / 1.5);
  const random = readArrivals("poisson:10/s");
  const chance = new Chance(1);
  let sum = 0;
  for (let i = 0; i < 10_000; i += 1) sum += random?.next(chance) ?? 0;
  assert.ok(Math.abs(sum / 10_000 - 100_000) < 3_000);
  for (const text of ["", "10", "0/s", "-1/s", "10/y", "poisson"]) assert.equal(readArrivals(text), null);
});

test("targets are latencies or throughputs", () => {
  for (const text of ["p95 < 5m", "p99.9<=1h", "100 sessions/min", ">= 2.5 sessions/s"])
    assert.ok(readTarget(text), text);
  for (const text of ["p95", "p94 < 1s", "p95 < 5", "p95 > 5m", "sessions/min"]) assert.equal(readTarget(text), null);
});

test("a value is made that fits the usual schemas", () => {
  const schema = {
    type: "object",
    required: ["kind", "tags", "size", "who"],
    properties: {
      kind: { enum: ["a", "b"] },
      tags: { type: "array", minItems: 2, items: { type: "string", minLength: 3 } },
      size: { type: "integer", exclusiveMinimum: 4 },
      who: { anyOf: [{ type: "boolean" }, { type: "null" }] },
      free: { type: "string" },
    },
  };
  assert.deepEqual(fittingValue(schema), { kind: "a", tags: ["xxx", "xxx"], size: 5, who: true });
});

test("timers fire in the order of their times, those of one time in the order in which they were set", () => {
  const timer = fc.tuple(fc.nat(50), fc.boolean());
  fc.assert(
    fc.property(fc.array(timer, { maxLength: 60 }), (timers) => {
      const time = new VirtualTime(0);
      const fired: number[] = [];
      for (const [i, [at, cancels]] of timers.entries()) {
        const cancel = time.after(at, () => fired.push(i));
        if (cancels) cancel();
      }
      time.moveTo(25);
      time.moveTo(50);
      const kept = [...timers.entries()].filter(([, [, cancels]]) => !cancels);
      assert.deepEqual(
        fired,
        kept.toSorted((a, b) => a[1][0] - b[1][0]).map(([i]) => i),
      );
    }),
  );
});
