/**
 * `npm run simulate`: fresh seeds, one after another. `-- --seeds N` so many (default 100), `--from S` from this one on,
 * `--seed S` one again, with its story. The verdict is the last line; exits 1 when a seed found something.
 */
import { parseArgs } from "node:util";
import { simulate, type Told } from "./scenario.ts";

const MAX_SEED = 2 ** 31;
const HOUR_MS = 3_600_000;

const { values } = parseArgs({
  options: { seeds: { type: "string" }, from: { type: "string" }, seed: { type: "string" } },
});

process.exitCode = (await (values.seed === undefined ? runMany() : replay(whole(values.seed, "--seed")))) ? 0 : 1;

async function replay(seed: number): Promise<boolean> {
  const told = await simulate(seed);
  print(["", ...told.tale, "", ...faultsOf([told])]);
  return conclude([told], []);
}

async function runMany(): Promise<boolean> {
  const count = whole(values.seeds ?? "100", "--seeds");
  const from = values.from === undefined ? Math.floor(Math.random() * MAX_SEED) : whole(values.from, "--from");
  print([`${count} seeds from ${from}`]);
  const all: Told[] = [];
  const failed: number[] = [];
  const begun = performance.now();
  for (let seed = from; seed < from + count; seed += 1) {
    const told = await simulate(seed);
    // What it tells is long, and only that of a failed one is of interest.
    all.push({ ...told, events: [], tale: [] });
    if (told.findings.length === 0) continue;
    failed.push(seed);
    print(["", `seed ${seed}:`, ...told.story, ...told.findings.map((finding) => `  ${finding}`)]);
    print([`again, with its whole story: npm run simulate -- --seed ${seed}`]);
  }
  const seconds = (performance.now() - begun) / 1_000;
  const simulated = sum(all.map((told) => told.simulated));
  print(["", ...faultsOf(all), ""]);
  print([
    `${(simulated / HOUR_MS).toFixed(1)} h simulated in ${seconds.toFixed(0)} s: ${(count / seconds).toFixed(1)} seeds/s, ` +
      `${(simulated / 1_000 / seconds).toFixed(0)} s of simulated time per second`,
  ]);
  return conclude(all, failed);
}

function conclude(all: readonly Told[], failed: readonly number[]): boolean {
  const findings = all.flatMap((told) => told.findings);
  const passed = findings.length === 0;
  const kills = sum(
    all.flatMap(({ faults }) => [...faults].map(([name, n]) => (name.startsWith("killed at") ? n : 0))),
  );
  const sessions = sum(all.map((told) => told.sessions));
  const tasks = sum(all.map((told) => told.tasks));
  const world = `${all.length} seeds, ${sessions} sessions, ${tasks} tasks, ${kills} deaths of the server`;
  print(passed ? [`PASS: ${world}; nothing found`] : findings.map((finding) => `  ${finding}`).slice(0, 20));
  if (!passed) print([`FAIL: ${world}; seeds ${failed.join(", ") || all[0]?.seed} found ${findings.length} things`]);
  return passed;
}

function faultsOf(all: readonly Told[]): string[] {
  const faults = new Map<string, number>();
  for (const told of all) for (const [name, n] of told.faults) faults.set(name, (faults.get(name) ?? 0) + n);
  return [...faults].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, n]) => `${String(n).padStart(8)}  ${name}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

function whole(text: string, option: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  process.stderr.write(`${option} takes a whole number, not ${text}\n`);
  process.exit(2);
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}
