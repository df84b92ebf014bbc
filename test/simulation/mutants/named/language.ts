import type { NamedMutant } from "./named-mutant.ts";

/** Lists, loops, waits, decisions and what undoes them. */
export const LANGUAGE: readonly NamedMutant[] = [
  {
    name: "any-approver-has-approved",
    is: "who says the same as another has said before is told that it is his decision that counts",
    rule: "2",
    file: "store/sqlite/approval-decisions.ts",
    changes: [
      {
        from: "if (row.status === status && row.decided_by === decision.by) return;",
        to: "if (row.status === status) return;",
      },
    ],
  },
  {
    name: "signal-without-key",
    is: "a signal that is sent again under its key is another signal",
    rule: "8",
    file: "store/sqlite/session-store.ts",
    changes: [
      {
        from: "once(tx, idempotency, () => signalSession(",
        to: "once(tx, idempotency && undefined, () => signalSession(",
      },
    ],
  },
  {
    name: "one-item-too-many",
    is: "a list has one item more under way than it allows",
    rule: "19",
    file: "domain/workflows/items.ts",
    changes: [
      { from: "return items.open < step.forEach.concurrency;", to: "return items.open <= step.forEach.concurrency;" },
    ],
  },
  {
    name: "no-branch-for-silence",
    is: "the branch for a wait that nobody ended in time is not taken",
    rule: "1",
    file: "domain/workflows/move.ts",
    changes: [
      {
        from: "    if (branch === null || this.#failure !== null) this.fail(",
        to: '    if (branch === null || role === "expired" || this.#failure !== null) this.fail(',
      },
    ],
  },
  {
    name: "loop-forgets-its-last-round",
    is: "a round of a loop cannot read what the round before it brought",
    rule: "1",
    file: "domain/expressions/scope.ts",
    changes: [
      { from: '"completed", "compensated", "uncertain", "running"]', to: '"completed", "compensated", "uncertain"]' },
    ],
  },
  {
    name: "child-ends-unheard",
    is: "the step that started a session is not told when that fails",
    rule: "18",
    file: "store/sqlite/session-end.ts",
    changes: [
      {
        from: "if (session.row.parent_id !== null) tellParent",
        to: 'if (session.row.parent_id !== null && status !== "failed") tellParent',
      },
    ],
  },
  {
    name: "cancel-without-children",
    is: "a session is cancelled, and the sessions that its steps started go on",
    rule: "15",
    file: "store/sqlite/children.ts",
    changes: [
      {
        from: 'if (child !== undefined) tx.inbox.push({ session: child, input: { type: "cancel", reason }',
        to: 'if (child !== undefined && child.row.open === 0) tx.inbox.push({ session: child, input: { type: "cancel", reason }',
      },
    ],
  },
  {
    name: "undone-first-to-last",
    is: "what was done is undone in the order in which it was done",
    rule: "15",
    file: "store/sqlite/undoing.ts",
    changes: [{ from: "    b.endedAt - a.endedAt ||", to: "    a.endedAt - b.endedAt ||" }],
  },
  {
    name: "undone-half",
    is: "of what was done the last thing is not undone",
    rule: "15",
    file: "domain/workflows/move.ts",
    changes: [
      {
        from: "if (n < (this.#undoing?.total ?? 0)) this.#effects",
        to: "if (n < Math.max(1, (this.#undoing?.total ?? 0) - 1)) this.#effects",
      },
    ],
  },
  {
    name: "failed-to-undo-unsaid",
    is: "a session that could not undo a thing says that it undid all",
    rule: "2",
    file: "domain/workflows/move.ts",
    changes: [
      {
        from: "if (failed) this.#undoing = { ...this.#undoing, failed: this.#undoing.failed + 1 };",
        to: "if (failed && !restored) this.#undoing = { ...this.#undoing, failed: this.#undoing.failed };",
      },
    ],
  },
  {
    name: "wait-a-second-short",
    is: "a step that waits for a time goes on a second before it",
    rule: "16",
    file: "store/sqlite/waits.ts",
    changes: [
      { from: "  noteWait(tx, session, step, at, null);", to: "  noteWait(tx, session, step, at - 1_000_000, null);" },
    ],
  },
  {
    name: "list-ends-with-items-open",
    is: "a list whose first item failed ends while others are under way",
    rule: "14",
    file: "domain/workflows/move.ts",
    changes: [{ from: "    if (items.open > 0) return;", to: "    if (items.open > 0 && items.failed === 0) return;" }],
  },
  {
    name: "loop-one-round-short",
    is: "a loop gives up one round before its last",
    rule: "1",
    file: "domain/workflows/move.ts",
    changes: [
      { from: "const exhausted = part + 1 >= maxIterations;", to: "const exhausted = part + 1 >= maxIterations - 1;" },
    ],
  },
];
