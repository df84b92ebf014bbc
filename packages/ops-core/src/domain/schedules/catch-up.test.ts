import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SECOND } from "../clock.ts";
import { decideDue } from "./catch-up.ts";
import { type CatchUp, COUNTED_MAX, ON_TIME, type ScheduleDefinition } from "./schedule.ts";

const PERIOD = 10 * SECOND;

function schedule(catchUp: CatchUp, window: number): ScheduleDefinition {
  return {
    name: "s",
    workflowId: "w",
    workflowVersion: null,
    input: null,
    agentId: null,
    labels: {},
    timing: { kind: "every", every: PERIOD, anchor: 0 },
    startAt: null,
    endAt: null,
    overlap: "allow",
    catchUp,
    catchUpWindow: window,
  };
}

/** Decides until nothing is due any more: what was fired and what missed. */
function run(each: ScheduleDefinition, due: number, now: number): { fired: number[]; missed: number[] } {
  const fired: number[] = [];
  const missed: number[] = [];
  for (let next: number | null = due; next !== null && next <= now; ) {
    const move = decideDue(each, next, now);
    if (move.missed !== null) {
      assert.equal(move.missed.from, next);
      for (let at = move.missed.from; at <= move.missed.to; at += PERIOD) missed.push(at);
    }
    if (move.fire !== null) fired.push(move.fire);
    assert.ok(move.next === null || move.next > next, "it gets on");
    next = move.next;
  }
  return { fired, missed };
}

test("each due time that has passed is fired or missed, once, by the rule that was chosen", () => {
  const rules = fc.constantFrom<CatchUp>("skip", "one", "all");
  const late = fc.integer({ min: 0, max: 300 * SECOND });
  const windows = fc.integer({ min: SECOND, max: 200 * SECOND });
  fc.assert(
    fc.property(rules, late, windows, (rule, lateness, window) => {
      const now = PERIOD + lateness;
      const { fired, missed } = run(schedule(rule, window), PERIOD, now);
      const all = Array.from({ length: Math.floor(now / PERIOD) }, (_, n) => (n + 1) * PERIOD);
      assert.deepEqual([...missed, ...fired], all, "the missed ones come first");
      const newest = all.at(-1) ?? 0;
      const inTime = all.filter((due) => due >= now - (rule === "skip" ? ON_TIME : window));
      assert.deepEqual(fired, rule === "all" ? inTime : inTime.filter((due) => due === newest));
    }),
  );
});

test("missed due times are counted as far as it is worth while", () => {
  const now = 100_000 * PERIOD;
  const { missed, fire } = decideDue(schedule("one", PERIOD), PERIOD, now);
  assert.deepEqual(missed, { from: PERIOD, to: now - PERIOD, count: COUNTED_MAX });
  assert.equal(fire, now);
});

test("a due time that the rules of its time zone have moved since is decided about all the same", () => {
  const daily: ScheduleDefinition = {
    ...schedule("one", 3_600 * SECOND),
    timing: { kind: "cron", cron: "0 10 * * *", timeZone: "UTC" },
  };
  const day = 86_400 * SECOND;
  const due = 9 * 3_600 * SECOND + 20_000 * day;
  const { fire, missed, next } = decideDue(daily, due, due);
  assert.deepEqual([fire, missed, next], [due, null, due + 3_600 * SECOND]);
});
