import assert from "node:assert/strict";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { checkAll, INVARIANTS, LANGUAGE } from "./checker.ts";
import { evidenceOf, Rows } from "./evidence.ts";
import { PLANTED } from "./planted.ts";
import { PLANTED_EFFECTS } from "./planted-effects.ts";
import type { Left } from "./planted-left.ts";
import { PLANTED_RIG } from "./planted-rig.ts";
import { sampleSystem } from "./test-system.ts";

const sample = await sampleSystem();
after(() => rmSync(sample.folder, { recursive: true }));

/** Judges a copy of the sample after something was done to it: the names of the invariants found broken. */
function broken(tamper: (left: Left) => void): string[] {
  const copy = join(sample.folder, "copy.db");
  rmSync(copy, { force: true });
  copyFileSync(sample.database, copy);
  const db = new DatabaseSync(copy);
  // As a table, attempts can be changed without their tasks.
  db.exec("create table a as select * from attempts; drop view attempts; alter table a rename to attempts");
  try {
    const streams = sample.streams.map((log) => ({ ...log, told: [...log.told], resets: [...log.resets] }));
    const left: Left = { db, client: [...sample.client], effects: [...sample.effects], streams };
    tamper(left);
    const judgements = checkAll(evidenceOf({ ...left, db: new Rows(db), isDrained: true }));
    assert.ok(judgements.every(({ isJudged }) => isJudged));
    return judgements.filter(({ findings }) => findings.length > 0).map(({ name }) => name);
  } finally {
    db.close();
  }
}

test("a system in which all is well gives no finding", () => {
  assert.deepEqual(
    broken(() => undefined),
    [],
  );
});

const ALL = [...PLANTED, ...PLANTED_EFFECTS, ...PLANTED_RIG];

for (const [what, invariant, tamper] of ALL) {
  test(`${what}: found`, () => {
    const names = broken(tamper);
    assert.ok(names.includes(invariant), `broken: ${names.join("; ")}`);
  });
}

test("each invariant is seen to break", () => {
  const seen = new Set(ALL.map(([, invariant]) => invariant));
  assert.deepEqual(
    INVARIANTS.filter((each) => !LANGUAGE.includes(each))
      .map(({ name }) => name)
      .filter((name) => !seen.has(name)),
    [],
  );
});

test("what rests on logs that nobody kept is not judged", () => {
  const rows = new Rows(sample.database);
  const judgements = checkAll(evidenceOf({ db: rows, isDrained: true }));
  rows.close();
  assert.deepEqual(
    judgements.filter(({ isJudged }) => isJudged).map(({ number }) => number),
    INVARIANTS.filter(({ needs }) => needs.length === 0).map(({ number }) => number),
  );
});
