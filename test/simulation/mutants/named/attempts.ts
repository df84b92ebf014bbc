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
    name: "any-sender-will-do",
    is: "what a sender saw is believed although another has taken over",
    rule: "8",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "return attempt.epoch === sender.epoch && attempt.sends === sender.send;",
        to: "return sender.epoch >= 0;",
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
        from: "    sends: send,\n    wake_at: attempt.timeout_at,",
        to: "    sends: send,\n    wake_at: attempt.timeout_at + (tx.now - attempt.created_at),",
      },
    ],
  },
  {
    name: "waiting-forgotten-after-fallback",
    is: "the lane that a fallback leads to is not known to have work",
    rule: "19",
    file: "store/sqlite/outcomes.ts",
    changes: [
      {
        from: "  changeTask(tx, task, {\n    requirement: JSON.stringify(policy.fallback),\n    lane: laneOf(policy.fallback),",
        to: "  const { lane } = task;\n  changeTask(tx, task, {\n    requirement: JSON.stringify(policy.fallback),\n    lane: laneOf(policy.fallback),",
      },
      {
        from: '  backToLane(tx, task, outcome.error);\n  taskEvent(tx, task, "task.fell_back"',
        to: '  const isKnown = tx.context.agents.waiting.has(task.lane);\n  backToLane(tx, task, outcome.error);\n  if (!isKnown && lane !== task.lane) tx.context.agents.waiting.delete(task.lane);\n  taskEvent(tx, task, "task.fell_back"',
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
    name: "draining-not-counted",
    is: "an agent's draining slots count as free",
    rule: "19",
    file: "store/sqlite/slots.ts",
    changes: [
      {
        from: "  if (agent.held >= agent.maxConcurrency) return null;",
        to: "  if (agent.held - agent.draining >= agent.maxConcurrency) return null;",
      },
      { from: "  if (slot === undefined) return null;", to: '  if (slot === undefined) throw new Error("no slot");' },
    ],
  },
  {
    name: "slot-of-a-cancelled-task",
    is: "a cancelled task keeps its slot for ever",
    rule: "18",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  drainSlot(tx, agent, attempt, tx.now + slotHold(attempt));",
        to: "  drainSlot(tx, agent, attempt, Number.MAX_SAFE_INTEGER);",
      },
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
    name: "silent-agent-keeps-work",
    is: "an agent that falls silent keeps what it has not confirmed",
    rule: "13",
    file: "store/sqlite/loss.ts",
    changes: [
      {
        from: 'return agent.channel === "pull" || attempt.status === "acknowledged";',
        to: 'return attempt.status === "acknowledged";',
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
];
