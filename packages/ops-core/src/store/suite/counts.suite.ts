import assert from "node:assert/strict";
import { HOUR, SECOND } from "../../domain/clock.ts";
import { listOf, step, workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import type { World } from "./test-world.ts";

/** What its own record says of each open task, counted. */
async function listed(w: World): Promise<Record<string, number>> {
  const { items } = await w.store.tasks.list({ limit: 100 }, {});
  const open = items.filter(({ endedAt }) => endedAt === null);
  return tally(open.map(({ status, blocked }) => (status === "running" ? status : String(blocked?.reason))));
}

async function counted(w: World): Promise<Record<string, number>> {
  const counts = (await w.store.counts.open()).filter(({ noun }) => noun === "tasks");
  return Object.fromEntries(counts.map(({ status, reason, count }) => [reason === "" ? status : reason, count]));
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** How much is open. */
export const countsSuite: Suite = (on) => {
  on("each open task is counted once, under the reason that its own record gives", async (w) => {
    assert.deepEqual(await w.store.counts.open(), []);
    await w.agent("busy", { capabilities: ["work"] });
    for (let n = 0; n < 3; n++)
      await w.task({ requirement: { kind: "capability", capability: "work", preferred: null } });
    await w.task({ requirement: { kind: "capability", capability: "rare", preferred: null } });
    await w.task({ readyAt: w.clock.now() + HOUR });
    const { id } = await w.start(listOf("held"));
    await w.store.sessions.pause(id, "ann", null);
    await w.dispatch();
    await w.fail(w.take());
    await w.dispatch();
    const now = await counted(w);
    assert.deepEqual(await listed(w), now);
    assert.deepEqual(Object.keys(now).sort(), [
      "agent_busy",
      "backoff",
      "delayed",
      "no_capable_agent",
      "running",
      "session_paused",
    ]);
    w.clock.advance(SECOND);
    await w.complete(w.take());
    assert.deepEqual(await listed(w), await counted(w));
  });

  on("each open session is counted once, by its status, and each step that waits by what it waits for", async (w) => {
    const waits = ["signal", "for"].map((what) => ({ taskId: what, wait: { [what]: "9h" }, dependsOn: [] }));
    const [bySignal, byTime] = waits;
    await w.start(workflow(waits));
    await w.start(workflow([bySignal ?? {}]));
    await w.start(workflow([{ taskId: "ok", approval: { message: "?" } }, step("a", { dependsOn: [] })]));
    const { id } = await w.start(workflow([byTime ?? {}]));
    await w.store.sessions.pause(id, "ann", null);
    const ended = await w.start(workflow([byTime ?? {}]));
    await w.store.sessions.cancel(ended.id, "no more");
    const counts = (await w.store.counts.open()).filter(({ noun }) => noun === "sessions" || noun === "steps");
    assert.deepEqual(counts.map(({ noun, status, reason, count }) => [noun, status, reason, count].join(" ")).sort(), [
      "sessions paused session_paused 1",
      "sessions started  1",
      "sessions waiting  2",
      "steps waiting waiting_for_approval 1",
      "steps waiting waiting_for_signal 2",
      "steps waiting waiting_for_time 2",
    ]);
  });
};
