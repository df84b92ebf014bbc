/**
 * What the language costs as it grows: items of a list, steps of a session, sessions that wait. See README.md beside this
 * file. Exits 1 when the product is below a bar. `--quick` takes smaller numbers, for development.
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { diskFolder } from "./harness/disk.ts";
import { Product } from "./harness/product.ts";
import { figure, table } from "./harness/table.ts";
import { AnsweringAgent } from "./language/answering-agent.ts";
import { measureItems } from "./language/items.ts";
import { measureSteps } from "./language/steps.ts";
import { measureWaiting } from "./language/waiting.ts";

const { values: options } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const ITEMS = 10_000;
const ITEM_RUNS = options.quick ? 1 : 3;
const STEP_ROUNDS = options.quick ? 1 : 5;
const LENGTHS = [10, 100, 1_000];
const WAITING = options.quick ? 5_000 : 100_000;

const ITEM_RATIO_BAR = 1.3;
const STEP_RATIO_BAR = 1.3;
const MEMORY_BAR_MB = 100;
const START_UP_BAR_MS = 3_000;
const LATE_BAR_MS = 1_000;

/** What is wrong with the figures; nothing, when all bars are reached. */
const failures: string[] = [];

function hold(isHeld: boolean, what: string): void {
  if (!isHeld) failures.push(what);
}

async function measureGrowth(folder: string): Promise<void> {
  const product = await Product.start({ folder });
  const agent = await AnsweringAgent.open();
  try {
    await agent.workFor(product);
    const items = await measureItems(product, agent, ITEMS, ITEM_RUNS);
    console.log(`A forEach of ${figure(ITEMS)} items; medians of ${ITEM_RUNS} runs.\n`);
    const rows = [
      ["first thousand, ms", figure(items.first)],
      ["last thousand, ms", figure(items.last)],
      ["server CPU us/item", figure(items.cpuPerItem)],
      ["memory grown, MB", figure(items.grown)],
    ];
    console.log(`${table([["", ""], ...rows])}\n`);
    hold(items.ratio <= ITEM_RATIO_BAR, `last thousand ${items.ratio.toFixed(2)} x the first (bar ${ITEM_RATIO_BAR})`);
    hold(items.grown <= MEMORY_BAR_MB, `${items.grown.toFixed(0)} MB for lists (bar ${MEMORY_BAR_MB})`);
    const steps = await measureSteps(product, LENGTHS, STEP_ROUNDS);
    console.log(`Sessions of ${LENGTHS.join(", ")} steps; medians of ${STEP_ROUNDS} alternating rounds.\n`);
    console.log(
      `${table([["steps", "server CPU us/step"], ...[...steps].map(([length, us]) => [figure(length), figure(us)])])}\n`,
    );
    const ratio = (steps.get(1_000) ?? Number.NaN) / (steps.get(10) ?? Number.NaN);
    hold(
      ratio <= STEP_RATIO_BAR,
      `a step among 1,000 costs ${ratio.toFixed(2)} x one among 10 (bar ${STEP_RATIO_BAR})`,
    );
  } finally {
    agent.close();
    await product.stop();
  }
}

async function measurePatience(folder: string): Promise<void> {
  const waiting = await measureWaiting(folder, WAITING);
  const { warm, grown, startUp, latest, earliest, due, once } = waiting;
  console.log(`${figure(WAITING)} sessions wait for a time or a decision; then the server is killed.\n`);
  const rows = [
    ["memory before, MB", figure(warm)],
    ["memory grown, MB", figure(grown)],
    ["start-up, ms", figure(startUp)],
    ["timers due", figure(due)],
    ["fired once", figure(once)],
    ["latest, ms", figure(latest)],
    ["earliest, ms", figure(earliest)],
  ];
  console.log(`${table([["", ""], ...rows])}\n`);
  hold(grown < MEMORY_BAR_MB, `${grown.toFixed(0)} MB for sessions that wait (bar ${MEMORY_BAR_MB})`);
  hold(startUp <= START_UP_BAR_MS, `start-up ${startUp.toFixed(0)} ms (bar ${START_UP_BAR_MS})`);
  hold(once === due, `${due - once} timers did not fire once`);
  hold(earliest >= 0, `a timer was ${-earliest} ms early`);
  hold(latest <= LATE_BAR_MS, `a timer was ${latest} ms late (bar ${LATE_BAR_MS})`);
}

async function main(): Promise<number> {
  const folder = diskFolder();
  try {
    await measureGrowth(folder);
    await measurePatience(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(failures.length === 0 ? "PASS" : `FAIL: ${failures.join("; ")}`);
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();
