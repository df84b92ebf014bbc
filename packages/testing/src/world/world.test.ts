import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, operations } from "@opspawn/contract";
import fc from "fast-check";
import { Fleet } from "../agents/fleet.ts";
import { reply } from "../agents/reply.ts";
import { Chance } from "./chance.ts";
import { World } from "./world.ts";

const START = Date.UTC(2026, 0, 1) * 1_000;
/** Microseconds that pass at once, at most. */
const PAUSE = 130_000_000;

/** Steps of every kind that waits for time in its own way. */
const STEPS: readonly JsonObject[] = [
  { wait: { for: "100s" } },
  { wait: { for: "1300ms" } },
  { wait: { signal: "go", timeout: "45s" }, onFailure: "continue" },
  { approval: { message: "May it?", timeout: "2m", remindEvery: "61s" }, onFailure: "continue" },
  { agentCapability: "slow", timeout: "10m" },
  { agentCapability: "fails", retry: { maxAttempts: 7, initialDelay: "10s", maxDelay: "5m" }, onFailure: "continue" },
  { agentCapability: "silent", timeout: "50s", retry: { maxAttempts: 2 }, onFailure: "continue" },
  { agentCapability: "dies", timeout: "5m", onFailure: "continue" },
  { agentCapability: "nobody", deadline: "70s", onFailure: "continue" },
  { tool: "sick", retry: { maxAttempts: 3, initialDelay: "1s" }, onFailure: "continue" },
  { agentCapability: "slow", repeat: { until: "iteration == 2", maxIterations: 4, delay: "77s" }, timeout: "10m" },
];

interface Story {
  readonly seed: number;
  /** Which steps a session has. */
  readonly chosen: readonly number[];
  readonly sessions: number;
}

/** What happens in some minutes, with all looks of the server or without those that find nothing. */
async function history({ seed, chosen, sessions }: Story, allLooks: boolean): Promise<readonly unknown[]> {
  const world = await World.start({ seed, start: START, allLooks });
  const fleet = new Fleet(world);
  fleet.agent("slow", { capabilities: ["slow"], takes: { p50: "40s", p95: "4m" } });
  fleet.agent("fails", { capabilities: ["fails"], takes: "2s", handle: () => reply.status(503) });
  fleet.agent("silent", { capabilities: ["silent"], handle: () => reply.silence() });
  fleet.agent("dies", { capabilities: ["dies"], handle: () => reply.death({ after: "20s", back: "2m" }) });
  fleet.tool("sick", { handle: () => reply.failure("sick") });
  await fleet.arrive();
  const tasks = chosen.map((n, i) => ({ taskId: `s${i}`, name: "S", ...STEPS[n] }));
  const callbackUrl = "http://nobody.test/";
  for (let i = 0; i < sessions; i += 1) {
    const body = { workflow: { id: `w${i}`, name: "W", tasks }, callbackUrl, delay: `${i * 80}s` };
    await world.call(operations.sessions.start, { body });
  }
  const chance = new Chance(seed);
  for (let i = 0; i < 3; i += 1) await world.runUntil(world.now + Math.ceil(chance.next() * PAUSE));
  const events = await world.process?.events(0, 5_000);
  const { items } = await world.call(operations.deliveries.list, {});
  world.close();
  return [...(events ?? []), ...items];
}

async function compare(seed: number, chosen: readonly number[], sessions: number): Promise<void> {
  const story = { seed, chosen, sessions };
  assert.deepEqual(await history(story, false), await history(story, true));
}

test("leaving out the looks that find nothing changes nothing that happens, and when", async () => {
  for (const kind of STEPS.keys()) await compare(kind, [kind], 1);
});

test("nor does it where several sessions do several things", async () => {
  const steps = fc.array(fc.nat(STEPS.length - 1), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000), steps, (seed, chosen) => compare(seed, chosen, 3)),
    { numRuns: 2, endOnFailure: true },
  );
});
