import type { SessionInput } from "../../domain/workflows/advance.ts";
import { drainInbox } from "./session-advance.ts";
import { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";
import { hasOpenCancellation, planUndoing } from "./undoing.ts";

/**
 * The end of each transition: sessions that were to undo what they did, and waited for agents to stop, go on once the last
 * of those has said so, or was given up.
 */
export function undoAwaited(tx: Tx): void {
  const { freed } = tx;
  if (freed === null) return;
  const waiting = new Set<SessionUnit>();
  for (const id of freed) for (const unit of upwards(tx, id)) if (isAwaiting(unit)) waiting.add(unit);
  tx.freed = null;
  for (const unit of waiting) {
    if (hasOpenCancellation(tx, unit.id)) continue;
    const input = (): SessionInput => planUndoing(tx, unit);
    tx.inbox.push({ session: unit, input, startAt: tx.now });
    drainInbox(tx);
  }
}

/** It has failed, and what is to be undone is not listed yet. */
function isAwaiting({ row, undoing }: SessionUnit): boolean {
  return row.ended_at === null && undoing !== null && undoing.total === 0;
}

function* upwards(tx: Tx, id: string): Iterable<SessionUnit> {
  let unit = SessionUnit.load(tx, id);
  while (unit !== undefined) {
    yield unit;
    unit = unit.row.parent_id === null ? undefined : SessionUnit.load(tx, unit.row.parent_id);
  }
}
