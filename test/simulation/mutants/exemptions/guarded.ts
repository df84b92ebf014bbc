import type { ExemptGroup } from "./exempt-group.ts";

/** Something else catches it: the predicate is there twice, or rules out what cannot happen. */
export const GUARDED: readonly ExemptGroup[] = [
  {
    reason: "a pull agent has no endpoint to send to, and a session is told of its first attempt twice at most",
    ids: [
      'store/sqlite/claim.ts assign condition: agent.channel === "push"',
      'store/sqlite/claim.ts assign condition: session?.status === "started"',
    ],
  },
  {
    reason: "cannot happen: whoever calls this has looked at the status in the same transaction",
    ids: [
      'store/sqlite/ending.ts cancelTask condition: task.status === "running"',
      "store/sqlite/ending.ts cancelTask guard: task === undefined",
      'store/sqlite/ending.ts cancelTask operand: && task.status !== "pending"',
      "store/sqlite/ending.ts endAttempt guard: !isOpen(attempt)",
      "store/sqlite/ending.ts endLastAttempt guard: attempt === null || !isOpen(attempt)",
      "store/sqlite/ending.ts endLastAttempt operand: || !isOpen(attempt)",
      "store/sqlite/ending.ts endLastAttempt operand: || attempt === null",
      "store/sqlite/outcomes.ts backToLane guard: task.ended_at !== null",
      'store/sqlite/outcomes.ts completeTask guard: task.status !== "running"',
      "store/sqlite/outcomes.ts endTask guard: task.ended_at !== null",
      "store/sqlite/outcomes.ts fallBack guard: policy.fallback === null",
    ],
  },
  {
    reason: "proposes only: whatever is found is judged again in a transition of its own",
    ids: [
      "store/sqlite/expiry.ts findDue.sessions conjunct: wake_at <= ?",
      "store/sqlite/expiry.ts findDue.silent operand: && hasLease(db, agent)",
      "store/sqlite/expiry.ts findDue.silent operand: && isSilent(agent, now)",
      "store/sqlite/expiry.ts findDue.slots conjunct: until <= ?",
      "store/sqlite/expiry.ts findDue.tasks conjunct: wake_at <= ?",
      "store/sqlite/expiry.ts hasLease.held conjunct: (? = 'pull' or attempt_status = 'acknowledged')",
      "store/sqlite/expiry.ts hasLease.held conjunct: agent_id = ?",
      "store/sqlite/expiry.ts hasLease.held conjunct: status = 'running'",
      "store/sqlite/expiry.ts isSilent operand: && agent.held > agent.draining",
      "store/sqlite/expiry.ts isSilent operand: && isOffline(agent, now)",
    ],
  },
  {
    reason: "a second write of the same values, or a check of what cannot happen",
    ids: [
      "store/sqlite/held-tasks.ts HeldTasks.changed operand: || this.#new.has(row)",
      "store/sqlite/held-tasks.ts HeldTasks.write guard: db.run(sql, ...values) !== 1",
    ],
  },
  {
    reason: "the rows are as memory has them; it only saves a read",
    ids: ["store/sqlite/held-tasks.ts HeldTasks.load guard: known !== undefined"],
  },
  {
    reason: "a hint too many costs a look, one too few is made up for by the loops that poll",
    ids: [
      "store/sqlite/hints.ts CommitHints.any operand: || this.claimed.length > 0",
      "store/sqlite/hints.ts CommitHints.any operand: || this.deliveries",
      "store/sqlite/hints.ts CommitHints.any operand: || this.lanes.size > 0",
      "store/sqlite/hints.ts CommitHints.any operand: || this.streams.size > 0",
      "store/sqlite/writer.ts mergedHints.kept operand: && tx.hints.any",
    ],
  },
  {
    reason: "an attempt that has ended, or that of another agent, is refused where it would be settled",
    ids: [
      "store/sqlite/report-evidence.ts openAttempts guard: agent.held === agent.draining",
      "store/sqlite/report-evidence.ts openAttempts.running conjunct: agent_id = ?",
      "store/sqlite/report-evidence.ts openAttempts.running conjunct: status = 'running'",
    ],
  },
  {
    reason: "the attempt was looked at before by whoever calls this, in the same transaction",
    ids: [
      'store/sqlite/sender.ts acknowledge guard: task === undefined || attempt === undefined || attempt.status === "acknowledged"',
      "store/sqlite/sender.ts acknowledge operand: || attempt === undefined",
      'store/sqlite/sender.ts acknowledge operand: || attempt.status === "acknowledged"',
      "store/sqlite/sender.ts acknowledge operand: || task === undefined",
      'store/sqlite/sender.ts broken guard: task === undefined || attempt?.status !== "created"',
      'store/sqlite/sender.ts broken operand: || attempt?.status !== "created"',
      "store/sqlite/sender.ts broken operand: || task === undefined",
      'store/sqlite/sender.ts resend guard: attempt.status !== "created" && attempt.status !== "dispatched"',
      'store/sqlite/sender.ts resend operand: && attempt.status !== "created"',
      'store/sqlite/sender.ts resend operand: && attempt.status !== "dispatched"',
      "store/sqlite/sender.ts resend operand: || attempt === null",
      "store/sqlite/sender.ts sentBy operand: || attempt === undefined",
      "store/sqlite/sender.ts sentBy operand: || task === undefined",
    ],
  },
  {
    reason: "what is found is judged again before it is sent; what is sent too often is told apart by its sender",
    ids: [
      "store/sqlite/sender.ts adopt condition: resent !== null",
      "store/sqlite/sender.ts adopt guard: claimed.length >= max || tx.sendCapacity <= 0",
      "store/sqlite/sender.ts adopt operand: || claimed.length >= max",
      "store/sqlite/sender.ts adopt operand: || tx.sendCapacity <= 0",
      "store/sqlite/sender.ts adopt.candidates conjunct: (t.epoch <> ? or (t.wake_for = 'timeout' and t.attempt_created_at <= ?))",
      "store/sqlite/sender.ts adopt.candidates conjunct: t.attempt_status in ('created', 'dispatched')",
      "store/sqlite/sender.ts adopt.candidates conjunct: t.status = 'running'",
    ],
  },
  {
    reason: "only saves a read or a write of what is the same",
    ids: [
      'store/sqlite/session-unit.ts SessionUnit.change operand: && this.#state === "counts changed"',
      "store/sqlite/session-unit.ts SessionUnit.change operand: && !Object.keys(change).every((column) => isCount.has(column))",
      'store/sqlite/session-unit.ts SessionUnit.flush condition: this.#state !== "stored"',
    ],
  },
  {
    reason: "frees or wakes what is not there, which changes nothing",
    ids: [
      "store/sqlite/slots.ts releaseDrained guard: agent === undefined || agent.draining === 0",
      "store/sqlite/slots.ts releaseDrained operand: || agent.draining === 0",
      "store/sqlite/slots.ts releaseDraining guard: agent.draining === 0 || max === 0",
      "store/sqlite/slots.ts releaseDraining operand: || agent.draining === 0",
      "store/sqlite/slots.ts releaseDraining operand: || max === 0",
      "store/sqlite/slots.ts takeSlot guard: slot === undefined",
      "store/sqlite/slots.ts wakeLanes condition: waitsIn(tx, lane)",
    ],
  },
  {
    reason: "an agent without a free slot is not chosen, and has no number to give",
    ids: ["store/sqlite/slots.ts takeSlot guard: agent.held >= agent.maxConcurrency"],
  },
];
