import type { ExemptGroup } from "./exempt-group.ts";

/** The simulated world does not do the thing yet, or nobody there judges it: work to do. */
export const UNSEEN_TWO: readonly ExemptGroup[] = [
  {
    reason:
      "nobody judges what becomes of a late or a repeated result, nor whether a silent agent is at more than its slots",
    ids: [
      "store/sqlite/outcomes.ts settle guard: ended && same",
      "store/sqlite/outcomes.ts settle guard: isOpen(attempt)",
      "store/sqlite/outcomes.ts settle operand: && ended",
      "store/sqlite/outcomes.ts settle operand: && same",
      'store/sqlite/outcomes.ts settle.ended operand: || attempt.status === "failed"',
      'store/sqlite/outcomes.ts settle.ended operand: || attempt.status === "succeeded"',
      'store/sqlite/outcomes.ts settleOpen condition: event === "fail"',
    ],
  },
  {
    reason: "a simulated minute has nothing old enough to be pruned, and one process at a time",
    ids: [
      "store/sqlite/process-store.ts processStore.beat conjunct: epoch = ?",
      "store/sqlite/process-store.ts processStore.resign conjunct: epoch = ?",
      "store/sqlite/process-store.ts prune.answers conjunct: created_at < ?",
      "store/sqlite/process-store.ts prune.answers conjunct: rowid in (select rowid from idempotency order by rowid limit ?)",
      "store/sqlite/process-store.ts prune.replays conjunct: until < ?",
      "store/sqlite/process-store.ts prune.reports conjunct: (agent_id, sequence) in (select r.agent_id, r.sequence from agent_reports r join agents a on a.id = r.agent_id where r.sequence <= a.reports - ? limit ?)",
      "store/sqlite/process-store.ts prune.reports conjunct: r.sequence <= a.reports - ?",
    ],
  },
  {
    reason: "nobody compares results with what the agents reported",
    ids: [
      'store/sqlite/report-evidence.ts member guard: typeof value !== "object" || value === null || Array.isArray(value)',
      "store/sqlite/report-evidence.ts member operand: || Array.isArray(value)",
      'store/sqlite/report-evidence.ts member operand: || typeof value !== "object"',
      "store/sqlite/report-evidence.ts member operand: || value === null",
      'store/sqlite/report-evidence.ts toOutcome guard: outcome.type === "failed"',
    ],
  },
  {
    reason: "in no seed is a message that was sent before undeliverable when it is sent again",
    ids: [
      "store/sqlite/sender.ts undelivered guard: attempt.sends > 1",
      'store/sqlite/sender.ts undelivered guard: task === undefined || attempt?.status !== "created"',
      'store/sqlite/sender.ts undelivered operand: || attempt?.status !== "created"',
      "store/sqlite/sender.ts undelivered operand: || task === undefined",
    ],
  },
  {
    reason: "nobody compares what a session says of its failed steps, its failure and its output",
    ids: [],
  },
  {
    reason: "simulated workflows read no results of other steps",
    ids: [],
  },
  {
    reason: "there are no sessions of a newer version in the simulated world",
    ids: ["store/sqlite/session-unit.ts SessionUnit.load.row conjunct: format <= ?"],
  },
  {
    reason: "nobody asks for a session that is not there or has ended, or for what it is answered",
    ids: [
      "store/sqlite/sessions.ts cancelSession guard: session.row.ended_at !== null",
      'store/sqlite/sessions.ts cancelSession guard: session.status === "cancelled"',
      "store/sqlite/sessions.ts startSession condition: start.saveWorkflow === true",
    ],
  },
  {
    reason: "sessions of the simulated world have no labels",
    ids: [
      "store/sqlite/sessions.ts labelSession conjunct: key = ?",
      "store/sqlite/sessions.ts labelSession conjunct: session_id = ?",
      "store/sqlite/sessions.ts labelSession conjunct: value = ?",
    ],
  },
  {
    reason: "no simulated agent comes back with fewer slots",
    ids: ["store/sqlite/slots.ts releaseSlot condition: slot < agent.maxConcurrency"],
  },
  {
    reason: "nobody compares a past attempt with the one a late result names",
    ids: [
      "store/sqlite/task-row.ts changeAttempt guard: task.last !== attempt",
      "store/sqlite/task-row.ts loadAttempt conjunct: n = ?",
      "store/sqlite/task-row.ts loadAttempt conjunct: task_id = ?",
      "store/sqlite/task-row.ts loadAttempt guard: n === task.attempts",
      "store/sqlite/task-row.ts taskEvent guard: task.session_id !== null",
    ],
  },
  {
    reason: "nobody compares what a task or a lease is answered with, and single tasks of sessions are never cancelled",
    ids: [
      "store/sqlite/task-store.ts attemptStore.expire condition: isDeaf(db, clock.now())",
      'store/sqlite/task-store.ts extendLease condition: attempt.status !== "acknowledged"',
      "store/sqlite/task-store.ts extendLease condition: resend",
      "store/sqlite/task-store.ts extendLease operand: || !isOpen(attempt)",
    ],
  },
  {
    reason: "in the simulated world no transition fails after it has written",
    ids: [
      "store/sqlite/tx.ts Tx.begin condition: this.#savepoint",
      "store/sqlite/tx.ts Tx.begin guard: this.#wrote",
      "store/sqlite/tx.ts Tx.finish condition: this.#savepoint && this.#wrote",
      "store/sqlite/tx.ts Tx.finish operand: && this.#savepoint",
      "store/sqlite/tx.ts Tx.finish operand: && this.#wrote",
      "store/sqlite/tx.ts Tx.undo condition: this.#touched",
      "store/sqlite/tx.ts Tx.undo condition: this.#wrote",
      "store/sqlite/tx.ts Tx.undo guard: this.#wrote && !this.#savepoint",
      "store/sqlite/tx.ts Tx.undo operand: && !this.#savepoint",
      "store/sqlite/tx.ts Tx.undo operand: && this.#wrote",
      "store/sqlite/writer.ts Writer.apply guard: !tx.undo()",
      "store/sqlite/writer.ts Writer.commit guard: apart === null",
      "store/sqlite/writer.ts Writer.commit guard: done !== null",
      "store/sqlite/writer.ts Writer.run guard: applied === null",
      "store/sqlite/writer.ts mergedHints.kept operand: && ok",
    ],
  },
  {
    reason: "the simulated disk fails in one way only, at COMMIT: it is never full and never rolls back by itself",
    ids: [
      "store/sqlite/writer.ts Writer.apply guard: !this.#db.inTransaction",
      "store/sqlite/writer.ts Writer.run condition: this.#db.inTransaction",
      "store/sqlite/writer.ts commitError guard: isFull(error)",
      "store/sqlite/writer.ts isFull operand: && /disk is full|SQLITE_FULL/.test(error.message)",
      "store/sqlite/writer.ts isFull operand: && error instanceof Error",
      "store/sqlite/writer.ts transitionError guard: isFull(error)",
    ],
  },
  {
    reason: "the simulated clients never ask for more than the queue takes, nor while the store closes",
    ids: [
      'store/sqlite/writer.ts Writer.submit condition: urgency === "intake"',
      "store/sqlite/writer.ts Writer.submit guard: this.#closed",
      "store/sqlite/writer.ts Writer.submit guard: this.#intake >= MAX_QUEUED_INTAKE",
    ],
  },
];
