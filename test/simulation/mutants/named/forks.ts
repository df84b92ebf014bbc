import type { NamedMutant } from "./named-mutant.ts";

/** What a session takes over that goes on from another. */
export const FORKS: readonly NamedMutant[] = [
  {
    name: "gone-on-from-before-its-end",
    is: "a session is gone on from that is still at work",
    rule: "6",
    file: "store/sqlite/forks.ts",
    changes: [{ from: "  if (row.ended_at === null) {\n", to: "  if (row.ended_at === null && row.open === 0) {\n" }],
  },
  {
    name: "fork-keeps-what-is-behind",
    is: "only the step that a fork begins at is done anew, and what is behind it is taken over",
    rule: "1",
    file: "domain/workflows/kept-steps.ts",
    changes: [
      {
        from: "for (const next of [...step.dependents, ...reservesOf(step)]) found.add(next);",
        to: "for (const next of reservesOf(step)) found.add(next);",
      },
    ],
  },
  {
    name: "retry-does-all-anew",
    is: "a session that goes on where another one failed does again what had failed without harm",
    rule: "9",
    file: "domain/workflows/kept-steps.ts",
    changes: [
      {
        from: 'return isTolerated(plan, step) ? { how: "failed", error } : null;',
        to: 'return isTolerated(plan, step) && error.uncertain === true ? { how: "failed", error } : null;',
      },
    ],
  },
  {
    name: "fork-without-key",
    is: "a fork that is asked for again under its key is another session",
    rule: "8",
    file: "store/sqlite/session-store.ts",
    changes: [
      { from: "once(tx, idempotency, () => forkSession(", to: "once(tx, idempotency && undefined, () => forkSession(" },
    ],
  },
  {
    name: "source-of-the-last-only",
    is: "a step that was taken over twice is looked for where it was not done",
    rule: "2",
    file: "store/sqlite/step-row.ts",
    changes: [{ from: "    row.source ?? source,\n", to: "    source,\n" }],
  },
  {
    name: "fork-keeps-its-parameters",
    is: "the step that a fork begins at gets what the definition says, whatever it was to get",
    rule: "2",
    file: "store/sqlite/step-tasks.ts",
    changes: [
      {
        from: "if (row.forked_from === null) return null;",
        to: "if (row.forked_from === null || step.index > 0) return null;",
      },
    ],
  },
];
