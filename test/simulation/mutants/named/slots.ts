import type { NamedMutant } from "./named-mutant.ts";

/** Bugs in who sends, who holds what, and for how long. */
export const SLOTS: readonly NamedMutant[] = [
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
    name: "own-lost-commits-ignored",
    is: "what this process claimed with a COMMIT whose answer was lost waits for nobody",
    rule: "9",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: "(t.epoch <> ? or (t.wake_for in ('timeout', 'silence') and t.attempt_created_at <= ?))",
        to: "(t.epoch <> ? or (t.wake_for in ('timeout', 'silence') and t.attempt_created_at <= ? and t.attempts < 0))",
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
    name: "draining-not-counted",
    is: "an agent's draining slots count as free",
    rule: "19",
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
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  drainSlot(tx, agent, attempt, tx.now + slotHold(attempt));",
        to: "  drainSlot(tx, agent, attempt, Number.MAX_SAFE_INTEGER);",
      },
    ],
  },
  {
    name: "slots-of-this-process",
    is: "a slot that an earlier process saw drain is held for ever",
    rule: "18",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: "from draining_slots where until <= ? order by until limit ?",
        to: "from draining_slots where until <= ? and task_id in (select id from tasks where epoch = (select max(epoch) from instances)) order by until limit ?",
      },
    ],
  },
  {
    name: "grace-without-end",
    is: "an attempt whose reports prove nothing is judged again and again, and its timeout never comes",
    rule: "12",
    file: "store/sqlite/expiry.ts",
    changes: [{ from: "    if (isOpen(attempt)) waitForTimeout(tx, task, attempt);\n", to: "" }],
  },
  {
    name: "timeout-early",
    is: "an attempt that is to be sent again times out instead",
    rule: "22",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: "  if (tx.now < attempt.timeout_at) {",
        to: '  if (tx.now < attempt.timeout_at && (attempt.wake_for !== "resend" || attempt.sends < 3)) {',
      },
    ],
  },
  {
    name: "fallbacks-never-time-out",
    is: "the timeouts of tasks that have fallen back are forgotten",
    rule: "23",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: '"select id from tasks where wake_at <= ? order by wake_at limit ?"',
        to: "\"select id from tasks where wake_at <= ? and (fell_back = 0 or status = 'pending') order by wake_at limit ?\"",
      },
    ],
  },
  {
    name: "timers-stop-after-an-error",
    is: "when the judgement of what is due fails once, nothing is judged any more",
    rule: "23",
    file: "engine/engine.ts",
    changes: [
      {
        from: "  async expire(): Promise<void> {\n    while (",
        to: "  #expiring = false;\n  async expire(): Promise<void> {\n    if (this.#expiring) return;\n    this.#expiring = true;\n    while (",
      },
      { from: ">= EXPIRE_AT_ONCE);", to: ">= EXPIRE_AT_ONCE);\n    this.#expiring = false;" },
    ],
  },
];
