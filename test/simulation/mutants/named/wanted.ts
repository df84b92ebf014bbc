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
];
