import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { dispatched, say } from "./test-reports.ts";
import type { Suite } from "./test-rig.ts";

/** The time in which an agent, not known to tell outcomes by bare states only, may still call with a result. */
export const graceSuite: Suite = (on) => {
  on("hole 12: what the agent reports in the grace makes it neither longer nor shorter", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    await say(w, agentId, "active", "idle");
    await w.wait(SECOND);
    assert.equal(await w.report(agentId, "idle"), null);
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(SECOND - 1);
    assert.equal((await w.getTask(id)).status, "running");
    await w.wait(1);
    assert.equal((await w.getTask(id)).status, "completed");
  });

  on("hole 12: an agent that goes back to work in the grace has not told the end of it", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    await say(w, agentId, "active", "idle", "active");
    await w.wait(5 * SECOND);
    assert.equal((await w.getTask(id)).status, "running");
    await say(w, agentId, "idle");
    await w.wait(2 * SECOND);
    assert.equal((await w.getTask(id)).status, "completed");
  });

  on("hole 12: at the end of the attempt's time a result that follows the `idle` at once is what counts", async (w) => {
    const { agentId, id, attempt } = await dispatched(w);
    await w.acknowledge(attempt);
    w.clock.advance(10 * MINUTE);
    assert.deepEqual(await say(w, agentId, "active", "idle"), [null, null]);
    await w.complete(attempt, "called");
    assert.equal((await w.getTask(id)).result, '"called"');
  });
};
