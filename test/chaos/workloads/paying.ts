import { resultOf } from "../workload.ts";
import { RETRY, step } from "./step.ts";

export const BANK_TOOL = "bank.find";

/** One that has gone without a word is not waited for longer than this. */
const timeout = "5s";
const BANK_CHECK = { tool: BANK_TOOL, retry: RETRY, timeout: "3s", otherwise: { ask: { timeout: "1h" } } };

function paying(taskId: string, y: number, more: object): object {
  return { ...step("payer", { parameters: { x: "${{ input.n }}", y }, timeout, dependsOn: [], ...more }), taskId };
}

/** One payment under each policy for what nobody knows the end of; two of the policies may leave it undone. */
export const PAYING_WORKFLOW = {
  id: "chaos-paying",
  name: "Payments that must not happen twice",
  version: "1",
  tasks: [
    paying("again", 0, {}),
    paying("once", 1, { onUncertain: "fail", onFailure: "continue" }),
    paying("asked", 2, { onUncertain: { ask: { timeout: "1h" } } }),
    paying("checked", 3, { onUncertain: { verify: BANK_CHECK } }),
    paying("undone", 4, {
      onUncertain: "compensate",
      onFailure: "continue",
      compensate: { agentCapability: "chaos.take", parameters: { x: "${{ input.n }}", y: 7 }, retry: RETRY },
    }),
  ],
  output: "${{ steps.again.result.value * 5 + steps.asked.result.value * 3 + steps.checked.result.value }}",
};

export function payingResult(n: number): number {
  const [again = 0, , asked = 0, checked = 0] = [0, 1, 2, 3].map((y) => resultOf("payer", { x: n, y }).value);
  return again * 5 + asked * 3 + checked;
}
