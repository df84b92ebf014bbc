/**
 * What storing a state report costs: reports per second of the product against the same server storing nothing, in
 * alternating rounds of one run; then the memory of a server that has nothing to do. See README.md beside this file.
 *
 * Exits 1 when the product is below a bar. `--quick` takes shorter and fewer rounds, for development.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { diskFolder } from "./harness/disk.ts";
import { cpuSeconds, residentBytes } from "./harness/process-usage.ts";
import { Product } from "./harness/product.ts";
import { median } from "./harness/statistics.ts";
import { figure, table } from "./harness/table.ts";
import { Fleet } from "./state/fleet.ts";

const { values: options } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const AGENTS = 64;
const ROUNDS = options.quick ? 3 : 5;
const SECONDS = options.quick ? 2 : 5;
const WARM_UP_SECONDS = options.quick ? 2 : 5;
const IDLE_MS = 10_000;
const RATIO_BAR = 0.4;
const MEMORY_BAR_MB = 150;
const STORE_NOTHING = join(import.meta.dirname, "state/store-nothing.ts");

interface Round {
  readonly perSecond: number;
  /** Microseconds of processor time of the server per report. */
  readonly cpu: number;
}

/** A server and what its rounds brought. */
class Variant {
  readonly name: string;
  readonly product: Product;
  readonly rounds: Round[] = [];
  readonly #fleet: Fleet;

  constructor(name: string, product: Product, fleet: Fleet) {
    this.name = name;
    this.product = product;
    this.#fleet = fleet;
  }

  static async start(name: string, folder: string, nodeOptions: readonly string[]): Promise<Variant> {
    const product = await Product.start({ folder, nodeOptions });
    const variant = new Variant(name, product, await Fleet.register(product, AGENTS));
    await variant.#fleet.report(WARM_UP_SECONDS);
    return variant;
  }

  async measure(): Promise<void> {
    const cpu = cpuSeconds(this.product.pid);
    const perSecond = await this.#fleet.report(SECONDS);
    this.rounds.push({ perSecond, cpu: ((cpuSeconds(this.product.pid) - cpu) * 1e6) / (perSecond * SECONDS) });
  }

  keptReports(): Promise<number> {
    return this.#fleet.kept();
  }

  get(name: keyof Round): number {
    return median(this.rounds.map((round) => round[name]));
  }
}

async function measureReports(folder: string): Promise<number> {
  const unstored = await Variant.start("storing nothing", folder, ["--import", STORE_NOTHING]);
  const product = await Variant.start("product", folder, []);
  for (let round = 0; round < ROUNDS; round += 1) {
    await unstored.measure();
    await product.measure();
  }
  if ((await unstored.keptReports()) !== 0) throw new Error("the server that stores nothing has stored reports");
  if ((await product.keptReports()) === 0) throw new Error("the product has stored no reports");
  await Promise.all([unstored.product.stop(), product.product.stop()]);
  const rows = [unstored, product].map((each) => [each.name, figure(each.get("perSecond")), figure(each.get("cpu"))]);
  console.log(`State reports of ${AGENTS} agents; medians of ${ROUNDS} alternating rounds of ${SECONDS} s.\n`);
  console.log(`${table([["variant", "reports/s", "server CPU us/report"], ...rows])}\n`);
  return product.get("perSecond") / unstored.get("perSecond");
}

/** Megabytes that a new server holds in RAM when nobody has asked it for anything. */
async function measureIdleMemory(folder: string): Promise<number> {
  const product = await Product.start({ folder });
  await delay(IDLE_MS);
  const bytes = residentBytes(product.pid);
  await product.stop();
  return bytes / 1_048_576;
}

async function main(): Promise<number> {
  const folder = diskFolder();
  try {
    const ratio = await measureReports(folder);
    const memory = await measureIdleMemory(folder);
    const passed = ratio >= RATIO_BAR && memory <= MEMORY_BAR_MB;
    const bars = `(bar ${RATIO_BAR.toFixed(2)}), idle server ${memory.toFixed(0)} MB (bar ${MEMORY_BAR_MB})`;
    console.log(`ratio ${ratio.toFixed(2)} ${bars}: ${passed ? "PASS" : "FAIL"}`);
    return passed ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
