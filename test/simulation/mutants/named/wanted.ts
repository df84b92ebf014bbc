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
];
