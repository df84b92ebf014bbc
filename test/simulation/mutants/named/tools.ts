import type { NamedMutant } from "./named-mutant.ts";

/** Calls of tools, and what their answers mean. */
export const TOOLS: readonly NamedMutant[] = [
  {
    name: "tool-token-counts",
    is: "whoever shows the token of a call may say what came of it",
    rule: "6",
    file: "store/sqlite/outcomes.ts",
    changes: [{ from: "  if (attempt.agent_id === null) {\n", to: "  if (attempt.agent_id === undefined) {\n" }],
  },
  {
    name: "still-at-it-has-failed",
    is: "a tool that says that it is still at an earlier call has failed",
    rule: "17",
    file: "engine/channels/exchange-end.ts",
    changes: [{ from: "(attempt > 1 || send > 1)", to: "(attempt > 1 && send > 1)" }],
  },
  {
    name: "unreadable-is-called-again",
    is: "a call that was done, and whose answer cannot be read, is made again",
    rule: "9",
    file: "domain/tools/answer.ts",
    changes: [
      {
        from: 'return rejected("answer_unreadable", "The tool\'s answer is no JSON that can be taken, or too large.");',
        to: 'return { type: "failed", reason: "agent_error", error: { code: "answer_unreadable", message: "" }, evidence: "answer" };',
      },
    ],
  },
  {
    name: "error-taken-for-a-result",
    is: "what a tool calls an error is the result of its step",
    rule: "2",
    file: "domain/tools/answer.ts",
    changes: [{ from: 'read.data.status !== "error"', to: 'read.data.status !== "failed"' }],
  },
  {
    name: "nothing-cannot-be-read",
    is: "an empty answer is taken for one that cannot be read",
    rule: "2",
    file: "domain/tools/answer.ts",
    changes: [{ from: "body.length === 0 && !response.truncated", to: "body.length === 0 && response.truncated" }],
  },
  {
    name: "given-up-call-frees-its-slot",
    is: "a tool is called again at once for which a call was given up that it may still be at",
    rule: "19",
    file: "store/sqlite/slots.ts",
    changes: [
      {
        from: "  if (agent === undefined) {\n    releasePermit(tx, slot);\n",
        to: '  if (agent === undefined || agent.kind === "tool") {\n    releaseSlot(tx, agent, slot);\n',
      },
    ],
  },
  {
    name: "given-up-call-keeps-its-slot",
    is: "the slot of a call that was given up is kept for ever",
    rule: "19",
    file: "store/sqlite/expiry.ts",
    changes: [
      {
        from: "from draining_slots where until <= ? order by until limit ?",
        to: "from draining_slots where until <= ? and tool is null order by until limit ?",
      },
    ],
  },
  {
    name: "removed-tool-comes-back-full",
    is: "a tool that is registered again still holds the slots of what was given up before",
    rule: "19",
    file: "store/sqlite/tools.ts",
    changes: [{ from: '  tx.run("delete from draining_slots where tool = ?", name);\n', to: "" }],
  },
];
