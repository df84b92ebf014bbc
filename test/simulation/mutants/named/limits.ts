import type { NamedMutant } from "./named-mutant.ts";

/** Bugs in who waits for a key, who holds it, and how often it was used. */
export const LIMITS: readonly NamedMutant[] = [
  {
    name: "permit-free-while-draining",
    is: "a permit is given back when its attempt is given up, though its agent may still be at work",
    rule: "18",
    file: "store/sqlite/slots.ts",
    changes: [
      {
        from: "  agent.draining += 1;\n",
        to: "  agent.draining += 1;\n  releasePermit(tx, slot);\n",
      },
    ],
  },
  {
    name: "permit-kept-for-ever",
    is: "the permit of an attempt whose draining slot is freed by its agent is never given back",
    rule: "18",
    file: "store/sqlite/slots.ts",
    changes: [
      {
        from: '  releasePermitsOf(tx, "where agent_id = ? order by until limit ?", agent.id, max);\n',
        to: "",
      },
    ],
  },
  {
    name: "rate-off-by-one",
    is: "one more task of a key begins within its time than may",
    rule: "19",
    file: "store/sqlite/permits.ts",
    changes: [{ from: "key, last + 1 - limit)", to: "key, last - limit)" }],
  },
  {
    name: "rate-counts-first-attempts",
    is: "an attempt after the first does not count against its rate",
    rule: "19",
    file: "store/sqlite/permits.ts",
    changes: [{ from: "  if (rate === null) return;", to: "  if (rate === null || attempt > 1) return;" }],
  },
  {
    name: "full-key-ends-the-round",
    is: "a claim that meets a full key looks no further, so that its backlog hides all that stands behind it",
    rule: "19",
    file: "store/sqlite/lane-heads.ts",
    changes: [{ from: "      if (task !== undefined) return task;", to: "      return task;" }],
  },
  {
    name: "permit-passed-on",
    is: "a new task takes a permit that was just given back, past those that wait for it in other lanes or lines",
    rule: "21",
    file: "store/sqlite/claim.ts",
    changes: [
      {
        from: "  for (const line of tx.context.limits.linesOf(limits)) if (isBefore(tx, line, task.order_key)) return false;\n",
        to: "",
      },
      {
        from: "    for (const line of tx.context.limits.linesIn(lane)) if (isBefore(tx, line, orderKey)) return true;\n",
        to: "",
      },
    ],
  },
];
