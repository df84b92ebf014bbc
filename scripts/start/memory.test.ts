import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { recall, remember } from "./memory.ts";

describe("what one start remembers for the next", () => {
  let data: string;

  beforeEach(async () => {
    data = await mkdtemp(path.join(tmpdir(), "memory-"));
  });

  afterEach(() => rm(data, { recursive: true }));

  test("ports come back as they were", () => {
    remember(data, { port: 8001, agents: { analyst: 40123 } });
    assert.deepEqual(recall(data), { port: 8001, agents: { analyst: 40123 } });
  });

  test("a file that is missing, damaged or odd says nothing", async () => {
    assert.deepEqual(recall(data), { port: null, agents: {} });
    for (const text of ["", "{", "null", "[]", '{"port":"8000","agents":{"a":-1,"b":70000,"c":1.5}}', '{"agents":7}']) {
      await writeFile(path.join(data, "start.json"), text);
      assert.deepEqual(recall(data), { port: null, agents: {} }, text);
    }
  });
});
