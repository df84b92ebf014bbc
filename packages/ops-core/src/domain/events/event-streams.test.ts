import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { settled } from "../../app/test-app.ts";
import { TestTimers } from "../../outbound/test-timers.ts";
import { memoryRig } from "../../store/sqlite/test-rigs.ts";
import { listOf } from "../../store/suite/test-definitions.ts";
import { World, withCode } from "../../store/suite/test-world.ts";
import type { EventStore, StoredEvent } from "../store.ts";
import { cursorOf, startAtNumber } from "./cursor.ts";
import { EventStreams } from "./event-streams.ts";
import type { Selection } from "./selection.ts";
import { sessionTarget, type Target, taskTarget } from "./targets.ts";
import { ALL, Follower } from "./test-follower.ts";

/** A store with streams over it. */
class Rig {
  readonly timers = new TestTimers();
  readonly world: World;
  streams!: EventStreams;
  /** Hints get lost. */
  isDeaf = false;
  /** Reads of the store. */
  reads = 0;

  private constructor(world: World) {
    this.world = world;
    this.#open();
  }

  static async open(): Promise<Rig> {
    return new Rig(await World.open(await memoryRig()));
  }

  async crash(): Promise<void> {
    await this.world.crash();
    this.#open();
  }

  /** What was committed has reached those who wait. */
  async hint(): Promise<void> {
    this.timers.advance(50);
    await settled();
  }

  async all(): Promise<StoredEvent[]> {
    return [...(await this.world.raw.events.list(0, 100_000))];
  }

  target(kind: "session" | "task", id: string): Promise<Target> {
    const { raw } = this.world;
    return kind === "session" ? sessionTarget(raw, id, undefined) : taskTarget(raw, id, undefined);
  }

  #open(): void {
    const { raw } = this.world;
    const events: EventStore = {
      list: (...query) => {
        this.reads += 1;
        return raw.events.list(...query);
      },
      sequenceAt: (...query) => raw.events.sequenceAt(...query),
    };
    const streams = new EventStreams({ events, timers: this.timers, max: 10, maxPerKey: 6 });
    this.streams = streams;
    raw.onCommit((hints) => {
      if (!this.isDeaf) streams.notify(hints);
    });
  }
}

const FLOW = listOf("a", "b");

test("past events are told first, then each as it is committed, and nothing twice", async () => {
  const { rig, world } = await withRig();
  await world.agent("one");
  const follower = new Follower();
  await follower.connect(rig.streams);
  await follower.takeAll();
  assert.deepEqual(
    follower.got.map(({ type }) => type),
    ["agent.registered"],
  );
  await world.agent("two");
  await world.agent("three");
  assert.equal(await follower.take(), null);
  await rig.hint();
  await follower.takeAll();
  assert.deepEqual(follower.got, await rig.all());
});

async function withRig(): Promise<{ rig: Rig; world: World }> {
  const rig = await Rig.open();
  return { rig, world: rig.world };
}

test("a lost hint delays, and loses nothing", async () => {
  const { rig, world } = await withRig();
  const follower = new Follower();
  await follower.connect(rig.streams);
  await follower.take();
  rig.isDeaf = true;
  await world.agent("unheard");
  rig.timers.advance(2_999);
  assert.equal(await follower.take(), null);
  rig.timers.advance(1);
  await follower.takeAll();
  assert.deepEqual(follower.got, await rig.all());
});

test("a session's stream ends after its last event, and who comes back then is told that all was told", async () => {
  const { rig, world } = await withRig();
  await world.agent("worker", { capabilities: ["work"], maxConcurrency: 5 });
  const session = await world.start(FLOW);
  const { selection, ended } = await rig.target("session", session.id);
  const follower = new Follower(selection, ended);
  await follower.connect(rig.streams);
  await follower.takeAll();
  assert.equal(follower.end, null);
  await world.complete(world.take());
  await world.complete(world.take());
  await rig.hint();
  await follower.takeAll();
  assert.equal(follower.end, "completed");
  assert.equal(follower.got.at(-1)?.type, "session.completed");
  assert.deepEqual(follower.got, await world.raw.events.list(0, 100, session.id));
  const again = new Follower(selection, ended);
  again.cursor = follower.cursor;
  await again.connect(rig.streams);
  assert.deepEqual([again.end, again.got, rig.streams.size], ["told before", [], 0]);
  const late = new Follower(selection, ended);
  await late.connect(rig.streams);
  await late.takeAll();
  assert.deepEqual([late.got, late.end], [follower.got, "completed"]);
});

test("what is committed while its end is asked for is told before the end", async () => {
  const { rig, world } = await withRig();
  await world.agent("worker", { capabilities: ["work"] });
  const session = await world.start(listOf("a"));
  const { selection, ended } = await rig.target("session", session.id);
  const follower = new Follower(selection, async () => {
    const attempt = world.sent.shift();
    if (attempt !== undefined) await world.complete(attempt);
    return ended();
  });
  await follower.connect(rig.streams);
  await follower.takeAll();
  assert.deepEqual([follower.end, follower.got.at(-1)?.type], ["completed", "session.completed"]);
});

test("a task's stream holds the events of its session that name it, and ends with the task", async () => {
  const { rig, world } = await withRig();
  await world.agent("worker", { capabilities: ["work"] });
  const session = await world.start(FLOW);
  const attempt = world.take();
  const { selection, ended } = await rig.target("task", attempt.taskId);
  const follower = new Follower(selection, ended);
  await follower.connect(rig.streams);
  await world.complete(attempt);
  await rig.hint();
  await follower.takeAll();
  assert.equal(follower.end, "completed");
  const own = (await world.raw.events.list(0, 100, session.id)).filter(({ data }) => data.taskId === attempt.taskId);
  assert.deepEqual(follower.got, own);
  assert.equal(own.at(-1)?.type, "task.completed");
  await assert.rejects(rig.target("task", "task_none"), withCode("task_not_found"));
  await assert.rejects(rig.target("session", "none"), withCode("session_not_found"));
});

test("a place that is none of this store is answered by a reset, and everything kept follows", async () => {
  const { rig, world } = await withRig();
  await world.agent("one");
  world.clock.advance(7);
  await world.agent("two");
  const [first, last] = await rig.all();
  assert.ok(first && last);
  const ahead = cursorOf({ at: last.at, position: last.position + 1 });
  const ofAnother = cursorOf({ at: last.at - 1, position: last.position });
  for (const cursor of [ahead, ofAnother, "nonsense", "1-0", "-5", "9", `${cursorOf(last)} `, "zz-99999999999999999"]) {
    const follower = new Follower();
    follower.cursor = cursor;
    await follower.connect(rig.streams);
    await follower.takeAll();
    assert.deepEqual([follower.resets, follower.got], [["foreign"], [first, last]], cursor);
    follower.cut();
  }
  const good = new Follower();
  good.cursor = cursorOf(first);
  await good.connect(rig.streams);
  await good.takeAll();
  assert.deepEqual([good.resets, good.got], [[], [last]]);
});

test("a place whose followers were removed is expired, the one right before the first event kept too", async () => {
  const kept = [7, 8].map((n) => ({ position: n, stream: "s", sequence: n, type: "t", at: n, data: {} }));
  const events: EventStore = {
    list: async (after, limit) => kept.filter(({ position }) => position > after).slice(0, limit),
    sequenceAt: async () => 0,
  };
  const timers = new TestTimers();
  for (const cursor of ["5-5", "6-6"]) {
    const follower = new Follower();
    follower.cursor = cursor;
    await follower.connect(new EventStreams({ events, timers, max: 9, maxPerKey: 9 }));
    await follower.takeAll();
    assert.deepEqual([follower.resets, follower.got], [["expired"], kept], cursor);
  }
});

test("a long look for what is hardly there gives signs of life, and finds it", async () => {
  const many = Array.from({ length: 25_000 }, (_, i) => ({
    ...{ position: i + 1, stream: "s", sequence: i + 1, at: 1, data: {} },
    type: i === 24_999 ? "wanted" : "other",
  }));
  const events: EventStore = {
    list: async (after, limit) => many.slice(after, after + limit),
    sequenceAt: async () => 0,
  };
  const follower = new Follower({ ...ALL, type: "wanted" });
  await follower.connect(new EventStreams({ events, timers: new TestTimers(), max: 9, maxPerKey: 9 }));
  const items: unknown[] = [];
  while (items.at(-1) !== "events") {
    const item = await follower.take();
    if (item !== null) items.push(item.type);
  }
  assert.deepEqual(items, ["quiet", "quiet", "events"]);
  assert.deepEqual(follower.got, many.slice(-1));
});

test("a number is a place too: a position among all, a sequence in a stream, and none beyond the last", async () => {
  const { rig, world } = await withRig();
  await world.agent("worker", { capabilities: ["work"] });
  const { id } = await world.start(FLOW);
  const own = await world.raw.events.list(0, 100, id);
  const start = (selection: Selection, number: number) => startAtNumber(world.raw.events, selection, number);
  const last = (await rig.all()).length;
  const stream = { stream: id, counts: "sequences" } as const;
  assert.deepEqual(await start(ALL, 0), { after: 0, lost: null });
  assert.deepEqual(await start(ALL, last), { after: last, lost: null });
  assert.deepEqual(await start(ALL, last + 1), { after: 0, lost: "foreign" });
  assert.deepEqual(await start(stream, 2), { after: 2, lost: null });
  assert.deepEqual(await start(stream, own.length + 1), { after: 0, lost: "foreign" });
  assert.deepEqual(await start({ ...stream, counts: "positions" }, own[1]?.position ?? 0), { after: 2, lost: null });
  const kept = { position: 9, stream: "s", sequence: 9, at: 1, type: "t", data: {} };
  const pruned: EventStore = { list: async () => [kept], sequenceAt: async () => 0 };
  assert.deepEqual(await startAtNumber(pruned, ALL, 8), { after: 8, lost: null });
  assert.deepEqual(await startAtNumber(pruned, ALL, 7), { after: 0, lost: "expired" });
});

test("streams are bounded, of one key and in all, and give their place back", async () => {
  const { rig } = await withRig();
  const followers = Array.from({ length: 6 }, () => new Follower());
  for (const each of followers) await each.connect(rig.streams);
  await assert.rejects(new Follower().connect(rig.streams), withCode("too_many_streams"));
  const others = Array.from({ length: 4 }, () => new Follower());
  for (const each of others) await each.connect(rig.streams, "other");
  await assert.rejects(new Follower().connect(rig.streams, "third"), withCode("too_many_streams"));
  followers[0]?.cut();
  followers[0]?.cut();
  await new Follower().connect(rig.streams, "third");
  assert.equal(rig.streams.size, 10);
});

test("a stop ends the streams that are open and refuses those to come", async () => {
  const { rig } = await withRig();
  const follower = new Follower();
  await follower.connect(rig.streams);
  await follower.take();
  rig.streams.close();
  await settled();
  await follower.take();
  assert.deepEqual([follower.end, rig.streams.size], [null, 0]);
  await assert.rejects(new Follower().connect(rig.streams), withCode("shutting_down"));
});

test("followers at the same place share a read, and a slow one is not read for", async () => {
  const { rig, world } = await withRig();
  const followers = Array.from({ length: 5 }, () => new Follower());
  for (const each of followers) await each.connect(rig.streams);
  await Promise.all(followers.map((each) => each.take()));
  const before = rig.reads;
  for (let n = 0; n < 40; n += 1) await world.agent(`agent ${n}`);
  await rig.hint();
  assert.ok(rig.reads - before <= 1, `${rig.reads - before} reads`);
  const items = await Promise.all(followers.map((each) => each.take()));
  assert.equal(new Set(items.map((item) => item?.type === "events" && item.events)).size, 1);
  const taken = rig.reads;
  for (let n = 40; n < 80; n += 1) await world.agent(`agent ${n}`);
  await rig.hint();
  assert.equal(rig.reads, taken);
});

type Deed = { readonly kind: number; readonly who: number; readonly keep: number };
const deeds = fc.array(fc.record({ kind: fc.nat(9), who: fc.nat(5), keep: fc.nat(6) }), { maxLength: 60 });

test("whatever is committed, read, cut off and taken up again, each follower has every event once, in order", async () => {
  await fc.assert(
    fc.asyncProperty(deeds, async (list) => {
      const rig = await Rig.open();
      await judge(rig, list);
      await rig.world.close();
    }),
    { numRuns: 120 },
  );
});

async function judge(rig: Rig, list: readonly Deed[]): Promise<void> {
  const { world } = rig;
  const agentId = await world.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
  const { id } = await world.start(FLOW);
  const alone = await world.task();
  const targets = [await rig.target("session", id), await rig.target("task", alone.id)];
  const followers = [
    new Follower(),
    new Follower({ ...ALL, type: "task." }),
    new Follower({ ...ALL, stream: id }),
    new Follower({ ...ALL, agent: agentId }),
    ...targets.map(({ selection, ended }) => new Follower(selection, ended)),
  ];
  for (const deed of list) await act(rig, followers[deed.who % followers.length] as Follower, deed);
  rig.isDeaf = false;
  for (const follower of followers) {
    follower.cut();
    for (let n = 0; n < 3; n += 1) {
      await follower.connect(rig.streams);
      await follower.takeAll();
    }
  }
  const all = await rig.all();
  const wanted: ((event: StoredEvent) => boolean)[] = [
    () => true,
    ({ type }) => type.startsWith("task."),
    ({ stream }) => stream === id,
    ({ stream, data }) => stream === agentId || data.agentId === agentId,
    ({ stream }) => stream === id,
    ({ stream }) => stream === alone.id,
  ];
  for (const [i, follower] of followers.entries()) {
    assert.deepEqual(
      follower.got.map(({ position }) => position),
      all.filter(wanted[i] ?? (() => false)).map(({ position }) => position),
      `follower ${i}`,
    );
    assert.deepEqual(follower.resets, []);
  }
}

async function act(rig: Rig, follower: Follower, { kind, keep }: Deed): Promise<void> {
  const { world } = rig;
  if (kind === 0) await world.start(FLOW);
  else if (kind === 1) await world.task();
  else if (kind <= 3) await finishOne(world);
  else if (kind === 4) await follower.take(keep);
  else if (kind === 5) await follower.takeAll();
  else if (kind === 6) follower.cut();
  else if (kind === 7) rig.timers.advance(keep * 700);
  else if (kind === 8) rig.isDeaf = !rig.isDeaf;
  else {
    rig.streams.close();
    await rig.crash();
    world.clock.advance(1_000_000);
    await world.raw.attempts.adopt(10);
  }
  if (kind >= 4) await follower.connect(rig.streams);
}

async function finishOne(world: World): Promise<void> {
  const attempt = world.sent.shift();
  if (attempt !== undefined) await world.complete(attempt);
}
