import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { pathToFileURL } from "node:url";

const DOMAIN = "packages/ops-core/src/domain";

/** The environment variable that names the file in which the run this one is part of leaves what it counted. */
const REPORT = "OPSPAWN_COVERAGE_REPORT";

/** The least share of branches that tests must take. */
export const BRANCH_BAR = 0.95;

/** Options of `run` that make it count the branches of the domain. */
export const COUNTING = {
  coverage: true,
  coverageIncludeGlobs: [`${DOMAIN}/**/*.ts`],
  coverageExcludeGlobs: ["**/*.test.ts"],
};

export interface FileCoverage {
  readonly file: string;
  readonly branches: number;
  readonly taken: number;
  /** Lines with a branch that no test takes. */
  readonly missed: readonly number[];
}

type Counted = Extract<TestEvent, { type: "test:coverage" }>["data"]["summary"]["files"];

/** Whether a test is one of those that count for the coverage of the domain. @param file its path from the root */
export function isOfDomain(file: string): boolean {
  return file.startsWith(`${DOMAIN}/`);
}

/** Tells the tests that this process starts from now on where they find what was counted. */
export function announceReport(file: string): void {
  process.env[REPORT] = file;
}

export function writeReport(root: string, counted: Counted): void {
  const file = process.env[REPORT];
  if (file !== undefined) writeFileSync(file, JSON.stringify(fileCoverage(root, counted)));
}

/** The branches of every file of the domain with code, also of those that no test loads. */
export async function domainCoverage(root: string): Promise<FileCoverage[]> {
  const report = process.env[REPORT];
  const counted =
    report !== undefined && existsSync(report)
      ? (JSON.parse(readFileSync(report, "utf8")) as FileCoverage[])
      : await countBranches(root);
  const measured = new Map(counted.map((coverage) => [coverage.file, coverage]));
  const coverage: FileCoverage[] = [];
  for (const found of globSync(`${DOMAIN}/**/*.ts`, { cwd: root }).sort()) {
    const file = found.split(path.sep).join("/");
    if (file.endsWith(".test.ts") || !(await hasCode(path.join(root, file)))) continue;
    coverage.push(measured.get(file) ?? { file, branches: 1, taken: 0, missed: [1] });
  }
  return coverage;
}

/** Runs the domain's own tests. */
async function countBranches(root: string): Promise<FileCoverage[]> {
  const files = globSync(`${DOMAIN}/**/*.test.ts`, { cwd: root }).map((file) => path.join(root, file));
  let counted: Counted = [];
  for await (const event of run({ cwd: root, files, concurrency: true, ...COUNTING }) as AsyncIterable<TestEvent>) {
    if (event.type === "test:coverage") counted = event.data.summary.files;
    if (event.type !== "test:fail") continue;
    throw new Error("The domain's own tests fail; coverage counts once they pass. Run: npm test -- src/domain");
  }
  return fileCoverage(root, counted);
}

export function fileCoverage(root: string, counted: Counted): FileCoverage[] {
  return counted.map(({ path: file, branches }) => {
    const missed = branches.filter(({ count }) => count === 0).map(({ line }) => line);
    return {
      file: path.relative(root, file).split(path.sep).join("/"),
      branches: branches.length,
      taken: branches.length - missed.length,
      missed: [...new Set(missed)].sort((a, b) => a - b),
    };
  });
}

/** The share of branches taken, 0 to 1. */
export function shareTaken(files: readonly FileCoverage[]): number {
  const branches = files.reduce((sum, file) => sum + file.branches, 0);
  const taken = files.reduce((sum, file) => sum + file.taken, 0);
  return branches === 0 ? 1 : taken / branches;
}

/** The files with branches that no test takes, one line each. */
export function describeMissed(files: readonly FileCoverage[]): string {
  return files
    .filter(({ branches, taken }) => taken < branches)
    .map(({ file, branches, taken, missed }) => `${file}: ${taken} of ${branches}, missed at ${missed.join(", ")}`)
    .join("\n");
}

/** Files of interfaces and types export nothing once Node has stripped them; domain modules do nothing but export. */
async function hasCode(file: string): Promise<boolean> {
  return Object.keys(await import(pathToFileURL(file).href)).length > 0;
}
