import type { Requirement } from "../../domain/tasks/task.ts";
import type { Doer } from "./agent-index.ts";
import { assign, chooseDoer } from "./claim.ts";
import { LaneHeads } from "./lane-heads.ts";
import { noteBlocked } from "./lanes.ts";
import type { Tx } from "./tx.ts";

/**
 * Claims from capacity: as many tasks as agents and tools are free, their limits allow and this process can send, the
 * smallest key first, whichever lane it is in. The number claimed.
 */
export function claimLanes(tx: Tx, max: number, lanes: Iterable<string>): number {
  const heads = new LaneHeads(tx, lanes);
  let claimed = 0;
  while (claimed < max && tx.sendCapacity > 0) {
    const task = heads.pop();
    if (task === undefined) break;
    const agent: Doer | undefined = chooseDoer(tx, task);
    if (agent === undefined) {
      noteBlocked(tx, task.lane, JSON.parse(task.requirement) as Requirement);
      heads.dropLane(task);
      continue;
    }
    if (heads.admitLanesOf(agent, task)) continue;
    if (assign(tx, task, agent) === null) throw new Error(`\`${agent.name}\` was thought to have a free slot`);
    heads.admitNext(task);
    claimed += 1;
  }
  return claimed;
}
