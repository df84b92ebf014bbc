import type { WantedMutant } from "./named-mutant.ts";

/** Bugs in tokens, slots and commits that the simulator does not see yet. */
export const WANTED: readonly WantedMutant[] = [
  {
    name: "any-token-will-do",
    is: "a result settles whichever attempt is open, under whichever token it comes",
    rule: "8",
    needs:
      "a judge that compares the attempt whose result an agent was told is accepted with the one that settled; results of agents under tokens of earlier attempts while a later one is open",
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
    needs:
      "a judge that compares the attempt whose result an agent was told is accepted with the one that settled; results of agents under tokens of earlier attempts while a later one is open",
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
    needs: "a sender whose exchange outlives its resend or its process and ends then",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "return attempt.epoch === sender.epoch && attempt.sends === sender.send;",
        to: "return sender.epoch >= 0;",
      },
    ],
  },
  {
    name: "definitions-outlive-a-rollback",
    is: "a definition is thought to be stored although its COMMIT failed",
    rule: "4",
    needs:
      "the same definition sent again in the process that failed to store it, then a crash before its session ends",
    file: "store/sqlite/store.ts",
    changes: [{ from: "      plans.clear();\n", to: "" }],
  },
  {
    name: "waiting-forgotten-after-fallback",
    is: "the lane that a fallback leads to is not known to have work",
    rule: "19",
    needs: "fallbacks into a lane where nothing else waits, while all of its agents are busy",
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
    name: "draining-not-counted",
    is: "an agent's draining slots count as free",
    rule: "19",
    needs: "transitions that fail as a defect (`internal`) taken for a broken invariant",
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
    needs: "agents that never say that they are idle, and a judge of how long a slot may drain",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  drainSlot(tx, agent, attempt, tx.now + slotHold(attempt));",
        to: "  drainSlot(tx, agent, attempt, Number.MAX_SAFE_INTEGER);",
      },
    ],
  },
  {
    name: "keys-of-this-process",
    is: "which keys were used is forgotten with each start",
    rule: "25",
    needs: "a crash between a request's commit and its answer, and the same request to the next process",
    file: "store/sqlite/idempotency.ts",
    changes: [
      {
        from: "where actor = ? and operation = ? and key = ?",
        to: "where actor = ? and operation = ? and key = ? and created_at >= (select max(started_at) from instances)",
      },
      { from: "insert into idempotency", to: "insert or replace into idempotency" },
    ],
  },
  {
    name: "lost-without-an-end",
    is: "of several attempts that an agent loses the last stays open",
    rule: "13",
    needs: "agents with three tasks at once that restart",
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
    needs: "agents that pull, take work and fall silent before they confirm it, for longer than its lease",
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
    needs: "a judge of the tokens that polls hand out",
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
    needs: "crashes between an interrupted send and the next one",
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
    needs: "endpoints that break off three exchanges of one attempt",
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
    needs: "agents that restart while they are at a message that was sent twice",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  taskEvent(tx, task, EVENT_NAMES[event]",
        to: '  if (event !== "lose" || attempt.sends < 2) taskEvent(tx, task, EVENT_NAMES[event]',
      },
    ],
  },
  {
    name: "lanes-of-this-process",
    is: "work that waited for an earlier process is not known to wait",
    rule: "19",
    needs: "crashes after which nothing new is asked for in a lane where work waits",
    file: "store/sqlite/agent-index.ts",
    changes: [
      {
        from: "\"select distinct lane from tasks where status = 'pending'\"",
        to: "\"select distinct lane from tasks where status = 'pending' and created_at >= (select max(started_at) from instances)\"",
      },
    ],
  },
  {
    name: "slots-of-this-process",
    is: "a slot that an earlier process saw drain is held for ever",
    rule: "18",
    needs: "agents that never say that they are idle, and a judge of how long a slot may drain",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: "from draining_slots where until <= ? order by until limit ?",
        to: "from draining_slots where until <= ? and task_id in (select id from tasks where epoch = (select max(epoch) from instances)) order by until limit ?",
      },
    ],
  },
  {
    name: "own-lost-commits-ignored",
    is: "what this process claimed with a COMMIT whose answer was lost waits for nobody",
    rule: "9",
    needs: "a judge of how long an attempt may wait to be sent while its process lives",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: "(t.epoch <> ? or (t.wake_for = 'timeout' and t.attempt_created_at <= ?))",
        to: "(t.epoch <> ? or (t.wake_for = 'timeout' and t.attempt_created_at <= ? and t.attempts < 0))",
      },
    ],
  },
  {
    name: "fallback-shares-attempts",
    is: "the fallback has what attempts the first choice has left over",
    rule: "10",
    needs: "fallbacks after all attempts were used, and a judge of how many the fallback had",
    file: "store/sqlite/outcomes.ts",
    changes: [{ from: "    max: task.used + policy.retry.maxAttempts,", to: "    max: policy.retry.maxAttempts," }],
  },
  {
    name: "failed-fallback-untold",
    is: "the failure of a task that has fallen back is not told",
    rule: "12 (events)",
    needs: "fallbacks that use all of their attempts up",
    file: "store/sqlite/outcomes.ts",
    changes: [
      {
        from: '  taskEvent(tx, task, "task.failed",',
        to: '  if (task.fell_back === 0) taskEvent(tx, task, "task.failed",',
      },
    ],
  },
];
