import assert from "node:assert/strict";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { World } from "./test-world.ts";

/** One agent, one task, its message sent. */
export async function dispatched(w: World) {
  const agentId = await w.agent("worker", { capabilities: ["work"], timeout: 10 * MINUTE });
  const { id } = await w.task({ retry: { ...STEP_RETRY, maxAttempts: 1 } });
  w.clock.advance(SECOND);
  return { agentId, id, attempt: w.take() };
}

export async function say(w: World, agentId: string, ...states: string[]): Promise<(string | null)[]> {
  const settled: (string | null)[] = [];
  for (const state of states) {
    w.clock.advance(SECOND / 10);
    settled.push(await w.report(agentId, state, { details: { result: state } }));
  }
  return settled;
}

/** An agent that has shown that it tells outcomes by bare states, with nothing outstanding. */
export async function bareAgent(w: World): Promise<string> {
  const { agentId, id, attempt } = await dispatched(w);
  await w.acknowledge(attempt);
  await say(w, agentId, "active", "idle");
  await w.wait(2 * SECOND);
  assert.equal((await w.getTask(id)).status, "completed");
  return agentId;
}
