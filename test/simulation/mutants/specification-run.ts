/**
 * Asks the specification of the store about one mutant after another, in one process whose sources have all of them
 * behind switches. Prints a line of JSON each. Arguments: a file with what to do, see `Orders`.
 */
import { readFileSync } from "node:fs";
import { KeptDatabase } from "../../../packages/ops-core/src/store/sqlite/kept-database.ts";
import { recycle, rigOn } from "../../../packages/ops-core/src/store/sqlite/test-rigs.ts";
import { SUITES } from "../../../packages/ops-core/src/store/store.suite.ts";
import { World } from "../../../packages/ops-core/src/store/suite/test-world.ts";
import { conjunctsIn, withoutConjunct } from "./instrument.ts";
import type { Answer, Orders } from "./specification.ts";

interface Scenario {
  readonly title: string;
  readonly body: (world: World) => Promise<void>;
}

const orders = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Orders;
/** The mutant that is switched on. */
let active: number | null = null;
/** The mutants whose predicates made a difference, or were asked of the database, since this was emptied. */
const met = new Set<number>();
/** Predicates and statements of the scenario so far: without a condition of its own a loop may go on for ever. */
let steps = 0;
const STEPS_MAX = 3_000_000;

function count(): void {
  steps += 1;
  if (steps > STEPS_MAX) throw new Error("it goes on for ever");
}

Object.assign(globalThis, {
  opspawnPredicate: (index: number, value: unknown): unknown => {
    count();
    const differs = orders.differs[index];
    if (Boolean(value) === differs) met.add(index);
    return index === active ? !differs : value;
  },
});

class SwitchedDatabase extends KeptDatabase {
  override run(sql: string, ...values: never[]): number {
    return super.run(switched(sql), ...values);
  }

  override get<T>(sql: string, ...values: never[]): T | undefined {
    return super.get<T>(switched(sql), ...values);
  }

  override all<T>(sql: string, ...values: never[]): T[] {
    return super.all<T>(switched(sql), ...values);
  }
}

const conjuncts = new Map<string, readonly number[]>();

function switched(sql: string): string {
  count();
  let own = conjuncts.get(sql);
  if (own === undefined) {
    own = conjunctsIn(sql);
    conjuncts.set(sql, own);
  }
  for (const index of own) met.add(index);
  return active !== null && own.includes(active) ? withoutConjunct(sql, active) : sql;
}

const spare: SwitchedDatabase[] = [];

async function passes({ body }: Scenario): Promise<boolean> {
  const db = spare.pop() ?? new SwitchedDatabase();
  steps = 0;
  try {
    const world = await World.open(rigOn(db));
    await body(world);
    await world.verify();
    await world.close();
    recycle(db, spare);
    return true;
  } catch {
    // Nobody knows what it left behind.
    return false;
  }
}

function allScenarios(): Scenario[] {
  const scenarios: Scenario[] = [];
  for (const suite of SUITES) suite((title, body) => scenarios.push({ title, body }));
  return scenarios;
}

/** The title of the scenario that fails with the mutant, and passes without; null when there is none. */
async function killerOf(index: number, scenarios: readonly Scenario[]): Promise<string | null> {
  for (const [n, scenario] of scenarios.entries()) {
    // A sign of life: hundreds may take a while.
    if (n % 50 === 49) process.stdout.write("\n");
    active = index;
    const isSeen = !(await passes(scenario));
    active = null;
    if (!isSeen) continue;
    // A mutant that was seen is one without which the scenario passes: else it is this process that is at fault.
    if (!(await passes(scenario))) fail(`after mutant ${index} nothing passes any more: ${scenario.title}`);
    return scenario.title;
  }
  return null;
}

function fail(words: string): never {
  process.stderr.write(words);
  process.exit(4);
}

function say(answer: Answer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

const scenarios = allScenarios();
if (orders.meetings === null) {
  const meetings: number[][] = [];
  for (const scenario of scenarios) {
    met.clear();
    if (!(await passes(scenario))) throw new Error(`the specification fails without any mutant: ${scenario.title}`);
    meetings.push([...met]);
  }
  say({ meetings });
} else {
  const { meetings } = orders;
  // Those that meet few predicates show most about each of them.
  const sorted = scenarios
    .map((scenario, i) => ({ scenario, met: new Set(meetings[i]) }))
    .sort((a, b) => a.met.size - b.met.size);
  for (const index of orders.mutants) {
    const able = sorted.filter((each) => each.met.has(index)).map(({ scenario }) => scenario);
    say({ index, killer: await killerOf(index, able) });
  }
}
