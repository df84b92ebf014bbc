import { globSync } from "node:fs";
import path from "node:path";

/** In this order they run, the long ones first, so that the last minute is not spent waiting for one of them. */
const PLACES = [
  "test/e2e/**/*.test.ts",
  "test/simulation/*.test.ts",
  "packages/ops-core/src/store/sqlite/{store,store-on-disk}.test.ts",
  "scripts/**/*.test.ts",
  "test/conformance/**/*.test.ts",
  "packages/*/src/**/*.test.ts",
  "{examples,benchmarks,test}/**/*.test.ts",
];

/**
 * @param filters parts of paths; none means all
 * @returns paths from the root, each once
 */
export function findTestFiles(root: string, filters: readonly string[]): string[] {
  const files = PLACES.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ["**/node_modules/**"] }).sort());
  const slashed = files.map((file) => file.split(path.sep).join("/"));
  const wanted = (file: string): boolean => filters.length === 0 || filters.some((part) => file.includes(part));
  return [...new Set(slashed)].filter(wanted);
}
