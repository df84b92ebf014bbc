import type { ExemptGroup } from "./exempt-group.ts";

/** Nobody could see it: what it decides makes no difference. */
export const EQUIVALENT: readonly ExemptGroup[] = [
  {
    reason: "a member without a value is a member that is left out",
    ids: [
      "store/sqlite/ending.ts endAttempt condition: end.error !== null",
      "store/sqlite/ending.ts endAttempt condition: end.evidence !== null",
    ],
  },
  {
    reason: "only saves a write",
    ids: [
      "store/sqlite/lanes.ts writeReason conjunct: lanes.reason <> excluded.reason or lanes.details <> excluded.details",
    ],
  },
  {
    reason: "only bounds memory",
    ids: [
      "store/sqlite/recent-rows.ts RecentRows.putSession condition: this.#sessions.size >= MAX_ROWS",
      "store/sqlite/recent-rows.ts RecentRows.putTask condition: this.#tasks.size >= MAX_ROWS",
      'store/sqlite/recent-rows.ts RecentRows.putTask guard: row.status !== "running" || row.parameters.length > MAX_TEXT',
      "store/sqlite/recent-rows.ts RecentRows.putTask operand: || row.parameters.length > MAX_TEXT",
      "store/sqlite/recent-rows.ts dropOldest condition: oldest.done !== true",
    ],
  },
  {
    reason: "only keeps what is of no use to anybody out of memory",
    ids: ['store/sqlite/recent-rows.ts RecentRows.putTask operand: || row.status !== "running"'],
  },
  {
    reason: "deleting what is not there changes nothing",
    ids: [
      "store/sqlite/recent-rows.ts RecentRows.takeSession condition: row !== undefined",
      "store/sqlite/recent-rows.ts RecentRows.takeTask condition: row !== undefined",
    ],
  },
  {
    reason: "only saves work",
    ids: ["store/sqlite/stored-task.ts updateOf condition: update === undefined"],
  },
  {
    reason: "only saves work that would change nothing",
    ids: [
      "store/sqlite/tx.ts Tx.writeEvents guard: this.#events.size === 0",
      "store/sqlite/tx.ts Tx.writeTasks guard: this.tasks.isWritten",
    ],
  },
  {
    reason: "decides when or in which order a batch is written, not what",
    ids: [
      "store/sqlite/writer.ts Writer.close condition: this.#queue.length > 0",
      "store/sqlite/writer.ts Writer.flush condition: batch.length > 1",
      "store/sqlite/writer.ts Writer.flush guard: batch.length === 0",
      "store/sqlite/writer.ts Writer.schedule condition: this.#lastBatch >= BUSY_BATCH",
      "store/sqlite/writer.ts Writer.schedule condition: this.#servedAtOnce",
      "store/sqlite/writer.ts Writer.schedule guard: this.#scheduled",
    ],
  },
];
