import assert from "node:assert/strict";
import path from "node:path";
import { it } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { fileReporter } from "./file-reporter.ts";

const good = path.resolve("good.test.ts");
const bad = path.resolve("bad.test.ts");
const group = path.resolve("group.mjs");

function event(type: TestEvent["type"], data: object): TestEvent {
  return { type, data } as TestEvent;
}

function fileEnd(file: string | undefined, success: boolean, tests: number): TestEvent {
  return event("test:summary", { file, success, counts: { tests }, duration_ms: 1500 });
}

function fault(cause: unknown, failureType = "testCodeFailure"): Error {
  return Object.assign(new Error("wrapped", { cause }), { failureType });
}

/** What the reporter prints for these events, as node:test sends them. */
async function report(...events: TestEvent[]): Promise<string> {
  const source = (async function* () {
    yield* events;
  })();
  return (await Array.fromAsync(fileReporter(new Map([[group, "two files"]]))(source))).join("");
}

it("prints a line per file, and node:test's summary last", async () => {
  const text = await report(
    event("test:stdout", { file: good, message: "chatter\n" }),
    fileEnd(good, true, 3),
    event("test:diagnostic", { message: "tests 3" }),
    event("test:diagnostic", { message: "fail 0" }),
    fileEnd(undefined, true, 3),
  );
  assert.equal(text, "✔ good.test.ts (3 tests, 1.5 s)\n\nℹ tests 3\nℹ fail 0\n");
});

it("calls files that load others by what they load", async () => {
  assert.equal(await report(fileEnd(group, true, 3)), "✔ two files (3 tests, 1.5 s)\n\n");
});

it("adds the summaries of several runs up", async () => {
  const run = [
    event("test:diagnostic", { message: "tests 3" }),
    event("test:diagnostic", { message: "duration_ms 1.5" }),
  ];
  assert.equal(await report(...run, ...run), "\nℹ tests 6\nℹ duration_ms 3\n");
});

it("prints each failure with its place and cause, and what its file wrote", async () => {
  const text = await report(
    event("test:stderr", { file: bad, message: "a warning\n" }),
    event("test:fail", {
      name: "holds",
      file: bad,
      line: 7,
      column: 1,
      details: { error: fault(new Error("broken")) },
    }),
    event("test:fail", { name: "suite", file: bad, details: { error: fault("1 subtest failed", "subtestsFailed") } }),
    fileEnd(bad, false, 1),
    event("test:diagnostic", { message: "fail 1" }),
  );
  assert.match(text, /^✖ bad\.test\.ts \(1 tests, 1\.5 s\)\n {2}a warning\n/);
  assert.match(text, /✖ holds\n {2}at bad\.test\.ts:7:1\n {2}Error: broken\n/);
  assert.doesNotMatch(text, /suite/);
  assert.match(text, /ℹ fail 1\n$/);
});

it("prints the failure of a file that ended early", async () => {
  const error = fault("test failed", "testCodeFailure");
  const text = await report(event("test:fail", { name: bad, file: bad, details: { error } }));
  assert.match(text, /at bad\.test\.ts:1:1\n {2}Error: wrapped/);
});
