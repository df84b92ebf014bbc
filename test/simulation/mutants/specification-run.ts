/**
 * Asks the specification about one mutant after another, in one process whose sources have all of them behind switches.
 * Prints a line of JSON each. Arguments: a file with what to do, see `Orders`.
 */
import { globSync, readFileSync } from "node:fs";
import { Database, type Values } from "../../../packages/ops-core/src/store/sqlite/database.ts";
import { KeptDatabase } from "../../../packages/ops-core/src/store/sqlite/kept-database.ts";
import { recycle, rigOn } from "../../../packages/ops-core/src/store/sqlite/test-rigs.ts";
import { SUITES } from "../../../packages/ops-core/src/store/store.suite.ts";
import { World } from "../../../packages/ops-core/src/store/suite/test-world.ts";
import { productFile } from "../../planting/planting.ts";
import { type CollectedTest, collectTests } from "./collected-tests.ts";
import { conjunctsIn, withoutConjunct } from "./instrument.ts";
import type { Answer, Orders } from "./specification.ts";

/** Unit tests of transitions and of those who ask for them. What takes seconds or looks at statements is not here. */
const UNIT_TESTS = [
  "domain/sessions/*.test.ts",
  "domain/tasks/*.test.ts",
  "domain/workflows/move.test.ts",
  "engine/*.test.ts",
  "store/sqlite/{faults,forget,set-back-clock,tools}.test.ts",
];

interface Scenario extends CollectedTest {
  /** One of a unit: asked when no suite sees anything, since some take long. */
  readonly isOfUnit: boolean;
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

const { run, get, all } = Database.prototype;
Object.assign(Database.prototype, {
  run(this: Database, sql: string, ...values: Parameters<typeof run> extends [string, ...infer V] ? V : never): number {
    return run.call(this, switched(sql), ...values);
  },
  get(this: Database, sql: string, ...values: Values): unknown {
    return get.call(this, switched(sql), ...values);
  },
  all(this: Database, sql: string, ...values: Values): unknown[] {
    return all.call(this, switched(sql), ...values);
  },
});

async function passes({ run }: Scenario): Promise<boolean> {
  steps = 0;
  try {
    await run();
    return true;
  } catch {
    // Nobody knows what it left behind.
    return false;
  }
}

const spare: KeptDatabase[] = [];

async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  const db = spare.pop() ?? new KeptDatabase();
  const world = await World.open(rigOn(db));
  await body(world);
  await world.verify();
  await world.close();
  recycle(db, spare);
}

async function allScenarios(): Promise<Scenario[]> {
  const scenarios: Scenario[] = [];
  for (const suite of SUITES) {
    suite((title, body) => scenarios.push({ title, run: () => inWorld(body), isOfUnit: false }));
  }
  const files = UNIT_TESTS.flatMap((place) => globSync(place, { cwd: productFile("") }).sort());
  const tests = await collectTests(files.map(productFile));
  return [...scenarios, ...tests.map((test) => ({ ...test, isOfUnit: true }))];
}

/** Of life: hundreds of scenarios may take a while. */
function giveASign(n: number): void {
  if (n % 50 === 49) process.stdout.write("\n");
}

/** The title of the scenario that fails with the mutant, and passes without; null when there is none. */
async function killerOf(index: number, scenarios: readonly Scenario[]): Promise<string | null> {
  for (const [n, scenario] of scenarios.entries()) {
    giveASign(n);
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

const scenarios = await allScenarios();
if (orders.meetings === null) {
  const meetings: number[][] = [];
  for (const [n, scenario] of scenarios.entries()) {
    met.clear();
    giveASign(n);
    if (!(await passes(scenario))) throw new Error(`the specification fails without any mutant: ${scenario.title}`);
    meetings.push([...met]);
  }
  say({ meetings });
} else {
  const { meetings } = orders;
  // Those that meet few predicates show most about each of them.
  const sorted = scenarios
    .map((scenario, i) => ({ scenario, met: new Set(meetings[i]) }))
    .sort((a, b) => Number(a.scenario.isOfUnit) - Number(b.scenario.isOfUnit) || a.met.size - b.met.size);
  for (const index of orders.mutants) {
    const able = sorted.filter((each) => each.met.has(index)).map(({ scenario }) => scenario);
    say({ index, killer: await killerOf(index, able) });
  }
}
