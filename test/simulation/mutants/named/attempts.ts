import type { NamedMutant } from "./named-mutant.ts";

/** Tokens, senders, slots and losses. */
export const ATTEMPTS: readonly NamedMutant[] = [
  {
    name: "new-token-with-each-send",
    is: "a message that is sent again carries another token",
    rule: "9, R5",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: '    status: "created",\n    epoch: tx.context.epoch,\n    sends: send,',
        to: '    status: "created",\n    token: `${attempt.n}.${tx.context.ids.secret()}`,\n    epoch: tx.context.epoch,\n    sends: send,',
      },
    ],
  },
  {
    name: "new-token-with-the-third-send",
    is: "a message that is sent for the third time carries another token",
    rule: "9, R5",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: '    status: "created",\n    epoch: tx.context.epoch,\n    sends: send,',
        to: '    status: "created",\n    ...(send > 2 ? { token: `${attempt.n}.${tx.context.ids.secret()}` } : {}),\n    epoch: tx.context.epoch,\n    sends: send,',
      },
    ],
  },
  {
    name: "key-per-retry",
    is: "the second and later attempts of a task are sent under keys of their own",
    rule: "R5",
    file: "engine/message.ts",
    changes: [
      {
        from: '"idempotency-key": attempt.taskId,',
        to: '"idempotency-key": attempt.attempt === 1 ? attempt.taskId : `${attempt.taskId}/${attempt.attempt}`,',
      },
    ],
  },
  {
    name: "number-by-attempts-used",
    is: "an attempt is numbered by the attempts used up, so that an undelivered one gives its number away",
    rule: "8",
    file: "store/sqlite/claim.ts",
    changes: [{ from: "const n = task.attempts + 1;", to: "const n = task.used + 1;" }],
  },
  {
    name: "acknowledgement-reopens",
    is: "an acknowledgement that comes after the outcome is written over it",
    rule: "8",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: "|| !isOpen(attempt) || !isSender(attempt, sender)) return undefined;",
        to: "|| !isSender(attempt, sender)) return undefined;",
      },
    ],
  },
  {
    name: "two-failed-sends-are-none",
    is: "of two interruptions only the first plans another send",
    rule: "10",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: "    wake_at: Math.min(attempt.timeout_at, tx.now + delay),",
        to: "    wake_at: attempt.sends > 1 ? null : Math.min(attempt.timeout_at, tx.now + delay),",
      },
    ],
  },
  {
    name: "resend-moves-the-timeout-away",
    is: "each send of an attempt starts its timeout anew, so that it outlives its own end",
    rule: "10",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: "    sends: send,\n    ...restartWatch(tx, attempt),",
        to: "    sends: send,\n    ...restartWatch(tx, attempt),\n    wake_at: attempt.timeout_at + (tx.now - attempt.created_at),",
      },
    ],
  },
  {
    name: "slot-released-twice",
    is: "a drained slot is freed by the late result and once more by its time",
    rule: "18",
    file: "store/sqlite/slots.ts",
    changes: [{ from: "  if (freed !== 1) return;\n", to: "" }],
  },
  {
    name: "slot-freed-twice-at-once",
    is: "of several draining slots that are freed together one is counted",
    rule: "18",
    file: "store/sqlite/slots.ts",
    changes: [
      {
        from: "  agent.held -= freed;\n  agent.draining -= freed;",
        to: "  agent.held -= Math.min(freed, 1);\n  agent.draining -= Math.min(freed, 1);",
      },
    ],
  },
  {
    name: "free-slots-remembered",
    is: "when several draining slots are freed, their numbers stay taken in memory",
    rule: "18",
    file: "store/sqlite/slots.ts",
    changes: [{ from: "  agent.free = null;\n", to: "  if (freed > 1 || max > 1) agent.free = null;\n" }],
  },
  {
    name: "draining-is-free",
    is: "a slot that drains is given to the next task",
    rule: "18",
    file: "store/sqlite/slots.ts",
    changes: [
      {
        from: "      union all select slot from draining_slots where agent_id = :agent`",
        to: "      union all select slot from draining_slots where agent_id = :agent and until <= 0`",
      },
    ],
  },
  {
    name: "key-of-a-resent-retry",
    is: "a later attempt that is sent again is sent under a key of its own",
    rule: "R5",
    file: "engine/message.ts",
    changes: [
      {
        from: '"idempotency-key": attempt.taskId,',
        to: '"idempotency-key": attempt.attempt > 1 && attempt.send > 1 ? `${attempt.taskId}/${attempt.attempt}` : attempt.taskId,',
      },
    ],
  },
  {
    name: "cancelled-resend-untold",
    is: "the cancellation of an attempt that was sent again is not told",
    rule: "12 (events)",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  taskEvent(tx, task, EVENT_NAMES[event]",
        to: '  if (event !== "cancel" || attempt.sends < 2) taskEvent(tx, task, EVENT_NAMES[event]',
      },
    ],
  },
  {
    name: "timed-out-resend-untold",
    is: "the timeout of an attempt that was sent again is not told",
    rule: "12 (events)",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  taskEvent(tx, task, EVENT_NAMES[event]",
        to: '  if (event !== "time_out" || attempt.sends < 2) taskEvent(tx, task, EVENT_NAMES[event]',
      },
    ],
  },
  {
    name: "probe-is-counted-in-part",
    is: "a probe that fails is counted on its attempt but not on its task",
    rule: "24",
    file: "store/sqlite/task-failure.ts",
    changes: [
      {
        from: "  if (!decision.counted) changeAttempt(",
        to: "  if (!decision.counted && attempt.probe === 0) changeAttempt(",
      },
    ],
  },
  {
    name: "failed-resend-untold",
    is: "the failure of an attempt that was sent again is not told",
    rule: "12 (events)",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  taskEvent(tx, task, EVENT_NAMES[event]",
        to: '  if (event !== "fail" || attempt.sends < 2) taskEvent(tx, task, EVENT_NAMES[event]',
      },
    ],
  },
  {
    name: "cancelled-retry-untold",
    is: "the cancellation of a task that was tried before is not told",
    rule: "12 (events)",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: '  taskEvent(tx, task, "task.cancelled", { reason });',
        to: '  if (task.attempts < 2) taskEvent(tx, task, "task.cancelled", { reason });',
      },
    ],
  },
  {
    name: "idle-frees-rows-only",
    is: "slots that drain beside a task at work are freed in the rows and not in memory",
    rule: "18",
    file: "store/sqlite/slots.ts",
    changes: [
      {
        from: "  agent.held -= freed;\n  agent.draining -= freed;",
        to: "  if (agent.held > agent.draining) return;\n  agent.held -= freed;\n  agent.draining -= freed;",
      },
    ],
  },
  {
    name: "acknowledged-resend-never-ends",
    is: "an attempt whose second send is acknowledged has no timeout any more",
    rule: "23",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: '    ...(attempt.wake_for === "resend" ? nextWake(tx, attempt) : {}),',
        to: "    wake_at: attempt.sends > 1 && attempt.epoch > 1 ? null : attempt.timeout_at,",
      },
    ],
  },
  {
    name: "any-token-will-do",
    is: "a result settles whichever attempt is open, under whichever token it comes",
    rule: "8",
    file: "store/sqlite/outcomes.ts",
    changes: [
      {
        from: "Number.isSafeInteger(n) ? loadAttempt(tx, task, n) : undefined",
        to: "Number.isSafeInteger(n) ? loadAttempt(tx, task, task.attempts) : undefined",
      },
      { from: "if (attempt === undefined || !sameText(attempt.token, token)) {", to: "if (attempt === undefined) {" },
    ],
  },
  {
    name: "old-token-will-do",
    is: "a result under the token of the attempt before settles the one that is open",
    rule: "8",
    file: "store/sqlite/outcomes.ts",
    changes: [
      {
        from: "Number.isSafeInteger(n) ? loadAttempt(tx, task, n) : undefined",
        to: "Number.isSafeInteger(n) ? loadAttempt(tx, task, task.attempts) : undefined",
      },
      { from: "!sameText(attempt.token, token)", to: "!(sameText(attempt.token, token) || n < task.attempts)" },
    ],
  },
  {
    name: "lost-without-an-end",
    is: "of several attempts that an agent loses the last stays open",
    rule: "13",
    file: "store/sqlite/loss.ts",
    changes: [
      {
        from: "  const open = openAttempts(tx, agent);\n",
        to: "  const open = openAttempts(tx, agent).slice(0, 2);\n",
      },
    ],
  },
  {
    name: "poll-gives-anew",
    is: "a poll that is repeated gives an unconfirmed task out under another token",
    rule: "10",
    file: "store/sqlite/agents.ts",
    changes: [
      {
        from: "      toClaimed(task, agent, workflowOf(tx, task.session_id), {\n        n: attempt.n,\n        token: attempt.token,",
        to: "      toClaimed(task, agent, workflowOf(tx, task.session_id), {\n        n: attempt.n,\n        token: `${attempt.n}.${tx.context.ids.secret()}`,",
      },
    ],
  },
  {
    name: "new-token-after-a-restart",
    is: "a message whose last send was interrupted before a restart carries another token",
    rule: "9, R5",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: '    status: "created",\n    epoch: tx.context.epoch,\n    sends: send,',
        to: '    status: "created",\n    ...(attempt.status === "dispatched" && attempt.epoch !== tx.context.epoch ? { token: `${attempt.n}.${tx.context.ids.secret()}` } : {}),\n    epoch: tx.context.epoch,\n    sends: send,',
      },
    ],
  },
  {
    name: "third-interruption-is-the-last",
    is: "after the third interruption no other send is planned",
    rule: "10",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: "    wake_at: Math.min(attempt.timeout_at, tx.now + delay),",
        to: "    wake_at: attempt.sends > 2 ? null : Math.min(attempt.timeout_at, tx.now + delay),",
      },
    ],
  },
  {
    name: "lost-resend-untold",
    is: "the loss of an attempt that was sent again is not told",
    rule: "12 (events)",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  taskEvent(tx, task, EVENT_NAMES[event]",
        to: '  if (event !== "lose" || attempt.sends < 2) taskEvent(tx, task, EVENT_NAMES[event]',
      },
    ],
  },
  {
    name: "late-results-share-a-number",
    is: "what is heard of a session after its end is not counted, so that two events have one number",
    rule: "26",
    file: "store/sqlite/session-unit.ts",
    changes: [
      {
        from: '    else if (this.#state !== "stored") updateSession(tx,',
        to: '    else if (this.#state !== "stored" && this.row.updated_at <= (this.row.ended_at ?? tx.now)) updateSession(tx,',
      },
    ],
  },
  {
    name: "late-result-ends-backoff",
    is: "a late result makes the task ready that waits for its next attempt",
    rule: "R3",
    file: "store/sqlite/outcomes.ts",
    changes: [
      {
        from: "  releaseDrained(tx, agent, attempt);\n}",
        to: '  releaseDrained(tx, agent, attempt);\n  if (task.status === "pending") changeTask(tx, task, { ready_at: tx.now });\n}',
      },
    ],
  },
];
