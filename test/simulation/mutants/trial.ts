import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deathOf, runPlanted } from "./planted-process.ts";
import type { SeedReport } from "./seed-report.ts";

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
  const reports: SeedReport[] = [];
  const ended = await runPlanted({
    script: "seeds.ts",
    args: seeds.map(String),
    variables: { OPSPAWN_MUTANT: file, OPSPAWN_PROBES: JSON.stringify(probes), TMPDIR: folder },
    heap: 400,
    onLine: (line) => reports.push(JSON.parse(line) as SeedReport),
  });
  const failed = reports.find(({ words }) => words !== null);
  if (failed !== undefined) return { killed: { seed: failed.seed, words: failed.words ?? "" }, reports };
  const next = seeds[reports.length];
  if (next !== undefined) return { killed: { seed: next, words: deathOf(ended) }, reports };
  if (ended.code === 3) throw new Error(`nothing loads ${Object.keys(sources).join(", ")}`);
  return { killed: null, reports };
}
