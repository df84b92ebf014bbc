import type { JsonObject } from "@opspawn/contract";
import { claimDirectly } from "./claim.ts";
import { isSessionPaused, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { beginToWait } from "./waiting.ts";

/** Brings a task into the world: already claimed where an agent is free, else waiting in its lane. */
export function addTask(tx: Tx, row: TaskRow): void {
  taskEvent(tx, row, "task.created", { name: row.name, lane: row.lane, ...placeOf(row), ...limitsOf(row) });
  if (isSessionPaused(tx, row)) row.held = 1;
  claimDirectly(tx, row);
  tx.tasks.add(tx, row);
  if (row.status !== "pending" || row.held === 1) return;
  beginToWait(tx, row);
}

function limitsOf({ limits }: TaskRow): JsonObject {
  return limits === null ? {} : { limits: JSON.parse(limits) as JsonObject };
}

/** Which part of its step it is, and whether it undoes it; nothing for the only task of a step. */
function placeOf({ part, undoes }: TaskRow): JsonObject {
  return { ...(part === 0 ? {} : { part }), ...(undoes === 0 ? {} : { undoes: true }) };
}
