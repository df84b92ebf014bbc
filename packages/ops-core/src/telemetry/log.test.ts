import assert from "node:assert/strict";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { LogFields } from "../domain/log.ts";
import { createLog, createLogger, type LogLevel, logFrom } from "./log.ts";

function linesOf(level: LogLevel, write: (log: ReturnType<typeof logFrom>) => void): LogFields[] {
  const lines: string[] = [];
  const clock = { now: () => 1_700_000_000_123_456 };
  write(logFrom(createLogger({ level, clock }, { write: (line) => lines.push(line) })));
  return lines.map((line) => JSON.parse(line) as LogFields);
}

test("a line is one JSON object with the level's name, the time, the fields and the message", () => {
  const [line] = linesOf("info", (log) => log.info({ requestId: "r1", status: 202 }, "request"));
  assert.deepEqual(line, {
    level: "info",
    timestamp: "2023-11-14T22:13:20.123456Z",
    name: "opspawn",
    requestId: "r1",
    status: 202,
    message: "request",
  });
});

test("lines of plain fields are written as any others, and what is delicate is taken out of them too", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "log");
  const fd = openSync(path, "w");
  const clock = { now: () => 1_700_000_000_123_456 };
  const log = createLog({ level: "info", clock, fd, timers: { now: () => 0, set: () => () => undefined } });
  const fields = { path: '/a"b\n', status: 202, ms: 0.5, isLate: false, operation: undefined, none: null };
  log.info(fields, "request");
  log.info({ nested: { deep: 1 } }, "request");
  log.info({ token: "planted-secret" }, "request");
  log.flush();
  const written = readFileSync(path, "utf8");
  const [plain, nested, delicate] = written
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LogFields);
  const [expected] = linesOf("info", (general) => general.info(fields, "request"));
  assert.deepEqual(plain, expected);
  assert.deepEqual(Object.keys(plain ?? {}), Object.keys(expected ?? {}));
  assert.deepEqual(nested?.nested, { deep: 1 });
  assert.equal(delicate?.token, "[redacted]");
});

test("lines below the level are not written", () => {
  const lines = linesOf("warn", (log) => {
    log.debug({}, "a");
    log.info({}, "b");
    log.warn({}, "c");
    log.error({}, "d");
  });
  assert.deepEqual(
    lines.map((line) => line.message),
    ["c", "d"],
  );
});

test("credentials that slip into a line are not printed", () => {
  const planted = "planted-secret";
  const fields = {
    authorization: planted,
    token: planted,
    secret: planted,
    key: planted,
    agentKey: planted,
    body: { any: planted },
    headers: { authorization: planted, cookie: planted, "x-agent-key": planted, accept: "json" },
    opspawn: { token: planted, attempt: 1 },
  };
  const [line] = linesOf("info", (log) => log.info(fields, "request"));
  assert.ok(!JSON.stringify(line).includes(planted));
  assert.deepEqual(line?.opspawn, { token: "[redacted]", attempt: 1 });
});

test("an error is written with its stack and its cause", () => {
  const err = new Error("outer", { cause: new Error("inner") });
  const [line] = linesOf("error", (log) => log.error({ err }, "failed"));
  const written = line?.err as { stack: string; message: string };
  assert.match(written.stack, /outer[\s\S]*inner/);
});

test("a line waits at most a tenth of a second for others, and a full block waits no longer", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const waiting = new Set<number>();
  const set = (ms: number) => {
    waiting.add(ms);
    return () => void waiting.delete(ms);
  };
  const fd = openSync(join(folder, "log"), "w");
  const log = createLog({ level: "info", clock: { now: () => 0 }, fd, timers: { now: () => 0, set } });
  log.info({}, "first");
  assert.deepEqual([...waiting], [100]);
  log.info({ block: "x".repeat(8_192) }, "block");
  assert.deepEqual([...waiting], []);
  log.flush();
});
