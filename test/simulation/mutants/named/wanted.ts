import type { WantedMutant } from "./named-mutant.ts";

/** Bugs that the simulator does not see yet. */
export const WANTED: readonly WantedMutant[] = [
  {
    name: "return-forgets-a-message",
    is: "a message that is sent in the transaction of an agent's return is not counted",
    rule: "12",
    needs: "a judge of the reports that are called ambiguous",
    file: "store/sqlite/agents.ts",
    changes: [
      {
        from: '  tx.run("update agents set messages_since_idle = 0 where id = ?", id);\n  // What',
        to: "  // What",
      },
      {
        from: 'message: "The agent registered again." });\n',
        to: 'message: "The agent registered again." });\n  tx.run("update agents set messages_since_idle = 0 where id = ?", id);\n',
      },
    ],
  },
  {
    name: "doubtful-taken-for-undone",
    is: "a step of which nobody knows whether it was done is passed over when all is undone",
    rule: "15",
    needs:
      "a judge who knows which runs may have been done, and asks for each of them whether it was undone or is in doubt",
    file: "store/sqlite/undoing.ts",
    changes: [
      {
        from: ".filter((row) => row.completed === 1 || row.doubtful === 1)",
        to: ".filter((row) => row.completed === 1)",
      },
    ],
  },
  {
    name: "signal-wakes-nobody",
    is: "a signal is kept for later while a step waits for it",
    rule: "18",
    needs: "steps that wait for a signal without a time of their own while others run, and a client that sends it once",
    file: "store/sqlite/signals.ts",
    changes: [{ from: "  if (waiting === undefined) {", to: "  if (waiting === undefined || session.open > 1) {" }],
  },
  {
    name: "receipts-of-the-living-only",
    is: "that an effect happened counts only when the attempt says so that announced it last",
    rule: "15",
    needs: "a receipt that comes late, while a later attempt is at work under the same key",
    file: "store/sqlite/effects.ts",
    changes: [
      {
        from: 'if (isNews && (status === "done" || attempt.n >= effect.attempt)) {',
        to: "if (isNews && attempt.n >= effect.attempt) {",
      },
    ],
  },
  {
    name: "question-outlives-its-answer",
    is: "a receipt settles a doubt and leaves the question open",
    rule: "17",
    needs: "a late receipt while a person is asked about the effect; few doubts are asked about, and fewer are told of",
    file: "store/sqlite/ending.ts",
    changes: [
      {
        from: "  if (doubt.approval_id !== null) withdrawApproval",
        to: '  if (doubt.approval_id !== null && answer !== "told") withdrawApproval',
      },
    ],
  },
  {
    name: "backoff-of-an-hour",
    is: "a delay that an agent asks for is not bounded",
    rule: "10",
    needs: "agents that ask for long delays, and a session that waits for one of them",
    file: "domain/tasks/retry.ts",
    changes: [
      {
        from: "const asked = Math.min(outcome.retryAfter ?? 0, MAX_RETRY_AFTER);",
        to: "const asked = (outcome.retryAfter ?? 0) * 100;",
      },
    ],
  },
  {
    name: "early-signal-taken-twice",
    is: "a signal that came before anybody waited for it is given to the next step too",
    rule: "8",
    needs: "two steps that wait for one signal in turn, and signals that come before the first of them",
    file: "store/sqlite/waits.ts",
    changes: [
      {
        from: 'where session_id = ? and name = ? and n = ?", session.id, signal, early.n);',
        to: 'where session_id = ? and name = ? and n = ?", session.id, signal, early.n + 1);',
      },
    ],
  },
  {
    name: "decided-and-expired",
    is: "a decision leaves its timer armed, and the approval expires as well",
    rule: "5",
    needs: "decisions just before the time of an approval is over; earlier worlds had one within 25 seeds",
    file: "store/sqlite/approval-decisions.ts",
    changes: [
      {
        from: "const due = \"select * from approvals where id = ? and status = 'pending' and wake_at <= ?\";",
        to: "const due = \"select * from approvals where id = ? and status <> 'expired' and coalesce(wake_at, expires_at) <= ?\";",
      },
    ],
  },
  {
    name: "approval-outlives-its-session",
    is: "a session that fails leaves its approvals open",
    rule: "18",
    needs: "a session that fails while one approval and nothing else waits; earlier worlds had one within 25 seeds",
    file: "domain/workflows/move.ts",
    changes: [
      {
        from: 'if (this.#waiting > 0) this.#cancelSteps(["waiting"], "The session has failed.");',
        to: 'if (this.#waiting > 1) this.#cancelSteps(["waiting"], "The session has failed.");',
      },
    ],
  },
  {
    name: "undone-counts-as-done",
    is: "a session takes over what was undone where it goes on from",
    rule: "15",
    needs: "retries of sessions that undid one thing and have failed of another beside it; few that fail undo anything",
    file: "domain/workflows/kept-steps.ts",
    changes: [
      {
        from: '    case "completed":\n      return fallback',
        to: '    case "completed":\n    case "compensated":\n      return fallback',
      },
    ],
  },
];
