import { type Kind, resultOf } from "../workload.ts";
import { RETRY, step } from "./step.ts";

/**
 * Longer than nearly all work of the late agent, shorter than the rest; and longer than a server is away, or whole rows of
 * timeouts would have the agent quarantined.
 */
const LATE_TIMEOUT = "5s";

export const CHILD_WORKFLOW = {
  id: "chaos-child",
  name: "A step that is a session",
  version: "1",
  input: { schema: { type: "object", required: ["x"] } },
  tasks: [step("take", { parameters: { x: "${{ input.x }}", y: 3 } })],
};

/** Sessions with these numbers fail at their last step, and undo what they did. */
export function isUndone(n: number): boolean {
  return n % 10 === 3;
}

/** Results of a list keep its order: the first two are not the same way round. */
const SUM = "steps.each.results[0].value * 3 + steps.each.results[1].value + steps.each.results[2].value";

/**
 * take, then answer and pull side by side, then late, then scarce; then a short wait, a list of three, a decision, and a
 * session of its own. What a session with an unlucky number did is undone.
 */
export const PLAIN_WORKFLOW = {
  id: "chaos",
  name: "All kinds of steps under fire",
  version: "2",
  tasks: [
    step("take", { parameters: { x: "${{ input.n }}", y: 0 }, compensate: undoing("take") }),
    step("answer", { dependsOn: ["take"], parameters: { x: "${{ steps.take.result.value }}", y: 1 } }),
    step("pull", { dependsOn: ["take"], parameters: { x: "${{ steps.take.result.value }}", y: 2 } }),
    step("late", {
      dependsOn: ["answer", "pull"],
      parameters: { x: "${{ steps.answer.result.value }}", y: "${{ steps.pull.result.value }}" },
      timeout: LATE_TIMEOUT,
    }),
    step("scarce", { dependsOn: ["late"], parameters: { x: "${{ steps.late.result.value }}", y: "${{ input.n }}" } }),
    { taskId: "pause", dependsOn: ["scarce"], wait: { for: "300ms" } },
    {
      ...step("answer", { dependsOn: ["pause"], parameters: { x: "${{ item }}", y: "${{ index }}" } }),
      taskId: "each",
      forEach: "[steps.scarce.result.value, input.n, 7]",
      concurrency: 2,
      compensate: undoing("pull"),
    },
    { taskId: "ok", dependsOn: ["pause"], approval: { message: "Go on with ${{ input.n }}?", timeout: "1h" } },
    {
      taskId: "child",
      dependsOn: ["each", "ok"],
      workflow: { id: CHILD_WORKFLOW.id, input: { x: `\${{ ${SUM} }}` } },
    },
    {
      ...step("take", { dependsOn: ["child"] }),
      taskId: "break",
      when: "input.n % 10 == 3",
      parameters: { x: "${{ input.nothing }}", y: 0 },
    },
  ],
  output: "${{ steps.child.result.value }}",
  onFailure: "compensate",
};

function undoing(kind: Kind): object {
  const parameters = { x: "${{ input.n }}", y: 4 };
  return { agentCapability: `chaos.${kind}`, parameters, retry: RETRY, whenUnknown: "run" };
}

/** The result of session `n`; null when it fails. */
export function plainResult(n: number): number | null {
  if (isUndone(n)) return null;
  const { value: take } = resultOf("take", { x: n, y: 0 });
  const { value: answer } = resultOf("answer", { x: take, y: 1 });
  const { value: pull } = resultOf("pull", { x: take, y: 2 });
  const { value: late } = resultOf("late", { x: answer, y: pull });
  const { value: scarce } = resultOf("scarce", { x: late, y: n });
  const each = [scarce, n, 7].map((x, y) => resultOf("answer", { x, y }).value);
  const [first = 0, second = 0, third = 0] = each;
  return resultOf("take", { x: first * 3 + second + third, y: 3 }).value;
}
