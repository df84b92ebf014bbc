import assert from "node:assert/strict";
import { HOUR, SECOND } from "../../domain/clock.ts";
import { listOf } from "./test-definitions.ts";
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
};
