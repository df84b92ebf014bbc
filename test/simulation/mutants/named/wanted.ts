import type { WantedMutant } from "./named-mutant.ts";

/** Bugs in tokens, slots and commits that the simulator does not see yet. */
export const WANTED: readonly WantedMutant[] = [
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
    file: "domain/agents/claimable.ts",
    changes: [
      {
        from: "  if (agent.held < agent.maxConcurrency) return null;",
        to: "  if (agent.held - agent.draining < agent.maxConcurrency) return null;",
      },
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
  {
    name: "grace-without-end",
    is: "an attempt whose reports prove nothing is judged again and again, and its timeout never comes",
    rule: "12",
    needs: "bare states that wait for a result call which never comes, and an agent that then says nothing more",
    file: "store/sqlite/expiry.ts",
    changes: [{ from: "    if (isOpen(attempt)) waitForTimeout(tx, task, attempt);\n", to: "" }],
  },
  {
    name: "dispatch-stops-after-an-error",
    is: "when a claim fails once, nothing is claimed any more",
    rule: "19",
    needs: "a claim that fails while nothing else wakes the dispatcher before the deadlines of what waits",
    file: "engine/engine.ts",
    changes: [
      {
        from: "  async dispatch(): Promise<void> {\n",
        to: "  #dispatching = false;\n  async dispatch(): Promise<void> {\n    if (this.#dispatching) return;\n    this.#dispatching = true;\n",
      },
      { from: ">= CLAIM_AT_ONCE);", to: ">= CLAIM_AT_ONCE);\n    this.#dispatching = false;" },
    ],
  },
];
