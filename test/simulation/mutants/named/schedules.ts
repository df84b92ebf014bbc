import type { NamedMutant } from "./named-mutant.ts";

/** When schedules start what they start, and what becomes of the other times. */
export const SCHEDULES: readonly NamedMutant[] = [
  {
    name: "newest-is-to-come",
    is: "of several due times the one is fired that comes within a second",
    rule: "16",
    file: "domain/schedules/catch-up.ts",
    changes: [
      {
        from: "Math.max(due, dueBefore(schedule, now + 1) ?? due);",
        to: "Math.max(due, dueBefore(schedule, now + 1_000_001) ?? due);",
      },
    ],
  },
  {
    name: "triggered-does-not-count",
    is: "a due time is not held up by a session that was started by hand",
    rule: "19",
    file: "store/sqlite/schedule-row.ts",
    changes: [
      {
        from: "where schedule_id = ? and open = 1 order by",
        to: "where schedule_id = ? and open = 1 and kind <> 'trigger' order by",
      },
    ],
  },
  {
    name: "last-come-first-started",
    is: "of the fires that wait the newest is started first",
    rule: "19",
    file: "store/sqlite/schedule-row.ts",
    changes: [
      { from: "outcome = 'queued' order by sequence limit 1", to: "outcome = 'queued' order by sequence desc limit 1" },
    ],
  },
  {
    name: "any-end-frees-the-queue",
    is: "the end of one session counts as that of all that the schedule has started",
    rule: "19",
    file: "store/sqlite/schedule-ends.ts",
    changes: [
      {
        from: 'tx.run("update schedule_fires set open = 0 where schedule_id = ? and sequence = ?"',
        to: 'tx.run("update schedule_fires set open = 0 where schedule_id = ? and sequence <> -?"',
      },
    ],
  },
  {
    name: "end-wakes-no-schedule",
    is: "what waits for the end of a session is not started by it",
    rule: "18",
    file: "store/sqlite/schedule-ends.ts",
    changes: [{ from: "wakeOf(tx, row, tx.now), row.id);", to: "row.next_at, row.id);" }],
  },
  {
    name: "never-too-late",
    is: "a due time is fired however late it is noticed",
    rule: "17",
    file: "domain/schedules/catch-up.ts",
    changes: [{ from: "return newest >= oldest ? newest : null;", to: "return newest;" }],
  },
  {
    name: "all-is-the-newest",
    is: "of several due times that are to be caught up with only the newest is fired",
    rule: "17",
    file: "domain/schedules/catch-up.ts",
    changes: [{ from: 'if (catchUp === "all") {', to: 'if (catchUp === "all" && due === now) {' }],
  },
  {
    name: "missed-unrecorded",
    is: "due times that were noticed too late leave no record",
    rule: "1",
    file: "store/sqlite/schedule-fires.ts",
    changes: [{ from: "if (missed !== null) recordMissed", to: "if (missed !== null && fire === null) recordMissed" }],
  },
  {
    name: "resume-catches-up",
    is: "a schedule that is resumed fires the due times of its pause",
    rule: "17",
    file: "store/sqlite/schedules.ts",
    changes: [
      {
        from: "return dueAfter(definition, Math.max(tx.now, row.decided_until ?? 0));",
        to: "return dueAfter(definition, row.decided_until ?? tx.now);",
      },
    ],
  },
  {
    name: "queue-goes-on-while-paused",
    is: "a paused schedule starts what waits",
    rule: "17",
    file: "store/sqlite/schedule-row.ts",
    changes: [
      {
        from: "if (row.paused_at !== null) return null;",
        to: "if (row.paused_at !== null && row.queued === 0) return null;",
      },
    ],
  },
  {
    name: "backfilled-again",
    is: "a due time that the series has started is started once more when its range is fired anew",
    rule: "8",
    file: "store/sqlite/schedule-fires.ts",
    changes: [{ from: "due_at = ? and kind <> 'trigger'", to: "due_at = ? and kind = 'backfill'" }],
  },
  {
    name: "trigger-without-key",
    is: "a trigger that is asked for again under its key starts another session",
    rule: "8",
    file: "store/sqlite/schedule-store.ts",
    changes: [
      {
        from: "once(tx, idempotency, () => triggerSchedule(",
        to: "once(tx, idempotency && undefined, () => triggerSchedule(",
      },
    ],
  },
  {
    name: "update-leaves-due-times-out",
    is: "a schedule that is written anew as it was passes over what is due",
    rule: "1",
    file: "store/sqlite/schedules.ts",
    changes: [
      {
        from: "row.paused_at === null && seriesText(definition) !== seriesText(definitionOf(row))",
        to: "row.paused_at === null",
      },
    ],
  },
];
