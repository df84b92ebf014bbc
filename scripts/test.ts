// `npm test [-- PART_OF_A_PATH ...]`: the one gate. Style, types, lint, dead code and coverage are tests like the others
// (scripts/*.test.ts), so that node:test's closing summary is the whole verdict.

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { run } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { announceReport, COUNTING, isOfDomain, writeReport } from "./test-run/branch-coverage.ts";
import { fileReporter } from "./test-run/file-reporter.ts";
import { groupFiles } from "./test-run/groups.ts";
import { findTestFiles } from "./test-run/test-files.ts";

/** A test that takes longer hangs; without a limit the gate would too. */
const TEST_LIMIT_MS = 300_000;

/** Node cannot stop a file that spins; when this long nothing at all has been reported, the whole run ends. */
const SILENCE_LIMIT_MS = TEST_LIMIT_MS + 30_000;

/** Half of what a process with small tests does is to compile; counting goes without. */
function keepCompiledCode(): void {
  process.env.NODE_COMPILE_CACHE ??= path.join(root, "node_modules", ".cache", "opspawn-tests");
}

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
  const folder = mkdtempSync(path.join(tmpdir(), "opspawn-test-"));
  const names = new Map<string, string>();
  Readable.from(runAll(stopped.signal))
    .on("end", () => clearTimeout(silence))
    .compose(fileReporter(names))
    .pipe(process.stdout);

  /** The whole gate runs the domain's own tests first, and counts their branches while it does. */
  async function* runAll(signal: AbortSignal): AsyncGenerator<TestEvent> {
    try {
      if (filters.length > 0) {
        keepCompiledCode();
        return yield* runFiles(files, signal);
      }
      announceReport(path.join(folder, "coverage.json"));
      yield* runFiles(files.filter(isOfDomain), signal, COUNTING);
      keepCompiledCode();
      yield* runFiles(
        files.filter((file) => !isOfDomain(file)),
        signal,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  async function* runFiles(some: readonly string[], signal: AbortSignal, more = {}): AsyncGenerator<TestEvent> {
    const processes = groupFiles(root, some, folder);
    for (const { file, name } of processes) names.set(file, name);
    const stream = run({
      cwd: root,
      files: processes.map(({ file }) => file),
      concurrency: Math.max(2, availableParallelism()),
      timeout: TEST_LIMIT_MS,
      signal,
      ...more,
    });
    for await (const event of stream as AsyncIterable<TestEvent>) {
      silence.refresh();
      if (event.type === "test:fail") process.exitCode = 1;
      if (event.type === "test:coverage") writeReport(root, event.data.summary.files);
      yield event;
    }
  }
}
