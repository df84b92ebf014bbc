import type { NamedMutant } from "./named-mutant.ts";

/** Bugs in how sessions and waiting tasks end. */
export const ENDS: readonly NamedMutant[] = [
  {
    name: "deadline-leaves-retries",
    is: "a session that ends by its deadline leaves tasks alone that wait for a retry",
    rule: "2",
    file: "store/sqlite/step-tasks.ts",
    changes: [
      {
        from: "and undoes = 0 and status in ('pending', 'running')\",\n    sessionId,",
        to: "and undoes = 0 and (status = 'running' or attempts = 0 or ${reason === \"deadline\" ? 0 : 1})`,\n    sessionId,",
      },
      {
        from: '    "select id from tasks where session_id = ? and step = ? and undoes = 0 and (status',
        to: "    `select id from tasks where session_id = ? and step = ? and undoes = 0 and (status",
      },
    ],
  },
  {
    name: "ends-before-its-siblings",
    is: "a session that fails ends while the last of its siblings runs",
    rule: "1",
    file: "domain/workflows/move.ts",
    changes: [{ from: "    if (this.#open > 0 ||", to: "    if (this.#open > (this.#failure === null ? 0 : 1) ||" }],
  },
  {
    name: "no-webhook-at-deadline",
    is: "a session that fails without a step of its own calls nobody back",
    rule: "27",
    file: "store/sqlite/session-end.ts",
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
    file: "engine/delivery-queue.ts",
    changes: [
      {
        from: "send(delivery).finally(() => this.#open.delete(delivery.id));",
        to: "send(delivery).then(() => void this.#open.delete(delivery.id));",
      },
    ],
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
    name: "work-for-the-leaving",
    is: "what the loss of a leaving agent's work sets free is given to that agent",
    rule: "28",
    file: "store/sqlite/agents.ts",
    changes: [
      {
        from: "  tx.context.agents.reload(agentId);\n  const reassigned = loseAttempts(tx, agent, error);",
        to: "  const reassigned = loseAttempts(tx, agent, error);\n  tx.context.agents.reload(agentId);",
      },
    ],
  },
];
