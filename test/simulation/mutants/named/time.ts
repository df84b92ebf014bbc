import type { NamedMutant } from "./named-mutant.ts";

/** Timers, retries and circuits. */
export const TIME: readonly NamedMutant[] = [
  {
    name: "moved-leases-not-reread",
    is: "after a gap memory keeps the timeouts from before it",
    rule: "22",
    file: "store/sqlite/gap.ts",
    changes: [{ from: "  tx.context.forget();\n", to: "  tx.context.agents.forget();\n" }],
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
    name: "retry-early",
    is: "a task whose backoff runs is given out when its lane is asked for",
    rule: "R6",
    file: "store/sqlite/claim.ts",
    changes: [
      {
        from: "status = 'pending' and lane = ? and ready_at <= ? and deadline > ?\n      order by",
        to: "status = 'pending' and lane = ? and (ready_at <= ? or used > 1) and deadline > ?\n      order by",
      },
    ],
  },
  {
    name: "backoff-of-an-hour",
    is: "a delay that an agent asks for is not bounded",
    rule: "10",
    file: "domain/tasks/retry.ts",
    changes: [
      {
        from: "const asked = Math.min(outcome.retryAfter ?? 0, MAX_RETRY_AFTER);",
        to: "const asked = (outcome.retryAfter ?? 0) * 100;",
      },
    ],
  },
  {
    name: "backoff-in-milliseconds",
    is: "the cap of the backoff is read in another unit",
    rule: "17",
    file: "domain/tasks/retry.ts",
    changes: [
      {
        from: "const ceiling = Math.min(grown, policy.maxDelay);",
        to: "const ceiling = Math.min(grown * 1_000, policy.maxDelay * 1_000);",
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
    name: "task-deadline-ignored",
    is: "a task past its deadline waits on",
    rule: "23",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: 'if (task.status !== "pending" || task.deadline > tx.now) return;',
        to: 'if (task.status !== "pending" || task.deadline > tx.now || task.lost > 0) return;',
      },
    ],
  },
  {
    name: "circuit-never-closes",
    is: "an endpoint that works again is not believed",
    rule: "24",
    file: "store/sqlite/circuits.ts",
    changes: [
      {
        from: "  if (endpoint === null || !tx.context.agents.failing.has(endpoint)) return;",
        to: "  if (endpoint === null || !tx.context.agents.failing.has(endpoint) || agent.circuit !== null) return;",
      },
    ],
  },
  {
    name: "probe-twice",
    is: "a second probe is taken in the window of the first",
    rule: "24",
    file: "store/sqlite/circuits.ts",
    changes: [
      {
        from: "  const nextProbeAt = tx.now + FIRST_PAUSE;\n  const taken",
        to: "  const nextProbeAt = tx.now;\n  const taken",
      },
    ],
  },
  {
    name: "probe-fails-for-good",
    is: "when the probe of an open circuit fails, its task fails with it",
    rule: "24",
    file: "domain/tasks/retry.ts",
    changes: [
      {
        from: '  return orDeadline(tries, { type: "retry", readyAt: now, counted: false, undelivered: tries.undelivered });',
        to: '  return { type: "fail", counted: false, exhausted: null };',
      },
    ],
  },
];
