import { cpuSeconds, residentBytes } from "../harness/process-usage.ts";
import type { Product } from "../harness/product.ts";
import { median } from "../harness/statistics.ts";
import { AnsweringAgent } from "./answering-agent.ts";
import { runSession } from "./session.ts";

const THOUSAND = 1_000;

export interface ItemFigures {
  /** Milliseconds for the first and the last thousand items: medians over the runs. */
  readonly first: number;
  readonly last: number;
  /** Median over the runs of the last thousand's time by the first one's. */
  readonly ratio: number;
  /** Growth of the server's memory over the runs, in MB. */
  readonly grown: number;
  readonly cpuPerItem: number;
}

/** Lists of 10,000 items, each item a task of an agent that answers at once. */
export async function measureItems(
  product: Product,
  agent: AnsweringAgent,
  items: number,
  runs: number,
): Promise<ItemFigures> {
  // Code is warm before anything counts: else the first thousand would be slow, and the last look fast.
  await runItems(product, agent, items);
  const memory = residentBytes(product.pid);
  const cpu = cpuSeconds(product.pid);
  const times: Times[] = [];
  for (let run = 0; run < runs; run += 1) times.push(await runItems(product, agent, items));
  return {
    first: median(times.map(({ first }) => first)),
    last: median(times.map(({ last }) => last)),
    ratio: median(times.map(({ first, last }) => last / first)),
    grown: (residentBytes(product.pid) - memory) / 1_048_576,
    cpuPerItem: ((cpuSeconds(product.pid) - cpu) / (runs * items)) * 1e6,
  };
}

interface Times {
  readonly first: number;
  readonly last: number;
}

async function runItems(product: Product, agent: AnsweringAgent, items: number): Promise<Times> {
  agent.arrivals.length = 0;
  const each = {
    taskId: "each",
    forEach: "input.items",
    concurrency: 50,
    agentCapability: AnsweringAgent.CAPABILITY,
    parameters: { n: "${{ item }}" },
  };
  const workflow = { id: "bench-items", tasks: [each], output: "${{ size(steps.each.results) }}" };
  await runSession(product, workflow, { items: Array.from({ length: items }, (_, n) => n) });
  const { arrivals } = agent;
  if (arrivals.length !== items) throw new Error(`${arrivals.length} tasks came for ${items} items`);
  return { first: between(arrivals, 0, THOUSAND - 1), last: between(arrivals, items - THOUSAND, items - 1) };
}

function between(times: readonly number[], from: number, to: number): number {
  return (times[to] ?? Number.NaN) - (times[from] ?? Number.NaN);
}
