import path from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

interface Failure {
  readonly where: string;
  readonly name: string;
  readonly error: Error;
}

interface Report {
  /** What to call a file that loads others. */
  readonly names: ReadonlyMap<string, string>;
  readonly failures: Failure[];
  /** What each file printed; of interest only if it fails. */
  readonly output: Map<string, string>;
  /** Of all runs there are: the files may come in several. */
  readonly summary: Map<string, number>;
}

/**
 * A line per file as it ends, then each failure in full, and node:test's own summary, added up, last: the verdict.
 * @param names of files that are better called something else
 */
export function fileReporter(names: ReadonlyMap<string, string> = new Map()) {
  return async function* (source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
    const report: Report = { names, failures: [], output: new Map(), summary: new Map() };
    for await (const event of source) {
      const line = record(report, event);
      if (line !== undefined) yield line;
    }
    for (const { where, name, error } of report.failures) {
      yield `\n✖ ${name}\n  at ${where}\n${indent(inspect(error))}\n`;
    }
    yield `\n${[...report.summary].map(([name, value]) => `ℹ ${name} ${value}\n`).join("")}`;
  };
}

/** @returns what to print at once */
function record(report: Report, event: TestEvent): string | undefined {
  switch (event.type) {
    case "test:stdout":
    case "test:stderr":
      report.output.set(event.data.file, (report.output.get(event.data.file) ?? "") + event.data.message);
      return undefined;
    case "test:diagnostic":
      // With a file it is a remark of a test, without one a line of the summary.
      if (event.data.file === undefined) addUp(report.summary, event.data.message);
      return undefined;
    case "test:fail": {
      const failure = failureOf(event.data);
      if (failure !== undefined) report.failures.push(failure);
      return undefined;
    }
    case "test:summary":
      return event.data.file === undefined ? undefined : describeFile(report, event.data.file, event.data);
    default:
      return undefined;
  }
}

/** @param line such as `pass 12`; others say nothing of the outcome */
function addUp(summary: Map<string, number>, line: string): void {
  const [, name, value] = /^(\w+) ([\d.]+)$/.exec(line) ?? [];
  if (name !== undefined) summary.set(name, (summary.get(name) ?? 0) + Number(value));
}

type FailData = Extract<TestEvent, { type: "test:fail" }>["data"];
type SummaryData = Extract<TestEvent, { type: "test:summary" }>["data"];

/** @returns undefined for a parent whose only fault is a child's failure, which is reported itself */
function failureOf({ name, file, line, column, details: { error } }: FailData): Failure | undefined {
  if ("failureType" in error && error.failureType === "subtestsFailed") return undefined;
  const where = file === undefined ? name : `${relative(file)}:${line ?? 1}:${column ?? 1}`;
  return { where, name, error: error.cause instanceof Error ? error.cause : error };
}

function describeFile(report: Report, file: string, { success, counts, duration_ms }: SummaryData): string {
  const seconds = (duration_ms / 1000).toFixed(1);
  const line = `${success ? "✔" : "✖"} ${report.names.get(file) ?? relative(file)} (${counts.tests} tests, ${seconds} s)\n`;
  return success ? line : line + indent(report.output.get(file) ?? "");
}

function relative(file: string): string {
  return path.relative(process.cwd(), file);
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
