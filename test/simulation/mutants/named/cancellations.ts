import type { NamedMutant } from "./named-mutant.ts";

/** Bugs in what becomes of attempts that were cancelled. */
export const CANCELLATIONS: readonly NamedMutant[] = [
  {
    name: "stops-when-told",
    is: "an agent that says that it will stop counts as free",
    rule: "19",
    file: "store/sqlite/cancellations.ts",
    changes: [
      {
        from: 'if (row.stage === "stopped" || row.stage === "finished") {',
        to: 'if (row.stage === "stopped" || row.stage === "finished" || row.stage === "acknowledged") {',
      },
    ],
  },
  {
    name: "refusal-frees",
    is: "an agent that refuses to stop counts as free",
    rule: "19",
    file: "store/sqlite/cancellations.ts",
    changes: [
      {
        from: 'if (row.stage === "stopped" || row.stage === "finished") {',
        to: 'if (row.stage === "stopped" || row.stage === "finished" || row.stage === "refused") {',
      },
    ],
  },
  {
    name: "told-waits-for-ever",
    is: "who was told and does not answer is never given up",
    rule: "23",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: '"select id from cancellations where wake_at <= ? order by wake_at limit ?"',
        to: "\"select id from cancellations where wake_at <= ? and stage <> 'delivered' order by wake_at limit ?\"",
      },
    ],
  },
  {
    name: "late-result-is-no-evidence",
    is: "a result that comes too late says nothing of the work",
    rule: "15",
    file: "store/sqlite/outcomes.ts",
    changes: [{ from: "  noteLateOutcome(tx, task, attempt, outcome);\n  releaseDrained", to: "  releaseDrained" }],
  },
  {
    name: "time-from-the-request",
    is: "the time to answer runs from the request, not from when the agent was told",
    rule: "15",
    file: "store/sqlite/cancellations.ts",
    changes: [
      {
        from: 'if (stage === "delivered") return now + ACKNOWLEDGE_WITHIN;',
        to: 'if (stage === "delivered") return row.requested_at + ACKNOWLEDGE_WITHIN;',
      },
    ],
  },
  {
    name: "undoes-at-once",
    is: "what was done is undone while others are still at it",
    rule: "16",
    file: "store/sqlite/undoing.ts",
    changes: [
      {
        from: "if (!hasOpenCancellation(tx, session.id)) return planUndoing(tx, session);",
        to: "if (session.row.depth >= 0) return planUndoing(tx, session);",
      },
    ],
  },
  {
    name: "never-undoes",
    is: "what waits for agents to stop is not undone when they have",
    rule: "16",
    file: "store/sqlite/cancellations.ts",
    changes: [{ from: "  if (session_id !== null) tx.freed = (tx.freed ?? new Set()).add(session_id);\n", to: "" }],
  },
  {
    name: "earlier-attempts-go-on",
    is: "only the last attempt of a task is cancelled, not those whose agents fell silent before",
    rule: "15",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  for (const { attempt, until } of draining) requestCancellation(tx, task, attempt, reason, until);\n",
        to: "",
      },
    ],
  },
];
