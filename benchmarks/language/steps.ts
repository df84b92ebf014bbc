import { cpuSeconds } from "../harness/process-usage.ts";
import type { Product } from "../harness/product.ts";
import { median } from "../harness/statistics.ts";
import { AnsweringAgent } from "./answering-agent.ts";
import { runSession } from "./session.ts";

/** Steps run per round, whatever the length of the session they are in. */
const STEPS_PER_ROUND = 1_000;

/** Microseconds of the server's processor time per step, by the length of the session: medians of alternating rounds. */
export async function measureSteps(
  product: Product,
  lengths: readonly number[],
  rounds: number,
): Promise<Map<number, number>> {
  const costs = new Map(lengths.map((length) => [length, [] as number[]]));
  for (const length of lengths) await runSteps(product, length);
  for (let round = 0; round < rounds; round += 1) {
    for (const [length, found] of costs) found.push(await runSteps(product, length));
  }
  return new Map([...costs].map(([length, found]) => [length, median(found)]));
}

async function runSteps(product: Product, length: number): Promise<number> {
  const tasks = Array.from({ length }, (_, n) => ({
    taskId: `s${n}`,
    agentCapability: AnsweringAgent.CAPABILITY,
    parameters: n === 0 ? {} : { before: `\${{ steps.s${n - 1}.result.done }}` },
  }));
  const workflow = { id: `bench-steps-${length}`, tasks };
  const cpu = cpuSeconds(product.pid);
  for (let done = 0; done < STEPS_PER_ROUND; done += length) await runSession(product, workflow);
  return ((cpuSeconds(product.pid) - cpu) / STEPS_PER_ROUND) * 1e6;
}
