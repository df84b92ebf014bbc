import type { NamedMutant } from "./named-mutant.ts";

/** Commits, and what memory believes after them. */
export const WRITER: readonly NamedMutant[] = [
  {
    name: "acknowledge-before-commit",
    is: "callers are answered when their change is made, before it is written",
    rule: "4",
    file: "store/sqlite/writer.ts",
    changes: [
      {
        from: "this.#context.promised += tx.hints.claimed.length;",
        to: "this.#context.promised += tx.hints.claimed.length;\n      queued.resolve(value);",
      },
    ],
  },
  {
    name: "send-before-commit",
    is: "what a transition gives out is sent before it is committed",
    rule: "4",
    file: "store/sqlite/writer.ts",
    changes: [
      {
        from: '      this.#context.failpoint?.("store.before-commit");',
        to: '      this.#context.failpoint?.("store.before-commit");\n      for (const hints of mergedHints(done)) this.#committed(hints);',
      },
      {
        from: "    for (const hints of mergedHints(done)) this.#committed(hints);\n    return () => {",
        to: "    return () => {",
      },
    ],
  },
  {
    name: "send-after-failed-commit",
    is: "what was claimed is sent although its COMMIT failed",
    rule: "4",
    file: "store/sqlite/writer.ts",
    changes: [
      {
        from: '      this.#context.failpoint?.("store.before-commit");\n      this.#db.transaction("commit");',
        to: '      this.#context.failpoint?.("store.before-commit");\n      try {\n        this.#db.transaction("commit");\n      } catch (error) {\n        for (const hints of mergedHints(done)) this.#committed(hints);\n        throw error;\n      }',
      },
    ],
  },
  {
    name: "failed-commit-is-success",
    is: "a COMMIT that fails is answered as if it had not",
    rule: "4",
    file: "store/sqlite/writer.ts",
    changes: [
      {
        from: "for (const queued of batch) queued.reject(failure);",
        to: 'for (const queued of batch) failure.code === "unavailable" ? queued.resolve(undefined) : queued.reject(failure);',
      },
    ],
  },
  {
    name: "memory-outlives-a-rollback",
    is: "memory is believed over the store after a failed COMMIT",
    rule: "4",
    file: "store/sqlite/writer.ts",
    changes: [{ from: "      this.#context.forget();\n      const failure", to: "      const failure" }],
  },
  {
    name: "tasks-outlive-a-rollback",
    is: "tasks in memory are kept after a failed COMMIT",
    rule: "4",
    file: "store/sqlite/recent-rows.ts",
    changes: [{ from: "    this.#sessions.clear();\n    this.#tasks.clear();", to: "    this.#sessions.clear();" }],
  },
  {
    name: "sessions-outlive-a-rollback",
    is: "sessions in memory are kept after a failed COMMIT",
    rule: "4",
    file: "store/sqlite/recent-rows.ts",
    changes: [{ from: "    this.#sessions.clear();\n    this.#tasks.clear();", to: "    this.#tasks.clear();" }],
  },
  {
    name: "agents-outlive-a-rollback",
    is: "the agent index is kept after a failed COMMIT",
    rule: "4",
    file: "store/sqlite/store.ts",
    changes: [{ from: "      agents.forget();\n", to: "" }],
  },
  {
    name: "position-outlives-a-rollback",
    is: "events go on counting from where a failed COMMIT would have been",
    rule: "26",
    file: "store/sqlite/store.ts",
    changes: [{ from: "      context.position = null;\n", to: "" }],
  },
  {
    name: "gap-in-the-log",
    is: "one batch of events in five hundred takes a position more than it has",
    rule: "26",
    file: "store/sqlite/tx.ts",
    changes: [
      {
        from: "      position += entries.length;",
        to: "      position += entries.length + (position % 500 < entries.length && position > 500 ? 1 : 0);",
      },
    ],
  },
  {
    name: "answer-not-stored",
    is: "a request that is repeated is done again",
    rule: "25",
    file: "store/sqlite/idempotency.ts",
    changes: [
      {
        from: "  const known = findAnswer(tx, idempotency);\n  if (known !== null)",
        to: "  const known = findAnswer(tx, idempotency);\n  if (known !== null && tx.now < 0)",
      },
    ],
  },
  {
    name: "callbacks-of-this-process",
    is: "a session that an earlier process started calls nobody back",
    rule: "27",
    file: "store/sqlite/session-end.ts",
    changes: [
      {
        from: "  if (session.row.callback_url !== null) enqueueSessionWebhook",
        to: '  const { at } = tx.get<{ at: number }>("select max(started_at) as at from instances") ?? { at: 0 };\n  if (session.row.callback_url !== null && session.row.created_at >= at) enqueueSessionWebhook',
      },
    ],
  },
  {
    name: "deliveries-of-this-process",
    is: "what an earlier process had still to deliver is forgotten",
    rule: "27",
    file: "store/sqlite/deliveries.ts",
    changes: [
      {
        from: "where d.wake_at <= ?\n",
        to: "where d.wake_at <= ? and d.created_at >= (select max(started_at) from instances)\n",
      },
    ],
  },
  {
    name: "timeouts-of-this-process",
    is: "the timeouts of attempts that an earlier process gave out are forgotten",
    rule: "23",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: '"select id from tasks where wake_at <= ? order by wake_at limit ?"',
        to: '"select id from tasks where wake_at <= ? and coalesce(epoch = (select max(epoch) from instances), 1) order by wake_at limit ?"',
      },
    ],
  },
];
