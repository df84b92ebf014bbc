import type { WantedMutant } from "./named-mutant.ts";

/** Bugs in sessions and timers that the simulator does not see yet. */
export const WANTED_SESSIONS: readonly WantedMutant[] = [
  {
    name: "deadline-leaves-retries",
    is: "a session that ends by its deadline leaves tasks alone that wait for a retry",
    rule: "2",
    needs: "sessions whose deadline comes while they run",
    file: "store/sqlite/session-advance.ts",
    changes: [
      {
        from: "and status in ('pending', 'running')\",\n        session.id,",
        to: "and (status = 'running' or attempts = 0 or ${effect.reason === \"deadline\" ? 0 : 1})`,\n        session.id,",
      },
      {
        from: '        "select id from tasks where session_id = ? and step = ? and (status',
        to: "        `select id from tasks where session_id = ? and step = ? and (status",
      },
    ],
  },
  {
    name: "ends-before-its-siblings",
    is: "a session that fails ends while the last of its siblings runs",
    rule: "1",
    needs: "a failing step beside running ones, with `onFailure: fail`, and a judge of how the session ended",
    file: "domain/workflows/advance.ts",
    changes: [
      { from: "    if (this.#open > 0) return;", to: "    if (this.#open > (this.#failure === null ? 0 : 1)) return;" },
    ],
  },
  {
    name: "no-webhook-at-deadline",
    is: "a session that fails without a step of its own calls nobody back",
    rule: "27",
    needs: "sessions whose deadline comes while they run",
    file: "store/sqlite/session-advance.ts",
    changes: [
      {
        from: "  if (session.row.callback_url !== null) enqueueSessionWebhook",
        to: '  if (session.row.callback_url !== null && (end.status !== "failed" || session.row.failure !== null)) enqueueSessionWebhook',
      },
    ],
  },
  {
    name: "unrecorded-delivery-stays-open",
    is: "a delivery whose end could not be recorded is taken for one that is under way, as long as the process lives",
    rule: "27",
    needs: "commits that fail after a webhook was taken, and no crash after it",
    file: "engine/delivery-queue.ts",
    changes: [
      {
        from: "send(delivery).finally(() => this.#open.delete(delivery.id));",
        to: "send(delivery).then(() => void this.#open.delete(delivery.id));",
      },
    ],
  },
  {
    name: "timeout-early",
    is: "an attempt that is to be sent again times out instead",
    rule: "22",
    needs: "a judge of each attempt's own timeout instead of the shortest one there is",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: "  if (tx.now < attempt.timeout_at) {",
        to: '  if (tx.now < attempt.timeout_at && (attempt.wake_for !== "resend" || attempt.sends < 3)) {',
      },
    ],
  },
  {
    name: "task-deadline-ignored",
    is: "a task past its deadline waits on",
    rule: "23",
    needs: "tasks whose deadline comes while they wait",
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
    needs: "endpoints that fail long enough to open their circuit, and heal",
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
    needs: "endpoints that fail long enough, and a judge that counts probes per window",
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
    needs: "endpoints that fail long enough, and a judge of why tasks fail",
    file: "domain/tasks/retry.ts",
    changes: [
      {
        from: '  return orDeadline(tries, { type: "retry", readyAt: now, counted: false, undelivered: tries.undelivered });',
        to: '  return { type: "fail", counted: false, exhausted: null };',
      },
    ],
  },
  {
    name: "join-forgets-a-failed-branch",
    is: "a step that waits for several is not told of one that failed and was to be passed over",
    rule: "1",
    needs: "joins of which a branch fails with `onFailure: continue` before the others end",
    file: "store/sqlite/session-advance.ts",
    changes: [
      {
        from: 'change.status === "completed" || change.status === "cancelled") return;',
        to: 'change.status === "completed" || change.status === "cancelled") return;\n  if (change.status === "pending" && input.type === "step_failed") return;',
      },
    ],
  },
  {
    name: "gap-ends-backoffs",
    is: "after a gap everything is ready that waits for its backoff",
    rule: "22",
    needs: "long backoffs, and stalls while they run",
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
    needs: "long backoffs, and crashes while they run",
    file: "store/sqlite/claim.ts",
    changes: [
      {
        from: "status = 'pending' and lane = ? and ready_at <= ? and deadline > ?\n      order by",
        to: "status = 'pending' and lane = ? and ready_at <= ? and deadline > ? and coalesce(epoch = (select max(epoch) from instances), 1)\n      order by",
      },
    ],
  },
  {
    name: "timers-stop-after-an-error",
    is: "when the judgement of what is due fails once, nothing is judged any more",
    rule: "23",
    needs: "a commit that fails while due things are judged, and no crash after it",
    file: "engine/engine.ts",
    changes: [
      {
        from: "  async expire(): Promise<void> {\n    while (",
        to: "  #expiring = false;\n  async expire(): Promise<void> {\n    if (this.#expiring) return;\n    this.#expiring = true;\n    while (",
      },
      { from: ">= EXPIRE_AT_ONCE);", to: ">= EXPIRE_AT_ONCE);\n    this.#expiring = false;" },
    ],
  },
  {
    name: "fallbacks-never-time-out",
    is: "the timeouts of tasks that have fallen back are forgotten",
    rule: "23",
    needs: "agents that hang while they are at a task that has fallen back",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: '"select id from tasks where wake_at <= ? order by wake_at limit ?"',
        to: "\"select id from tasks where wake_at <= ? and (fell_back = 0 or status = 'pending') order by wake_at limit ?\"",
      },
    ],
  },
];
