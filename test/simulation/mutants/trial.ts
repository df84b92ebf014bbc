import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SeedReport } from "./seed-report.ts";

/** Milliseconds a seed may take; an honest one takes less than two seconds, under load some more. */
const SEED_LIMIT_MS = 60_000;
const PRELOAD = join(import.meta.dirname, "preload.ts");
const SEEDS = join(import.meta.dirname, "seeds.ts");

export interface Trial {
  /** What replaces the product's own, by file below packages/ops-core/src. */
  readonly sources: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  /** Where the processes of this run keep their data; the caller removes it. */
  readonly folder: string;
  /** Which value each probe looks for. */
  readonly probes?: readonly boolean[];
}

/** How a mutant died: in which seed and of what; null = it did not. */
export interface Verdict {
  readonly killed: { readonly seed: number; readonly words: string } | null;
  readonly reports: readonly SeedReport[];
}

let trials = 0;

/**
 * Runs seeds in a process of their own that has other sources. A process that crashes, hangs or stops in the middle has
 * failed in the seed it was at.
 * @throws Error when the process never loaded what was replaced
 */
export async function runTrial({ sources, seeds, folder, probes = [] }: Trial): Promise<Verdict> {
  trials += 1;
  const file = join(folder, `sources-${trials}.json`);
  writeFileSync(file, JSON.stringify(sources));
  const { code, lines, errors, hung } = await run(seeds, {
    OPSPAWN_MUTANT: file,
    OPSPAWN_PROBES: JSON.stringify(probes),
    TMPDIR: folder,
  });
  const reports = lines.map((line) => JSON.parse(line) as SeedReport);
  const failed = reports.find(({ words }) => words !== null);
  if (failed !== undefined) return { killed: { seed: failed.seed, words: failed.words ?? "" }, reports };
  const next = seeds[reports.length];
  if (next !== undefined) return { killed: { seed: next, words: deathOf(code, errors, hung) }, reports };
  if (code === 3) throw new Error(`nothing loads ${Object.keys(sources).join(", ")}`);
  return { killed: null, reports };
}

function deathOf(code: number | null, errors: string, hung: boolean): string {
  if (hung) return `no end within ${SEED_LIMIT_MS / 1_000} s`;
  if (code === 13) return "stopped: nothing was left that could happen";
  const line = errors.split("\n").find((each) => /Error|FATAL/.test(each)) ?? errors.split("\n")[0];
  return `crashed: ${line?.trim() || `exit ${code}`}`;
}

interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
  readonly hung: boolean;
}

function run(seeds: readonly number[], variables: Record<string, string>): Promise<Ended> {
  const options = ["--conditions=opspawn-source", "--max-old-space-size=400", "--import", PRELOAD, SEEDS];
  const child = spawn(process.execPath, [...options, ...seeds.map(String)], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve) => {
    let [output, errors, hung] = ["", "", false];
    const limit = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, SEED_LIMIT_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      limit.refresh();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += errors.length < 20_000 ? text : "";
    });
    child.on("close", (code) => {
      clearTimeout(limit);
      resolve({ code, lines: output.split("\n").slice(0, -1), errors, hung });
    });
  });
}
