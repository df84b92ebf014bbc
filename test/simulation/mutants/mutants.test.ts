import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { plant, productFile } from "../../planting/planting.ts";
import { EXEMPTIONS, type Exemption } from "./exemptions.ts";
import { conjunctsIn, instrumentedSources, withoutConjunct } from "./instrument.ts";
import { NAMED_MUTANTS, WANTED_MUTANTS } from "./named.ts";
import { readOptions } from "./options.ts";
import { findingsOf, type Result } from "./report.ts";
import { allGenerated } from "./targets.ts";

const NAMED = [...NAMED_MUTANTS, ...WANTED_MUTANTS];

for (const bug of NAMED) {
  test(`the mutant ${bug.name} still has its place in the source`, () => {
    const source = readFileSync(productFile(bug.file), "utf8");
    assert.notEqual(plant(bug, source), source);
  });
}

test("there are at least twenty named mutants, each with a name of its own", () => {
  const names = NAMED.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(NAMED_MUTANTS.length >= 20);
});

test("the generator finds the predicates of the transitions, always the same, each under its own name", () => {
  const ids = allGenerated().map(({ id }) => id);
  assert.deepEqual(
    allGenerated().map(({ id }) => id),
    ids,
  );
  assert.equal(new Set(ids).size, ids.length);
  for (const known of [
    "store/sqlite/ending.ts isSender operand: && attempt.sends === sender.send",
    "store/sqlite/ending.ts endAttempt guard: !isOpen(attempt)",
    "store/sqlite/deliveries.ts deliveryArrived.written conjunct: status = 'pending'",
    "store/sqlite/task-failure.ts endTask guard: task.ended_at !== null",
  ]) {
    assert.ok(ids.includes(known), known);
  }
});

test("each exemption is that of a mutant that exists, and says why", () => {
  const ids = new Set(allGenerated().map(({ id }) => id));
  for (const [id, { reason }] of EXEMPTIONS) {
    assert.ok(ids.has(id), `there is no mutant ${id}`);
    assert.ok(reason.length > 0, id);
  }
});

test("a predicate gets its number without a change of the source around it", () => {
  const file = "store/sqlite/ending.ts";
  const instrumented = instrumentedSources(allGenerated().filter((mutant) => mutant.file === file)).get(file) ?? "";
  assert.match(
    instrumented,
    /return globalThis\.opspawnPredicate\(\d+, attempt\.epoch === sender\.epoch\) && globalThis/,
  );
  const plain = instrumented.replaceAll(/globalThis\.opspawnPredicate\(\d+, |\/\*\)?\d+\(?\*\//g, "");
  const source = readFileSync(productFile(file), "utf8");
  assert.equal(plain.replaceAll(")", ""), source.replaceAll(")", ""));
});

test("a condition of a statement is found by its number, also within another", () => {
  const sql = "select 1 where /*3(*/exists (select 1 where /*4(*/a = ?/*)4*/)/*)3*/ and /*14(*/b/*)14*/";
  assert.deepEqual(conjunctsIn(sql), [3, 4, 14]);
  const without =
    "select 1 where /*3(*/exists (select 1 where /*4(*/((a = ?) or true)/*)4*/)/*)3*/ and /*14(*/b/*)14*/";
  assert.equal(withoutConjunct(sql, 4), without);
});

const result = (name: string, isKilled: boolean): Result => ({
  kind: "generated",
  name,
  killed: isKilled ? { by: "simulator", words: "seed 1" } : null,
  seeds: 1,
});

test("a survivor without an exemption, an exemption that is not needed, and one of nothing are findings", () => {
  const results = [result("a", true), result("b", false), result("c", false), result("d", true)];
  const why = { kind: "guarded", reason: "why" } as const;
  const exemptions = new Map<string, Exemption>([
    ["c", why],
    ["d", why],
    ["e", why],
  ]);
  const findings = ["survives: b", "is exempt but was killed: d", "is exempt but does not exist: e"];
  assert.deepEqual(findingsOf(results, { exemptions, isWhole: true }), findings);
  assert.deepEqual(findingsOf(results, { exemptions, isWhole: false }), findings.slice(0, 2));
});

test("an unseen mutant that a seed happens to see is no finding, but one that the specification sees is", () => {
  const by = (name: string, judge: "specification" | "simulator"): Result => ({
    ...result(name, true),
    killed: { by: judge, words: "" },
  });
  const unseen = { kind: "unseen", reason: "not yet" } as const;
  const exemptions = new Map<string, Exemption>([
    ["a", unseen],
    ["b", unseen],
  ]);
  const findings = findingsOf([by("a", "simulator"), by("b", "specification")], { exemptions, isWhole: true });
  assert.deepEqual(findings, ["is exempt but was killed: b"]);
});

test("a wanted mutant may survive; one that is killed is to be named", () => {
  const results = [
    { ...result("a", true), kind: "wanted" as const },
    { ...result("b", false), kind: "wanted" as const },
  ];
  const findings = findingsOf(results, { exemptions: new Map(), isWhole: true });
  assert.deepEqual(findings, ["is only wanted but was killed, so it belongs to the named: a"]);
});

test("without an option both kinds are run, with one of them only that kind", () => {
  const kinds = (...args: string[]) => {
    const { named, generated } = readOptions(args);
    return [named, generated];
  };
  assert.deepEqual(
    [kinds(), kinds("--named"), kinds("--generated")],
    [
      [true, true],
      [true, false],
      [false, true],
    ],
  );
  assert.deepEqual(readOptions(["slot", "--seeds", "3"]).names, ["slot"]);
  assert.throws(() => readOptions(["--seeds", "no"]), /from 1 on/);
});
