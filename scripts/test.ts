// `npm test [-- PART_OF_A_PATH ...]`: the one gate. Style, types, lint, dead code and coverage are tests like the others
// (scripts/*.test.ts), so that node:test's closing summary is the whole verdict.

import { availableParallelism } from "node:os";
import path from "node:path";
import { run } from "node:test";
import { fileReporter } from "./test-run/file-reporter.ts";
import { findTestFiles } from "./test-run/test-files.ts";

/** A test that takes longer hangs; without a limit the gate would too. */
const TEST_LIMIT_MS = 300_000;

/** Node cannot stop a file that spins; when this long nothing at all has been reported, the whole run ends. */
const SILENCE_LIMIT_MS = TEST_LIMIT_MS + 30_000;

const root = path.dirname(import.meta.dirname);
const filters = process.argv.slice(2);
const files = findTestFiles(root, filters);

if (files.length === 0) {
  console.error(`No test file's path contains ${filters.map((part) => `"${part}"`).join(" or ")}.`);
  process.exitCode = 1;
} else {
  const stopped = new AbortController();
  const stop = (reason: string): void => {
    console.error(`Stopping the tests: ${reason}`);
    process.exitCode = 1;
    stopped.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop(signal));
  const silence = setTimeout(() => stop(`nothing reported for ${SILENCE_LIMIT_MS / 1000} s`), SILENCE_LIMIT_MS);
  run({
    cwd: root,
    files: files.map((file) => path.join(root, file)),
    concurrency: Math.max(2, availableParallelism()),
    timeout: TEST_LIMIT_MS,
    signal: stopped.signal,
  })
    .on("data", () => silence.refresh())
    .on("test:fail", () => {
      process.exitCode = 1;
    })
    .on("end", () => clearTimeout(silence))
    .compose(fileReporter)
    .pipe(process.stdout);
}
