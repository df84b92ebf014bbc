import type { Requirement } from "../../domain/tasks/task.ts";
import type { Doer } from "./agent-index.ts";
import { assign, chooseDoer, nextWaiting } from "./claim.ts";
import { noteBlocked } from "./lanes.ts";
import type { TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/**
 * Claims from capacity: as many tasks as agents and tools are free and this process can send, the smallest key first, whichever
 * lane it is in. The number claimed.
 */
export function claimLanes(tx: Tx, max: number, lanes: Iterable<string>): number {
  const heads = new LaneHeads(tx, lanes);
  let claimed = 0;
  while (claimed < max && tx.sendCapacity > 0) {
    const task = heads.pop();
    if (task === undefined) break;
    const agent = chooseDoer(tx, task);
    if (agent === undefined) {
      noteBlocked(tx, task.lane, JSON.parse(task.requirement) as Requirement);
      continue;
    }
    if (heads.admitLanesOf(agent, task)) continue;
    if (assign(tx, task, agent) === null) throw new Error(`\`${agent.name}\` was thought to have a free slot`);
    heads.admit(task.lane);
    claimed += 1;
  }
  return claimed;
}

/** The first waiting task of each lane, in key order. */
class LaneHeads {
  readonly #tx: Tx;
  readonly #lanes = new Set<string>();
  /** Descending, so that the next one is taken from the end. */
  readonly #heads: TaskRow[] = [];

  constructor(tx: Tx, lanes: Iterable<string>) {
    this.#tx = tx;
    for (const lane of lanes) this.admit(lane);
  }

  pop(): TaskRow | undefined {
    return this.#heads.pop();
  }

  /** Takes a lane's first task in; true when there is one. */
  admit(lane: string): boolean {
    this.#lanes.add(lane);
    const task = nextWaiting(this.#tx, lane);
    if (task === undefined) forgetIfEmpty(this.#tx, lane);
    else this.#insert(task);
    return task !== undefined;
  }

  /**
   * An agent serves lanes that nobody asked about; what waits there may be before `task`.
   * @returns true when `task` has to wait for its turn among them
   */
  admitLanesOf(agent: Doer, task: TaskRow): boolean {
    const { waiting } = this.#tx.context.agents;
    const others = agent.lanes.filter((lane) => waiting.has(lane) && !this.#lanes.has(lane));
    const admitted = others.filter((lane) => this.admit(lane));
    if (admitted.length === 0) return false;
    this.#insert(task);
    return true;
  }

  #insert(task: TaskRow): void {
    let [low, high] = [0, this.#heads.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#heads[middle]?.order_key ?? 0) > task.order_key) low = middle + 1;
      else high = middle;
    }
    this.#heads.splice(low, 0, task);
  }
}

/** Nothing of this lane may be given out now. */
function forgetIfEmpty(tx: Tx, lane: string): void {
  if (tx.get("select 1 from tasks where status = 'pending' and held = 0 and lane = ? limit 1", lane) === undefined) {
    tx.context.agents.waiting.delete(lane);
  }
  if (tx.get("select 1 from lanes where lane = ?", lane) === undefined) return;
  tx.run("delete from lanes where lane = ?", lane);
}
