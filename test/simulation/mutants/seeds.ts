/** Simulates one seed after another until one fails, and prints a line of JSON for each. Arguments: the seeds. */
import { AssertionError } from "node:assert/strict";
import { writeSync } from "node:fs";
import { simulate } from "../scenario.ts";
import type { SeedReport } from "./seed-report.ts";

const MAX_WORDS = 160;
const seen = new Set<number>();
const wanted = new Map((JSON.parse(process.env.OPSPAWN_PROBES ?? "[]") as boolean[]).entries());

/** Called by sources with probes. */
Object.assign(globalThis, {
  opspawnProbe: (index: number, value: unknown): unknown => {
    if (Boolean(value) === wanted.get(index)) seen.add(index);
    return value;
  },
});

for (const seed of process.argv.slice(2).map(Number)) {
  seen.clear();
  const words = await simulate(seed).then(() => null, wordsOf);
  const report: SeedReport = { seed, words, seen: [...seen] };
  writeSync(1, `${JSON.stringify(report)}\n`);
  if (words !== null) process.exit(1);
}

/** What an error says in a line: of a list that should be empty, its first entry. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const { actual, generatedMessage } =
    error instanceof AssertionError ? error : { actual: null, generatedMessage: false };
  const first: unknown = generatedMessage && Array.isArray(actual) && actual.length > 0 ? actual[0] : undefined;
  const [line = ""] = (typeof first === "string" ? first : error.message).split("\n");
  const words = `${error.name === "AssertionError" ? "" : `${error.name}: `}${line}` || "failed without a word";
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)} ...` : words;
}
