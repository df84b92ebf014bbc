import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isAlive, recall, remember } from "./memory.ts";

describe("what one start remembers for the next", () => {
  let data: string;

  beforeEach(async () => {
    data = await mkdtemp(path.join(tmpdir(), "memory-"));
  });

  afterEach(() => rm(data, { recursive: true }));

  test("ports come back as they were", () => {
    const memory = { port: 8001, platform: 77, starter: 76, agents: { analyst: 40123 } };
    remember(data, memory);
    assert.deepEqual(recall(data), memory);
  });

  test("a file that is missing, damaged or odd says nothing", async () => {
    const nothing = { port: null, platform: null, starter: null, agents: {} };
    assert.deepEqual(recall(data), nothing);
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      '{"port":"8000","agents":{"a":-1,"b":70000,"c":1.5}}',
      '{"agents":7,"platform":-1,"starter":"1"}',
    ]) {
      await writeFile(path.join(data, "start.json"), text);
      assert.deepEqual(recall(data), nothing, text);
    }
  });
});

test("a process is alive, or it is not", () => {
  assert.deepEqual([isAlive(process.pid), isAlive(null), isAlive(2 ** 30)], [true, false, false]);
});
