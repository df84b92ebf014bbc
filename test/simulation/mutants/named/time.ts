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
    name: "retry-early",
    is: "a task whose backoff runs is given out when its lane is asked for",
    rule: "R6",
    file: "store/sqlite/claim.ts",
    changes: [
      {
        from: "status = 'pending' and held = 0 and limits is null and lane = ? and ready_at <= ?\n      and deadline > ? order by",
        to: "status = 'pending' and held = 0 and limits is null and lane = ? and (ready_at <= ? or used > 1) and deadline > ? order by",
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
    name: "poll-ahead-of-time",
    is: "a poll that finds nothing takes what is ready in a second",
    rule: "R6",
    file: "store/sqlite/agents.ts",
    changes: [
      {
        from: "    const task = tx.context.agents.waiting.has(lane) ? nextWaiting(tx, lane) : undefined;",
        to: "    const early = tx.get<{ id: string }>(\n      \"select id from tasks where status = 'pending' and lane = ? and ready_at <= ? and deadline > ? order by order_key limit 1\",\n      lane,\n      tx.now + 1_000_000,\n      tx.now,\n    );\n    const task = nextWaiting(tx, lane) ?? (early === undefined ? undefined : loadTask(tx, early.id));",
      },
    ],
  },
  {
    name: "return-ends-backoffs",
    is: "the return of an agent makes everything ready that waits for its backoff",
    rule: "R6",
    file: "store/sqlite/agents.ts",
    changes: [
      {
        from: "  restart(tx, known.id);\n",
        to: "  restart(tx, known.id);\n  tx.run(\"update tasks set ready_at = ? where status = 'pending' and ready_at > ?\", tx.now, tx.now);\n",
      },
    ],
  },
  {
    name: "start-ends-backoffs",
    is: "a start makes everything ready that waits for the backoff of an earlier process",
    rule: "R6",
    file: "store/sqlite/claim.ts",
    changes: [
      {
        from: "status = 'pending' and held = 0 and limits is null and lane = ? and ready_at <= ?\n      and deadline > ? order by",
        to: "status = 'pending' and held = 0 and limits is null and lane = ? and (ready_at <= ? or epoch < (select max(epoch) from instances)) and deadline > ? order by",
      },
    ],
  },
  {
    name: "slot-lost-in-a-gap",
    is: "a slot that drains when nobody judges is counted twice in memory",
    rule: "18",
    file: "store/sqlite/gap.ts",
    changes: [
      {
        from: "  tx.context.forget();\n",
        to: "  const gone = [...tx.context.agents.all()].filter(({ draining }) => draining > 0);\n  tx.context.forget();\n  for (const { id } of gone) {\n    const agent = tx.context.agents.get(id);\n    if (agent !== undefined) agent.held += 1;\n  }\n",
      },
    ],
  },
  {
    name: "idle-ends-backoffs",
    is: "an agent that is idle makes those tasks ready that it had before",
    rule: "R6",
    file: "store/sqlite/reports.ts",
    changes: [
      {
        from: "  releaseDraining(tx, agent);\n",
        to: "  releaseDraining(tx, agent);\n  tx.run(\"update tasks set ready_at = ? where status = 'pending' and ready_at > ? and agent_id = ?\", tx.now, tx.now, agent.id);\n",
      },
    ],
  },
  {
    name: "retries-never-time-out",
    is: "the timeout of a later attempt that an earlier process gave out is forgotten",
    rule: "23",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: '"select id from tasks where wake_at <= ? order by wake_at limit ?"',
        to: '"select id from tasks where wake_at <= ? and (attempts < 2 or epoch = (select max(epoch) from instances)) order by wake_at limit ?"',
      },
    ],
  },
  {
    name: "outlook-without-approvals",
    is: "whoever owns time is not told when an approval expires",
    rule: "18",
    file: "store/sqlite/outlook.ts",
    changes: [{ from: "  union all select min(wake_at) from approvals where wake_at is not null\n", to: "" }],
  },
  {
    name: "outlook-without-waits",
    is: "whoever owns time is not told when a step's time has come",
    rule: "18",
    file: "store/sqlite/outlook.ts",
    changes: [{ from: "  union all select min(wake_at) from session_steps where wake_at is not null\n", to: "" }],
  },
];
