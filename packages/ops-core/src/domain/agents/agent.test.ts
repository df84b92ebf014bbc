import assert from "node:assert/strict";
import { test } from "node:test";
import { declaredConcurrency, type EvidenceClass, isStronger } from "./agent.ts";

test("an agent of the originals says how much it can do at once in its metadata", () => {
  assert.equal(declaredConcurrency({ config: { maxConcurrency: 7 } }, 1), 7);
  assert.equal(declaredConcurrency({ config: { maxConcurrency: 1e9 } }, 1), 1_000);
});

test("what it says otherwise is no number of slots", () => {
  const values = [0, -1, 1.5, "3", null, true, [3]];
  for (const maxConcurrency of values) assert.equal(declaredConcurrency({ config: { maxConcurrency } }, 2), 2);
  for (const metadata of [null, {}, { config: null }, { config: "x" }, { config: [] }, { config: {} }]) {
    assert.equal(declaredConcurrency(metadata, 2), 2);
  }
});

test("explicit evidence is stronger than named, named than bare, bare than none", () => {
  const classes: readonly EvidenceClass[] = ["none", "bare", "named", "explicit"];
  for (const [i, a] of classes.entries()) {
    for (const [j, b] of classes.entries()) assert.equal(isStronger(a, b), i > j);
  }
});
