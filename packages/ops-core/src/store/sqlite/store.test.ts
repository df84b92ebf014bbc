import assert from "node:assert/strict";
import { test } from "node:test";
import { NEIGHBOUR_SUITES, SUITES } from "../store.suite.ts";
import type { World } from "../suite/test-world.ts";
import { scansOf } from "./test-plans.ts";
import { findRedundant, idleEntries, oneLine, predicatesOf, withoutPredicate } from "./test-predicates.ts";
import { type Account, type Mutant, runScenario } from "./test-specification-run.ts";

interface Scenario extends Account {
  readonly body: (world: World) => Promise<void>;
  /** Most predicates are about whose row it is, and these scenarios are, too. */
  readonly isOfNeighbours: boolean;
}

/** Those that have passed, with what they did. */
const scenarios: Scenario[] = [];
let declared = 0;

for (const suite of SUITES) {
  const isOfNeighbours = NEIGHBOUR_SUITES.includes(suite);
  suite((title, body) => {
    declared += 1;
    test(`SQLite in memory: ${title}`, async () => {
      scenarios.push({ body, isOfNeighbours, ...(await runScenario(body)) });
    });
  });
}

function allStatements(): Set<string> {
  return new Set(scenarios.flatMap(({ statements }) => [...statements]));
}

test("a statement that looks through a table that grows is found", () => {
  assert.deepEqual(scansOf(["select t.id from tasks t where t.id = ?"]), []);
  assert.deepEqual(scansOf(["select t.id from tasks t where t.error = ?"]).length, 1);
});

test("no statement of the specification looks through a table that grows", () => {
  const statements = allStatements();
  assert.ok(statements.size > 100);
  assert.deepEqual(scansOf(statements), []);
});

test("each predicate of each write is guarded: without it the specification fails", async () => {
  assert.equal(scenarios.length, declared, "this asks scenarios that pass; mend those above first");
  const writes = [...allStatements()].filter((sql) => predicatesOf(sql).length > 0);
  // Those that do little show most about what they do.
  const sorted = scenarios
    .map((scenario) => ({ scenario, writes: writes.filter((sql) => scenario.statements.has(sql)).length }))
    .sort((a, b) => Number(b.scenario.isOfNeighbours) - Number(a.scenario.isOfNeighbours) || a.writes - b.writes)
    .map(({ scenario }) => scenario);
  const survivors: string[] = [];
  const explained = new Set<NonNullable<ReturnType<typeof findRedundant>>>();
  for (const sql of writes) {
    const able = sorted.filter(({ statements }) => statements.has(sql));
    for (const predicate of predicatesOf(sql)) {
      const redundant = findRedundant(sql, predicate);
      if (redundant !== undefined) explained.add(redundant);
      else if (!(await isKilled({ sql, instead: withoutPredicate(sql, predicate) }, able))) {
        survivors.push(`${oneLine(sql)} -- ${oneLine(predicate)}`);
      }
    }
  }
  assert.deepEqual(survivors, []);
  assert.deepEqual(idleEntries(explained), [], "these explain no predicate of any write");
});

/** What sees one predicate of a statement sees most others of it, so it is asked first. */
const killers = new Map<string, Scenario>();

async function isKilled(mutant: Mutant, able: readonly Scenario[]): Promise<boolean> {
  const first = killers.get(mutant.sql);
  if (first !== undefined && (await kills(first, mutant))) return true;
  for (const scenario of able) {
    if (scenario === first || !(await kills(scenario, mutant))) continue;
    killers.set(mutant.sql, scenario);
    return true;
  }
  return false;
}

async function kills({ body, rollbacks }: Scenario, mutant: Mutant): Promise<boolean> {
  try {
    // A write that went wrong may go right when its batch is run again.
    return (await runScenario(body, mutant)).rollbacks > rollbacks;
  } catch {
    return true;
  }
}
