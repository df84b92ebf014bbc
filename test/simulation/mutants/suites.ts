import { spawn } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plant, productFile } from "../../planting/planting.ts";
import type { NamedMutant } from "./named/named-mutant.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PRELOAD = join(import.meta.dirname, "preload.ts");
/** The tests of what mutants change, the quick ones first. */
const PLACES = [
  "packages/ops-core/src/domain/{agents,deliveries,sessions,tasks,workflows}/**/*.test.ts",
  "packages/ops-core/src/engine/**/*.test.ts",
  "packages/ops-core/src/store/**/*.test.ts",
];
const LIMIT_MS = 300_000;

/** Asks the product's own unit tests and suites about each bug, and prints which of them they miss. */
export async function missedBySuites(
  bugs: readonly NamedMutant[],
  folder: string,
  inParallel: (jobs: readonly (() => Promise<boolean>)[]) => Promise<boolean[]>,
): Promise<void> {
  const files = PLACES.flatMap((place) => globSync(place, { cwd: ROOT }).sort());
  const seen = await inParallel(
    bugs.map((bug) => async () => {
      const failed = await failedTest(bug, files, folder);
      console.log(`${failed === null ? "missed by the suites" : `seen by the suites (${failed})`}: ${bug.name}`);
      return failed !== null;
    }),
  );
  const missed = seen.filter((one) => !one).length;
  console.log(`suites    ${bugs.length} mutants: ${missed} missed, and so count; ${bugs.length - missed} seen`);
}

/** The first test that fails, or null. */
function failedTest(bug: NamedMutant, files: readonly string[], folder: string): Promise<string | null> {
  const sources = join(folder, `suites-${bug.name}.json`);
  writeFileSync(sources, JSON.stringify({ [bug.file]: plant(bug, readFileSync(productFile(bug.file), "utf8")) }));
  const options = ["--conditions=opspawn-source", "--import", PRELOAD, "--test", "--test-reporter=tap"];
  const child = spawn(process.execPath, [...options, "--test-concurrency=1", "--test-isolation=none", ...files], {
    cwd: ROOT,
    env: { ...process.env, OPSPAWN_MUTANT: sources, TMPDIR: folder, NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return new Promise((resolve) => {
    let output = "";
    const end = (failed: string | null): void => {
      clearTimeout(limit);
      child.kill("SIGKILL");
      resolve(failed);
    };
    const limit = setTimeout(() => end(`no end within ${LIMIT_MS / 1_000} s`), LIMIT_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const failed = /^ *not ok \d+ - (.*)$/m.exec(output);
      if (failed !== null) end(failed[1] ?? "a test");
      output = output.slice(Math.max(output.lastIndexOf("\n"), 0));
    });
    child.on("close", (code) => end(code === 0 ? null : `exit ${code}`));
  });
}
