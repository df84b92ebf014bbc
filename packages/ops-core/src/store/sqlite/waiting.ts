import type { TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** A task begins to wait: claims look where it does. */
export function beginToWait(tx: Tx, { lane, limits, order_key }: Pick<TaskRow, "lane" | "limits" | "order_key">): void {
  if (limits === null) tx.context.agents.waiting.add(lane);
  else tx.context.limits.enter(lane, limits, order_key);
  tx.hints.lanes.add(lane);
}

/** Whether tasks may wait in a lane; a lane too many costs one look-up. */
export function waitsIn({ context }: Pick<Tx, "context">, lane: string): boolean {
  return context.agents.waiting.has(lane) || context.limits.waitsIn(lane);
}

/** Lanes where tasks may wait. */
export function waitingLanes({ context }: Pick<Tx, "context">): string[] {
  return [...new Set([...context.agents.waiting, ...context.limits.lanes()])];
}
