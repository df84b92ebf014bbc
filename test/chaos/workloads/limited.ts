import { resultOf } from "../workload.ts";
import { step } from "./step.ts";

const TENANT = { key: "tenant-${{ input.n % 3 }}", limit: 3 };
const GPU = { key: "gpu", limit: 2 };
const SITE = { key: "site-${{ input.n % 2 }}", limit: 8 };
const SITE_SECONDS = 2;
/** So that a permit whose holder is never heard of again comes back while somebody looks. */
const timeout = "8s";

const site = { ...SITE, per: SITE_SECONDS * 1_000_000 };

/** Few keys that allow few tasks: sessions of one number compete, through agents of all channels. */
export const LIMITED_WORKFLOW = {
  id: "chaos-limited",
  name: "Tasks that share what there is little of",
  version: "1",
  concurrency: TENANT,
  tasks: [
    step("take", {
      parameters: { x: "${{ input.n }}", y: 5, limits: { concurrency: TENANT, rate: site } },
      rateLimit: { ...SITE, per: `${SITE_SECONDS}s` },
      timeout,
    }),
    step("answer", {
      dependsOn: ["take"],
      parameters: { x: "${{ steps.take.result.value }}", y: 6, limits: { concurrency: TENANT } },
      timeout,
    }),
    {
      ...step("pull", { dependsOn: ["take"], timeout }),
      taskId: "each",
      forEach: "[steps.take.result.value, input.n]",
      concurrency: { ...GPU, items: 2 },
      parameters: { x: "${{ item }}", y: "${{ index }}", limits: { concurrency: GPU } },
    },
  ],
  output: "${{ steps.answer.result.value * 5 + steps.each.results[0].value * 3 + steps.each.results[1].value }}",
};

export function limitedResult(n: number): number {
  const { value: take } = resultOf("take", { x: n, y: 5 });
  const { value: answer } = resultOf("answer", { x: take, y: 6 });
  const [first = 0, second = 0] = [take, n].map((x, y) => resultOf("pull", { x, y }).value);
  return answer * 5 + first * 3 + second;
}
