/** Simulates one seed after another until one fails, and prints a line of JSON for each. Arguments: the seeds. */
import { writeSync } from "node:fs";
import { simulate } from "../scenario.ts";
import type { SeedReport } from "./seed-report.ts";

const MAX_WORDS = 160;
const seen = new Set<number>();
const wanted = new Map((JSON.parse(process.env.OPSPAWN_PROBES ?? "[]") as boolean[]).entries());

/** Called by sources with probes. */
Object.assign(globalThis, {
  opspawnPredicate: (index: number, value: unknown): unknown => {
    if (Boolean(value) === wanted.get(index)) seen.add(index);
    return value;
  },
});

for (const seed of process.argv.slice(2).map(Number)) {
  seen.clear();
  const { findings } = await simulate(seed);
  const words = findings.length === 0 ? null : wordsOf(findings[0]);
  const report: SeedReport = { seed, words, seen: [...seen] };
  writeSync(1, `${JSON.stringify(report)}\n`);
  if (words !== null) process.exit(1);
}

/** The first line of a finding. */
function wordsOf(finding = ""): string {
  const [line = ""] = finding.split("\n");
  const words = line || "failed without a word";
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)} ...` : words;
}
