import { createHash } from "node:crypto";

/** The kinds of agents; each is the capability of one step and a process of its own. */
export const KINDS = ["take", "answer", "pull", "late", "scarce"] as const;
export type Kind = (typeof KINDS)[number];

export const WORKFLOW_ID = "chaos";

/** Longer than nearly all work of the late agent, shorter than the rest. */
const LATE_TIMEOUT = "3s";

/** take, then answer and pull side by side, then late, then scarce. */
export const WORKFLOW = {
  id: WORKFLOW_ID,
  name: "Five steps under fire",
  version: "1",
  tasks: [
    step("take", { parameters: { x: "${{ input.n }}", y: 0 } }),
    step("answer", { dependsOn: ["take"], parameters: { x: "${{ steps.take.result.value }}", y: 1 } }),
    step("pull", { dependsOn: ["take"], parameters: { x: "${{ steps.take.result.value }}", y: 2 } }),
    step("late", {
      dependsOn: ["answer", "pull"],
      parameters: { x: "${{ steps.answer.result.value }}", y: "${{ steps.pull.result.value }}" },
      timeout: LATE_TIMEOUT,
    }),
    step("scarce", { dependsOn: ["late"], parameters: { x: "${{ steps.late.result.value }}", y: "${{ input.n }}" } }),
  ],
  output: "${{ steps.scarce.result.value }}",
};

function step(kind: Kind, more: object) {
  // Attempts are used up by kills that outlast a timeout; a task that dies of that would prove nothing.
  const retry = { maxAttempts: 12, initialDelay: "100ms", maxDelay: "1s" };
  return { taskId: kind, name: `Step ${kind}`, agentCapability: `chaos.${kind}`, retry, ...more };
}

export interface Work {
  readonly x: number;
  readonly y: number;
}

/** What an agent of this kind makes of its task: no two inputs of one session may be swapped unseen. */
export function resultOf(kind: Kind, { x, y }: Work): { value: number } {
  return { value: (x * 31 + y * 17 + KINDS.indexOf(kind) + 1) % 1_000_003 };
}

/** The result of session `n`. */
export function expectedResult(n: number): number {
  const { value: take } = resultOf("take", { x: n, y: 0 });
  const { value: answer } = resultOf("answer", { x: take, y: 1 });
  const { value: pull } = resultOf("pull", { x: take, y: 2 });
  const { value: late } = resultOf("late", { x: answer, y: pull });
  return resultOf("scarce", { x: late, y: n }).value;
}

/** A number in [0, 1) that belongs to a text: chance that is the same each time it is asked. */
export function chanceOf(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;
}
