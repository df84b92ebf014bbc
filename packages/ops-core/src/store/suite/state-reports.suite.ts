import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { dispatched, say } from "./test-reports.ts";
import type { Suite } from "./test-rig.ts";

/** What a state report changes of its agent, whatever it proves about attempts. */
export const stateReportsSuite: Suite = (on) => {
  on("a report that repeats the agent's state is kept, and is no change", async (w) => {
    const agentId = await w.agent("worker");
    await say(w, agentId, "idle", "idle", "IDLE", "idle");
    const changes = (await w.store.events.list(0, 100, agentId)).filter(({ type }) => type === "agent.state_changed");
    assert.deepEqual(
      changes.map(({ data }) => [data.from, data.to]),
      [
        ["UNKNOWN", "idle"],
        ["idle", "IDLE"],
        ["IDLE", "idle"],
      ],
    );
    assert.equal((await w.store.agents.states(agentId, { limit: 9 })).items.length, 4);
  });

  for (const state of ["idle", "finished", "FINISHED"]) {
    on(`an agent that reports ${state} is not at what was taken from it any more`, async (w) => {
      const { agentId, id } = await dispatched(w);
      await w.store.tasks.cancel(id, "no more");
      assert.equal(await w.slots(agentId), "1/1");
      await say(w, agentId, state);
      assert.equal(await w.slots(agentId), "0/0");
    });
  }

  on("a report is a sign of life of those alone who promised some", async (w) => {
    const agentId = await w.agent("worker");
    const beating = await w.agent("beating", { heartbeat: true });
    for (const id of [agentId, beating]) await w.report(id, "idle");
    assert.equal((await w.store.agents.get(agentId))?.leaseUntil, null);
    assert.equal((await w.store.agents.get(beating))?.leaseUntil, w.clock.now() + 10 * SECOND);
  });

  on("an agent in `error` is given nothing more, although it is at work for us", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2, timeout: 30 * MINUTE });
    await w.task();
    await say(w, agentId, "error");
    await w.task();
    assert.equal(w.sent.length, 1);
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "agent_error");
    await w.wait(10 * MINUTE);
    assert.equal(w.sent.length, 2, "it lapses");
  });
};
