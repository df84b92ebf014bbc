import type { NamedMutant } from "./named-mutant.ts";

/** Bugs in what follows a failure: retries, fallbacks, circuits and their probes. */
export const POLICIES: readonly NamedMutant[] = [
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
    name: "fallback-shares-attempts",
    is: "the fallback has what attempts the first choice has left over",
    rule: "10",
    file: "store/sqlite/outcomes.ts",
    changes: [{ from: "    max: task.used + policy.retry.maxAttempts,", to: "    max: policy.retry.maxAttempts," }],
  },
  {
    name: "failed-fallback-untold",
    is: "the failure of a task that has fallen back is not told",
    rule: "12 (events)",
    file: "store/sqlite/outcomes.ts",
    changes: [
      {
        from: '  taskEvent(tx, task, "task.failed",',
        to: '  if (task.fell_back === 0) taskEvent(tx, task, "task.failed",',
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
  {
    name: "gap-ends-backoffs",
    is: "after a gap everything is ready that waits for its backoff",
    rule: "22",
    file: "store/sqlite/gap.ts",
    changes: [
      {
        from: "  tx.context.forget();\n",
        to: "  tx.run(\"update tasks set ready_at = ? where status = 'pending' and ready_at > ?\", tx.now, tx.now);\n  tx.context.forget();\n",
      },
    ],
  },
  {
    name: "backoffs-of-this-process",
    is: "a retry that an earlier process planned is forgotten",
    rule: "23",
    file: "store/sqlite/claim.ts",
    changes: [
      {
        from: "status = 'pending' and held = 0 and limits is null and lane = ? and ready_at <= ?\n      and deadline > ? order by",
        to: "status = 'pending' and held = 0 and limits is null and lane = ? and ready_at <= ? and deadline > ? and coalesce(epoch = (select max(epoch) from instances), 1) order by",
      },
    ],
  },
  {
    name: "dispatch-stops-after-an-error",
    is: "when a claim fails once, nothing is claimed any more",
    rule: "19",
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
