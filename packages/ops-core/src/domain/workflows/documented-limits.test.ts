import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatDuration } from "@opspawn/contract";
import * as expressions from "../expressions/limits.ts";
import * as definitions from "./limits.ts";

/** Limits that are lengths of time, in microseconds. */
const DURATION = /^(TIMEOUT|SILENCE_TIMEOUT|DEADLINE|DELAY|WAIT|APPROVAL_TIMEOUT|REMIND_EVERY|RATE_PER)_/;

test("the documentation lists every limit by its name, with the value it has", () => {
  const page = readFileSync(new URL("../../../../../docs/workflows.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \|/gm)].map(([, name, value]) => [name, value]);
  const limits = Object.entries({ ...definitions, ...expressions }).map(([name, value]) => [name, shown(name, value)]);
  assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(limits));
  assert.equal(rows.length, limits.length, "each once");
});

function shown(name: string, value: number): string {
  return DURATION.test(name) ? formatDuration(value) : value.toLocaleString("en-US");
}
