import type { NamedMutant } from "./named-mutant.ts";

/** Sessions and what they send out. */
export const SESSIONS: readonly NamedMutant[] = [
  {
    name: "join-of-three",
    is: "a step that waits for three others is told of the first one only",
    rule: "1",
    file: "store/sqlite/step-row.ts",
    changes: [
      {
        from: "do update set status = excluded.status, remaining = excluded.remaining,\n      ended_at",
        to: "do update set status = excluded.status, remaining = max(excluded.remaining, session_steps.remaining),\n      ended_at",
      },
    ],
  },
  {
    name: "siblings-in-one-batch",
    is: "of two siblings that end in the same instant the second finds the first running",
    rule: "1",
    file: "store/sqlite/step-row.ts",
    changes: [
      {
        from: "  if (row.task !== null) return {",
        to: "  if (row.task !== null && row.own === null) return {",
      },
    ],
  },
  {
    name: "cancel-without-pending",
    is: "a cancelled session leaves those of its tasks alone that wait for a retry",
    rule: "2",
    file: "store/sqlite/step-tasks.ts",
    changes: [{ from: "and status in ('pending', 'running')\"", to: "and (status = 'running' or attempts = 0)\"" }],
  },
  {
    name: "no-webhook-when-cancelled",
    is: "a session that is cancelled calls nobody back",
    rule: "27",
    file: "store/sqlite/session-end.ts",
    changes: [
      {
        from: "  if (session.row.callback_url !== null) enqueueSessionWebhook",
        to: '  if (session.row.callback_url !== null && end.status !== "cancelled") enqueueSessionWebhook',
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
    name: "cancel-leaves-interrupted",
    is: "a cancelled session leaves a task alone that is about to be sent again",
    rule: "2",
    file: "store/sqlite/step-tasks.ts",
    changes: [
      {
        from: "and status in ('pending', 'running')\"",
        to: "and status in ('pending', 'running') and coalesce(attempt_status <> 'dispatched', 1)\"",
      },
    ],
  },
  {
    name: "definitions-outlive-a-rollback",
    is: "a definition is thought to be stored although its COMMIT failed",
    rule: "4",
    file: "store/sqlite/store.ts",
    changes: [{ from: "      plans.clear();\n", to: "" }],
  },
  {
    name: "keys-of-this-process",
    is: "which keys were used is forgotten with each start",
    rule: "25",
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
    name: "lanes-of-this-process",
    is: "work that waited for an earlier process is not known to wait",
    rule: "19",
    file: "store/sqlite/agent-index.ts",
    changes: [
      {
        from: "\"select distinct lane from tasks where status = 'pending' and held = 0 and limits is null\"",
        to: "\"select distinct lane from tasks where status = 'pending' and held = 0 and limits is null and created_at >= (select max(started_at) from instances)\"",
      },
    ],
  },
  {
    name: "cancel-stops-one",
    is: "a cancelled session cancels the first of its open tasks",
    rule: "2",
    file: "domain/workflows/move.ts",
    changes: [
      {
        from: '      this.#effects.push({ type: "cancel_step", step: index, reason });',
        to: '      if (this.#effects.length < 2) this.#effects.push({ type: "cancel_step", step: index, reason });',
      },
    ],
  },
  {
    name: "callbacks-of-retries",
    is: "a session of which a step was tried again calls nobody back when it fails",
    rule: "27",
    file: "store/sqlite/session-end.ts",
    changes: [
      {
        from: "  if (session.row.callback_url !== null) enqueueSessionWebhook",
        to: '  const again = tx.get("select 1 from tasks where session_id = ? and attempts > 1 limit 1", session.id);\n  if (session.row.callback_url !== null && (again === undefined || status !== "failed")) enqueueSessionWebhook',
      },
    ],
  },
];
