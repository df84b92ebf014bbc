/**
 * `npm run chaos:smoke`: kills the server again and again while sessions run, then has a judge look for anything that was
 * lost or done twice. `--self-test` shows instead that the judge finds planted bugs. See README.md beside this file.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { diskFolder } from "../../benchmarks/harness/disk.ts";
import { shortcomingsOf, summaryOf } from "./bar.ts";
import { figureLines, invariantLines, killTable } from "./report.ts";
import type { Kill } from "./rig/killer.ts";
import { runRig } from "./rig/rig.ts";
import { selfTest, testBug } from "./self-test.ts";
import { type DurabilityReport, showDurability, whyNoTrace } from "./trace/show-durability.ts";
import { judgeFolder } from "./verdict.ts";

const { values: options } = parseArgs({
  options: {
    "self-test": { type: "boolean", default: false },
    /** The self-test with one of its bugs alone. */
    bug: { type: "string" },
    seed: { type: "string", default: "1" },
    kills: { type: "string", default: "50" },
    sessions: { type: "string", default: "200" },
    /** Leaves the data and logs of the run. */
    keep: { type: "boolean", default: false },
  },
});

const KILLS_WITHIN_MS = 330_000;
const DRAIN_MS = 90_000;
const TRACED_SESSIONS = 60;
const SEED = Number(options.seed);
const KILLS = Number(options.kills);
const SESSIONS = Number(options.sessions);

interface Verdict {
  readonly isGood: boolean;
  readonly text: string;
}

async function smoke(folder: string): Promise<Verdict> {
  console.log(`${KILLS} kills of the server while ${SESSIONS} sessions run, seed ${SEED}\n`);
  const failpoints = Math.ceil(KILLS / 2);
  const random = KILLS - failpoints;
  const plan = { random, failpoints, seed: SEED, sessions: SESSIONS, within: KILLS_WITHIN_MS, drain: DRAIN_MS };
  const run = await runRig({ folder: join(folder, "run"), ...plan, onKill: progress() });
  const verdict = await judgeFolder(join(folder, "run"), run.unfinished.length === 0);
  const trace = await traceOf(join(folder, "trace"));
  console.log(`${killTable(run.kills)}\n\n${figureLines(verdict, run.kills)}\n\n${invariantLines(verdict)}\n`);
  console.log(`${traceLine(trace)}\n`);
  const shortcomings = shortcomingsOf({ run, verdict, trace, wanted: { random, failpoints } });
  for (const shortcoming of shortcomings) console.log(`below the bar: ${shortcoming}`);
  return { isGood: shortcomings.length === 0, text: summaryOf(run, verdict) };
}

/** A life sign every ten kills, for whoever waits. */
function progress(): (kill: Kill) => void {
  let kills = 0;
  let counted = 0;
  return ({ counts }) => {
    kills += 1;
    counted += counts ? 1 : 0;
    if (kills % 10 === 0) console.error(`${kills} kills, ${counted} of them count`);
  };
}

async function traceOf(folder: string): Promise<DurabilityReport | string> {
  return whyNoTrace() ?? (await showDurability({ folder, sessions: TRACED_SESSIONS }));
}

function traceLine(trace: DurabilityReport | string): string {
  if (typeof trace === "string") return `System-call trace not shown: ${trace}.`;
  const { shown, syncs, findings } = trace;
  const seen = `System-call trace: ${shown} answers and deliveries left after the sync of their group (${syncs} syncs), `;
  return [`${seen}${findings.length} before it.`, ...findings.slice(0, 5).map((each) => `  ${each}`)].join("\n");
}

function chosen(folder: string): Promise<Verdict> {
  if (options.bug !== undefined) return testBug(options.bug, folder, SEED);
  return options["self-test"] ? selfTest(folder, SEED) : smoke(folder);
}

async function main(): Promise<number> {
  const begun = performance.now();
  const folder = diskFolder("opspawn-chaos-");
  const { isGood, text } = await chosen(folder);
  if (options.keep || !isGood) console.log(`Data and logs are in ${folder}`);
  else rmSync(folder, { recursive: true });
  console.log(`${isGood ? "PASS" : "FAIL"} (${Math.round((performance.now() - begun) / 1000)} s): ${text}`);
  return isGood ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
try {
  process.exitCode = await main();
} catch (error) {
  console.log(error);
  const [reason] = String(error).split("\n");
  console.log(`FAIL: the run came to no end: ${reason}`);
  process.exitCode = 1;
}
