/**
 * What durability, keys, validation and logs cost: sessions of three tasks per second, the product against a ceiling
 * that makes the same HTTP requests and stores nothing, in alternating rounds of one run. See README.md beside this file.
 *
 * Exits 1 when the product is below its bars, 2 when the run says nothing (the ceiling is too slow to be one, or does not
 * send what the product sends). `--quick` takes shorter and fewer rounds, for development.
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { type CannonClient, type CannonRequest, requestsPerSecond } from "./harness/autocannon.ts";
import type { Request } from "./harness/connections.ts";
import { diskFolder, writeThroughMs } from "./harness/disk.ts";
import { median } from "./harness/statistics.ts";
import { Agents } from "./sessions/agents.ts";
import { type Ceiling, startCeiling } from "./sessions/ceiling.ts";
import { type ProductVariant, startProduct } from "./sessions/product-variant.ts";
import { type Level, printReport, verdictOf } from "./sessions/report.ts";
import { type Round, runRound } from "./sessions/round.ts";
import { learnShapes, type Shapes } from "./sessions/shapes.ts";
import { watchProduct } from "./sessions/watch.ts";

const { values: options } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const LEVELS = [1, 50, 200];
const ROUNDS = options.quick ? 3 : 5;
const ROUND_MS = options.quick ? 1_500 : 5_000;
const WARM_UP_MS = options.quick ? 1_500 : 4_000;
const CANNON_SECONDS = options.quick ? 1 : 3;
const WATCH_MS = options.quick ? 1_000 : 2_000;
/** At one in flight a server would still be compiling when the rounds begin. */
const WARM_UP_IN_FLIGHT = 50;
/** Rounds begin to count when every lane is under way. */
const LEAD_MS = 500;
/** The session that shows what messages look like; rounds count up from 1. */
const PROBE = 999_999;

async function main(): Promise<number> {
  const folder = diskFolder();
  const agents = new Agents();
  await agents.open();
  try {
    const disk = writeThroughMs(folder);
    const levels: Level[] = [];
    for (const inFlight of LEVELS) levels.push(await runLevel(agents, folder, inFlight));
    const work = await watchProduct(agents, { folder, levels: LEVELS, ms: WATCH_MS });
    printReport({ levels, work, disk, rounds: ROUNDS, roundMs: ROUND_MS });
    const { text, code } = verdictOf(levels);
    console.log(text);
    return code;
  } finally {
    agents.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both variants on servers of their own, side by side: one is idle while the other is measured. */
async function runLevel(agents: Agents, folder: string, inFlight: number): Promise<Level> {
  const product = await startProduct(agents, { folder });
  const shapes = await learnShapes(agents, product, PROBE);
  const ceiling = await startCeiling(agents, shapes);
  for (const variant of [ceiling, product]) {
    await runRound(variant, { inFlight: Math.max(inFlight, WARM_UP_IN_FLIGHT), leadMs: 0, ms: WARM_UP_MS });
  }
  const level: Level = { inFlight, ceiling: [], product: [], cannon: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    level.ceiling.push(await measure(ceiling, inFlight));
    if (inFlight === LEVELS.at(-1)) level.cannon.push(await fireAt(ceiling, shapes, inFlight));
    level.product.push(await measure(product, inFlight));
    if (agents.problems.length > 0) throw new Error(agents.problems.slice(0, 5).join("\n"));
  }
  await Promise.all([ceiling.stop(), product.stop()]);
  const speed = (rounds: readonly Round[]): string => median(rounds.map((each) => each.sessionsPerSecond)).toFixed(0);
  console.error(`${inFlight} in flight: ceiling ${speed(level.ceiling)}, product ${speed(level.product)} sessions/s`);
  return level;
}

function measure(variant: Ceiling | ProductVariant, inFlight: number): Promise<Round> {
  return runRound(variant, { inFlight, leadMs: LEAD_MS, ms: ROUND_MS });
}

/**
 * Autocannon in this process, at the empty handler in the ceiling's process: the same two processes, as many connections,
 * and the same requests, since a POST with a key and a body costs both sides more than a bare GET.
 */
function fireAt({ empty }: Ceiling, { requests }: Shapes, connections: number): Promise<number> {
  const setupClient = (client: CannonClient): void => client.setRequests(requests.map(cannonRequest));
  return requestsPerSecond({ url: empty, connections, duration: CANNON_SECONDS, setupClient });
}

function cannonRequest({ method, path, headers, body }: Request): CannonRequest {
  const pairs = headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1] ?? ""] as const] : []));
  return { method, path, headers: Object.fromEntries(pairs), ...(body === null ? {} : { body }) };
}

process.exitCode = await main();
