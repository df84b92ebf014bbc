import assert from "node:assert/strict";
import { test } from "node:test";
import { SUITES } from "../store.suite.ts";
import { World } from "../suite/test-world.ts";
import { KeptDatabase } from "./kept-database.ts";
import { findRedundant, idleEntries, oneLine, predicatesOf, withoutPredicate } from "./test-predicates.ts";
import { recycle, rigOn } from "./test-rigs.ts";

interface Scenario {
  readonly title: string;
  readonly body: (world: World) => Promise<void>;
  /** The statements it runs that write under a condition. */
  readonly statements: Set<string>;
  /** Batches that had to be run again. */
  rollbacks: number;
}

/** A connection that keeps account of its statements and runs one of them without one of its predicates. */
class MutantDatabase extends KeptDatabase {
  readonly statements = new Set<string>();
  rollbacks = 0;
  mutant: { readonly sql: string; readonly instead: string } | undefined;

  override run(sql: string, ...values: never[]): number {
    return super.run(this.text(sql), ...values);
  }

  override get<T>(sql: string, ...values: never[]): T | undefined {
    return super.get<T>(this.text(sql), ...values);
  }

  override transaction(step: Parameters<KeptDatabase["transaction"]>[0]): void {
    if (step === "rollback") this.rollbacks += 1;
    super.transaction(step);
  }

  /** While the connection is being made there is no account yet. */
  text(sql: string): string {
    this.statements?.add(sql);
    return sql === this.mutant?.sql ? this.mutant.instead : sql;
  }
}

/** What goes wrong in a scenario, or null. */
async function failureOf(scenario: Scenario, mutant?: MutantDatabase["mutant"]): Promise<unknown> {
  const db = spare.pop() ?? new MutantDatabase();
  db.statements.clear();
  db.rollbacks = 0;
  const world = await World.open(rigOn(db));
  db.mutant = mutant;
  try {
    await scenario.body(world);
    await world.verify();
    // A write that went wrong may go right when its batch is run again.
    if (mutant === undefined) scenario.rollbacks = db.rollbacks;
    else if (db.rollbacks > scenario.rollbacks) return new Error("a batch had to be run again");
    return null;
  } catch (error) {
    return error;
  } finally {
    db.mutant = undefined;
    for (const sql of db.statements) if (predicatesOf(sql).length > 0) scenario.statements.add(sql);
    await world.close();
    recycle(db, spare);
  }
}

const spare: MutantDatabase[] = [];

test("each predicate of each write is guarded: without it the specification fails", async () => {
  const scenarios: Scenario[] = [];
  for (const suite of SUITES)
    suite((title, body) => scenarios.push({ title, body, statements: new Set(), rollbacks: 0 }));
  for (const scenario of scenarios) assert.equal(await failureOf(scenario), null, scenario.title);
  // Those that do little show most about what they do.
  scenarios.sort((a, b) => a.statements.size - b.statements.size);
  const statements = new Set(scenarios.flatMap((scenario) => [...scenario.statements]));
  const survivors: string[] = [];
  const explained = new Set<NonNullable<ReturnType<typeof findRedundant>>>();
  for (const sql of statements) {
    for (const predicate of predicatesOf(sql)) {
      const redundant = findRedundant(sql, predicate);
      if (redundant !== undefined) explained.add(redundant);
      else if (!(await isKilled({ sql, instead: withoutPredicate(sql, predicate) }, scenarios))) {
        survivors.push(`${oneLine(sql)} -- ${oneLine(predicate)}`);
      }
    }
  }
  assert.deepEqual(survivors, []);
  assert.deepEqual(idleEntries(explained), [], "these explain no predicate of any write");
});

/** What sees one predicate of a statement sees most others of it, so it is asked first. */
const killers = new Map<string, Scenario>();

async function isKilled(mutant: { sql: string; instead: string }, scenarios: readonly Scenario[]): Promise<boolean> {
  const first = killers.get(mutant.sql);
  if (first !== undefined && (await failureOf(first, mutant)) !== null) return true;
  for (const scenario of scenarios) {
    if (scenario === first || !scenario.statements.has(mutant.sql)) continue;
    if ((await failureOf(scenario, mutant)) === null) continue;
    killers.set(mutant.sql, scenario);
    return true;
  }
  return false;
}
