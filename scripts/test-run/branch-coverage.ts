import { globSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { runNode } from "./tool.ts";

const DOMAIN = "packages/ops-core/src/domain";

/** The least share of branches that tests must take. */
export const BRANCH_BAR = 0.95;

export interface FileCoverage {
  readonly file: string;
  readonly branches: number;
  readonly taken: number;
  /** Lines with a branch that no test takes. */
  readonly missed: readonly number[];
}

/** Runs the domain's own tests and counts branches: of every file with code, also of those that no test loads. */
export async function domainCoverage(root: string): Promise<FileCoverage[]> {
  const tests = globSync(`${DOMAIN}/**/*.test.ts`, { cwd: root });
  const { code, output } = await runNode([
    "--test",
    "--experimental-test-coverage",
    `--test-coverage-include=${DOMAIN}/**/*.ts`,
    "--test-coverage-exclude=**/*.test.ts",
    "--test-reporter=lcov",
    "--test-reporter-destination=stdout",
    ...tests,
  ]);
  if (code !== 0)
    throw new Error("The domain's own tests fail; coverage counts once they pass. Run: npm test -- src/domain");
  const measured = new Map(parseLcov(output).map((coverage) => [coverage.file, coverage]));
  const coverage: FileCoverage[] = [];
  for (const found of globSync(`${DOMAIN}/**/*.ts`, { cwd: root }).sort()) {
    const file = found.split(path.sep).join("/");
    if (file.endsWith(".test.ts") || !(await hasCode(path.join(root, file)))) continue;
    coverage.push(measured.get(file) ?? { file, branches: 1, taken: 0, missed: [1] });
  }
  return coverage;
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

export function parseLcov(report: string): FileCoverage[] {
  return report
    .split("end_of_record")
    .filter((record) => record.includes("SF:"))
    .map((record) => {
      const branches = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(\d+|-)$/gm)];
      const missed = branches.filter(([, , count]) => count === "0" || count === "-").map(([, line]) => Number(line));
      return {
        file: (/^SF:(.+)$/m.exec(record)?.[1] ?? "").split(path.sep).join("/"),
        branches: branches.length,
        taken: branches.length - missed.length,
        missed: [...new Set(missed)].sort((a, b) => a - b),
      };
    });
}

/** Files of interfaces and types export nothing once Node has stripped them; domain modules do nothing but export. */
async function hasCode(file: string): Promise<boolean> {
  return Object.keys(await import(pathToFileURL(file).href)).length > 0;
}
