import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTime } from "@opspawn/contract";
import fc from "fast-check";
import { DAY, HOUR, MINUTE, SECOND } from "../../domain/clock.ts";
import type { CatchUp, FireRecord, Overlap, Timing } from "../../domain/schedules/schedule.ts";
import { dueBetween } from "../../domain/schedules/series.ts";
import { scheduleFiresSuite } from "../suite/schedule-fires.suite.ts";
import { schedulesSuite } from "../suite/schedules.suite.ts";
import { listOf } from "../suite/test-definitions.ts";
import { applied, getSchedule, scheduled } from "../suite/test-schedules.ts";
import { succeeded, World } from "../suite/test-world.ts";
import { KeptDatabase } from "./kept-database.ts";
import { rigOn } from "./test-rigs.ts";
import { runScenario } from "./test-specification-run.ts";

/** A connection whose commits can be made to fail. */
class Connection extends KeptDatabase {
  /** Commits that will fail. */
  failing = 0;

  override transaction(step: Parameters<KeptDatabase["transaction"]>[0]): void {
    if (step === "commit" && this.failing > 0) {
      this.failing -= 1;
      throw new Error("the process died before it was written");
    }
    super.transaction(step);
  }
}

const timings = fc.oneof(
  fc.integer({ min: 1, max: 7_200 }).map((s): Timing => ({ kind: "every", every: s * SECOND, anchor: 12_345 })),
  fc.record({
    kind: fc.constant("cron" as const),
    cron: fc.constantFrom("*/10 * * * *", "*/7 * * * * *", "30 2 * * *", "0 1,2,3 * * *"),
    timeZone: fc.constantFrom("UTC", "America/New_York", "Europe/Berlin"),
  }),
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("wait" as const), by: fc.integer({ min: 0, max: 3 * HOUR }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), by: fc.integer({ min: 0, max: 2 * MINUTE }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("fire" as const), fails: fc.constantFrom(0, 0, 0, 1, 2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("end" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("back" as const), by: fc.integer({ min: 0, max: DAY }) }) },
);
const schedules = fc.record({
  timing: timings,
  overlap: fc.constantFrom<Overlap>("skip", "queue", "allow"),
  catchUp: fc.constantFrom<CatchUp>("skip", "one", "all"),
  catchUpWindow: fc.integer({ min: SECOND, max: 2 * MINUTE }),
});

test("whatever dies and whenever, each due time is decided about once, and starts at most one session", async () => {
  await fc.assert(
    fc.asyncProperty(schedules, fc.array(step, { minLength: 5, maxLength: 40 }), async (options, steps) => {
      const db = new Connection();
      const world = await World.open(rigOn(db));
      try {
        await world.agent("worker", { capabilities: ["work"], maxConcurrency: 999 });
        await applied(world, listOf("only"));
        // A day on which both zones change their clocks is within reach.
        world.clock.advance(Date.parse("2026-03-28T20:00:00Z") * 1_000 - world.clock.now());
        const id = await scheduled(world, options);
        for (const each of steps) await take(world, db, each);
        while ((await world.raw.schedules.fire(100)) > 0);
        await checkFires(world, id);
        await world.verify();
      } finally {
        await world.close();
      }
    }),
    { numRuns: 60 },
  );
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(w: World, db: Connection, each: Step): Promise<void> {
  switch (each.do) {
    case "wait":
      w.clock.advance(each.by);
      break;
    case "back":
      // The store's clock never goes back by itself; a process that starts with a lower one is the worst there is.
      w.clock.advance(-each.by);
      break;
    case "fire":
      db.failing = each.fails;
      for (let tries = 0; tries < 3; tries += 1) await w.raw.schedules.fire(100).catch(() => undefined);
      db.failing = 0;
      break;
    case "end":
      for (const attempt of w.sent.splice(0, 2))
        await w.raw.attempts.settle(attempt.taskId, attempt.token, succeeded());
      break;
    case "crash":
      await w.crash();
      break;
  }
}

async function checkFires(w: World, id: string): Promise<void> {
  const schedule = await getSchedule(w, id);
  const fires: FireRecord[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await w.raw.schedules.fires(id, { limit: 200, cursor }, {});
    fires.unshift(...page.items.toReversed());
    cursor = page.nextCursor;
  }
  // Decided in order, without gaps and overlaps, up to the next due time.
  let from = schedule.createdAt + 1;
  for (const { dueAt, lastDueAt, outcome } of fires) {
    assert.deepEqual(dueBetween(schedule, from, dueAt + 1, 2), [dueAt], "the next due time");
    if (outcome !== "missed") assert.equal(lastDueAt, dueAt);
    from = lastDueAt + 1;
  }
  assert.deepEqual(dueBetween(schedule, from, (schedule.nextAt ?? 0) + 1, 2), [schedule.nextAt]);
  assert.ok((schedule.nextAt ?? 0) > w.clock.now());
  await checkSessions(w, fires);
}

async function checkSessions(w: World, fires: readonly FireRecord[]): Promise<void> {
  const started = new Map(fires.flatMap((fire) => (fire.sessionId === null ? [] : [[fire.sessionId, fire] as const])));
  let found = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await w.raw.sessions.list({ limit: 200, cursor }, {});
    for (const { id, labels } of page.items) {
      const fire = started.get(id);
      assert.ok(fire !== undefined, "a session without a fire");
      assert.equal(labels.dueAt, formatTime(fire.dueAt));
      assert.ok(fire.decidedAt >= fire.dueAt, "never early");
      found += 1;
    }
    cursor = page.nextCursor;
  }
  assert.equal(found, started.size, "a fire without its session");
}

test("no statement of schedules looks through a table that grows", async () => {
  const bodies: ((world: World) => Promise<void>)[] = [];
  for (const suite of [schedulesSuite, scheduleFiresSuite]) suite((_title, body) => bodies.push(body));
  const seen = new Set<string>();
  for (const body of bodies) {
    for (const sql of (await runScenario(body)).statements) if (sql.includes("schedule")) seen.add(sql);
  }
  assert.ok(seen.size > 25, `${seen.size} statements`);
  const db = new KeptDatabase();
  const scans = [...seen].flatMap((sql) =>
    db
      .all<{ detail: string }>(`explain query plan ${sql}`)
      .filter(({ detail }) => /^SCAN (schedule_fires|sessions|session_labels|f|s)\b/.test(detail))
      .map(({ detail }) => `${detail}: ${sql}`),
  );
  assert.deepEqual(scans, []);
});
