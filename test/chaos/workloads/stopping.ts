import { resultOf } from "../workload.ts";
import { step } from "./step.ts";

/** What holds on is longer at it than anybody may take to tell it. */
const timeout = "40s";

/** Three of four of these sessions do not end by themselves, and are cancelled. */
export function isDoomed(n: number): boolean {
  return n % 40 !== 8;
}

/** All of them begin at once. */
const dependsOn: string[] = [];
const parameters = { x: "${{ input.n }}", y: 8, holds: "${{ input.n % 40 != 8 }}" };

/** Work that is cancelled in the middle, by message and by answers to those who ask for work. */
export const STOPPING_WORKFLOW = {
  id: "chaos-stopping",
  name: "Work that is called off",
  version: "1",
  tasks: [
    step("stopper", { parameters, timeout, dependsOn }),
    { ...step("stopper", { parameters: { ...parameters, y: 9 }, timeout, dependsOn }), taskId: "other" },
    step("pull", { parameters, timeout, dependsOn }),
  ],
  output: "${{ steps.stopper.result.value * 5 + steps.other.result.value * 3 + steps.pull.result.value }}",
};

export function stoppingResult(n: number): number {
  const of = (kind: "stopper" | "pull", y: number) => resultOf(kind, { x: n, y }).value;
  return of("stopper", 8) * 5 + of("stopper", 9) * 3 + of("pull", 8);
}
