import { setTimeout as delay } from "node:timers/promises";
import { residentBytes } from "../harness/process-usage.ts";
import { Product } from "../harness/product.ts";

const IN_FLIGHT = 32;
const WARM_UP = 40_000;
/** Sessions whose time comes while somebody looks. */
const SOON = 1_000;
/** Milliseconds: when the first of them is due after the restart, and over what time the others are. */
const SOON_AFTER = 8_000;
const SOON_OVER = 10_000;

export interface WaitingFigures {
  /** Memory of a server that has had as much to do, of sessions that ended, in MB. */
  readonly warm: number;
  /** What the sessions that wait add to it. */
  readonly grown: number;
  /** Milliseconds from the start of the process to its first answer. */
  readonly startUp: number;
  /** Of the sessions that came due: the worst, in milliseconds; negative = early. */
  readonly latest: number;
  readonly earliest: number;
  /** Sessions that came due, and how many of them went on once. */
  readonly due: number;
  readonly once: number;
}

/** So many sessions wait, half for a time and half for a decision; the server is killed and started again. */
export async function measureWaiting(folder: string, sessions: number): Promise<WaitingFigures> {
  let product = await Product.start({ folder });
  try {
    // A heap grows with what there is to do, and is kept: what is asked here is what waiting adds.
    await startMany(product, Math.min(WARM_UP, sessions), () => ENDS_AT_ONCE);
    const warm = megabytes(product);
    await startMany(product, sessions, farAway);
    const grown = megabytes(product) - warm;
    const first = Date.now() + SOON_AFTER;
    const dueAt = (n: number): number => first + Math.floor((n * SOON_OVER) / SOON);
    const soon = await startMany(product, SOON, (n) => timer(new Date(dueAt(n)).toISOString()));
    await product.kill();
    const started = performance.now();
    product = await Product.start({ folder, data: product.data });
    await product.call("GET", "/v1/opscore/sessions?limit=1");
    const startUp = performance.now() - started;
    await delay(first + SOON_OVER + 2_000 - Date.now());
    const late = await lateness(product, soon, dueAt);
    return { warm, grown, startUp, due: SOON, ...late };
  } finally {
    await product.stop();
  }
}

function megabytes(product: Product): number {
  return residentBytes(product.pid) / 1_048_576;
}

/** Its only step is skipped. */
const ENDS_AT_ONCE = {
  workflow: { id: "bench-short", tasks: [{ taskId: "pause", when: "input.n > 1", wait: { for: "1s" } }] },
  input: { n: 1 },
};

function timer(at: string): object {
  return {
    workflow: { id: "bench-timer", tasks: [{ taskId: "pause", wait: { until: "${{ input.at }}" } }] },
    input: { at },
  };
}

const APPROVAL = {
  id: "bench-approval",
  tasks: [{ taskId: "ok", approval: { message: "Go on with ${{ input.n }}?" } }],
};

function farAway(n: number): object {
  return n % 2 === 0 ? timer("2099-01-01T00:00:00Z") : { workflow: APPROVAL, input: { n } };
}

/** The ids of the sessions, in the order of their numbers. */
async function startMany(product: Product, count: number, bodyOf: (n: number) => object): Promise<string[]> {
  const ids = new Array<string>(count);
  let next = 0;
  const one = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) {
      const { sessionId } = await product.call<{ sessionId: string }>("POST", "/v1/opscore/sessions", bodyOf(n));
      ids[n] = sessionId;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  return ids;
}

async function lateness(
  product: Product,
  ids: readonly string[],
  dueAt: (n: number) => number,
): Promise<{ latest: number; earliest: number; once: number }> {
  const lates: number[] = [];
  let once = 0;
  for (const [n, id] of ids.entries()) {
    const { items } = await product.call<{ items: { type: string; at: string }[] }>(
      "GET",
      `/v1/opscore/events?stream=${id}&limit=100`,
    );
    const done = items.filter(({ type }) => type === "step.completed");
    if (done.length === 1) once += 1;
    if (done[0] !== undefined) lates.push(Date.parse(done[0].at) - dueAt(n));
  }
  return { latest: Math.max(...lates), earliest: Math.min(...lates), once };
}
