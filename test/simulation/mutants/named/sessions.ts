import type { NamedMutant } from "./named-mutant.ts";

/** Sessions and what they send out. */
export const SESSIONS: readonly NamedMutant[] = [
  {
    name: "join-of-three",
    is: "a step that waits for three others is told of the first one only",
    rule: "1",
    file: "store/sqlite/session-advance.ts",
    changes: [
      {
        from: "do update set status = excluded.status, remaining = excluded.remaining,",
        to: "do update set status = excluded.status, remaining = max(excluded.remaining, session_steps.remaining),",
      },
    ],
  },
  {
    name: "siblings-in-one-batch",
    is: "of two siblings that end in the same instant the second finds the first running",
    rule: "1",
    file: "store/sqlite/session-unit.ts",
    changes: [
      {
        from: "  if (row?.own != null) return {",
        to: "  if (row?.own != null && this.row.updated_at < this.#tx.now) return {",
      },
    ],
  },
  {
    name: "cancel-stops-one",
    is: "a cancelled session cancels the first of its open tasks",
    rule: "2",
    file: "domain/workflows/advance.ts",
    changes: [
      {
        from: '      this.#effects.push({ type: "cancel_task", step: step.index, reason });',
        to: '      if (this.#effects.length < 2) this.#effects.push({ type: "cancel_task", step: step.index, reason });',
      },
    ],
  },
  {
    name: "cancel-without-pending",
    is: "a cancelled session leaves those of its tasks alone that wait for a retry",
    rule: "2",
    file: "store/sqlite/session-advance.ts",
    changes: [{ from: "and status in ('pending', 'running')\"", to: "and (status = 'running' or attempts = 0)\"" }],
  },
  {
    name: "deadline-leaves-retries",
    is: "a session that ends by its deadline leaves tasks alone that wait for a retry",
    rule: "2",
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
    file: "domain/workflows/advance.ts",
    changes: [
      { from: "    if (this.#open > 0) return;", to: "    if (this.#open > (this.#failure === null ? 0 : 1)) return;" },
    ],
  },
  {
    name: "outcome-after-the-end",
    is: "a step that ends after its session has failed is counted on",
    rule: "1",
    file: "domain/workflows/advance.ts",
    changes: [
      {
        from: '  if (index.status !== "started" && index.status !== "running") return move.done();',
        to: '  if (index.status !== "started" && index.status !== "running" && index.status !== "failed") return move.done();',
      },
    ],
  },
  {
    name: "no-webhook-when-cancelled",
    is: "a session that is cancelled calls nobody back",
    rule: "27",
    file: "store/sqlite/session-advance.ts",
    changes: [
      {
        from: "  if (session.row.callback_url !== null) enqueueSessionWebhook",
        to: '  if (session.row.callback_url !== null && end.status !== "cancelled") enqueueSessionWebhook',
      },
    ],
  },
  {
    name: "no-webhook-at-deadline",
    is: "a session that fails without a step of its own calls nobody back",
    rule: "27",
    file: "store/sqlite/session-advance.ts",
    changes: [
      {
        from: "  if (session.row.callback_url !== null) enqueueSessionWebhook",
        to: '  if (session.row.callback_url !== null && (end.status !== "failed" || session.row.failure !== null)) enqueueSessionWebhook',
      },
    ],
  },
  {
    name: "delivered-before-sent",
    is: "a message is marked as delivered before it is sent",
    rule: "27",
    file: "engine/outbox.ts",
    changes: [
      {
        from: "    const result = await (isInternal(delivery)",
        to: "    if (attempt > 1) await deliveries.delivered(delivery.id, attempt);\n    const result = await (isInternal(delivery)",
      },
    ],
  },
  {
    name: "delivery-lost-with-its-record",
    is: "a delivery whose end could not be recorded counts as under way for ever",
    rule: "27",
    file: "engine/delivery-queue.ts",
    changes: [
      {
        from: "const sent = send(delivery).finally(() => this.#open.delete(delivery.id));",
        to: "const sent = send(delivery).then(() => void this.#open.delete(delivery.id));",
      },
    ],
  },
  {
    name: "outbox-of-this-process",
    is: "a delivery that a crash interrupted is never sent again",
    rule: "27",
    file: "engine/delivery-queue.ts",
    changes: [
      {
        from: "    const due = await deliveries.due(free, kinds, [...this.#open.keys()]);",
        to: "    const due = await deliveries.due(free, kinds, [...this.#open.keys()]);\n    for (const { id } of due) this.#open.set(id, Promise.resolve());",
      },
    ],
  },
];
